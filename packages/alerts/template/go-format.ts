import { formatFloat } from './go-float.ts';
import { quoteGo } from './go-quote.ts';
import { type GoMap, type GoStruct, indirect, typeName, type Value } from './go-values.ts';
import { limitError } from './template-errors.ts';

/** Takes steps from what a rendering may still do. */
export type Charge = (steps: number) => void;

/** Deepest nesting of a value that is printed. */
const MAX_DEPTH = 200;
/** Characters that a step pays for. */
const STEP_CHARS = 32;
/** Go ignores widths and precisions past this. */
const MAX_WIDTH = 1_000_000;

interface Spec {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

const plainSpec: Spec = { plus: false, minus: false, sharp: false, space: false, zero: false, width: undefined, precision: undefined };

/** A value in its default form (`%v`). */
export function formatValue(value: Value, charge: Charge): string {
  return formatArg(value, 'v', plainSpec, charge, 0);
}

/** fmt.Sprint: a space between two operands of which neither is a text. */
export function formatAll(values: readonly Value[], charge: Charge): string {
  let text = '';
  values.forEach((value, i) => {
    const apart = i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string';
    text += (apart ? ' ' : '') + formatValue(value, charge);
  });
  return paid(text, charge);
}

/** fmt.Sprintln: a space between all operands, and a new line. */
export function formatLine(values: readonly Value[], charge: Charge): string {
  return paid(`${values.map((value) => formatValue(value, charge)).join(' ')}\n`, charge);
}

function paid(text: string, charge: Charge): string {
  charge(1 + Math.ceil(text.length / STEP_CHARS));
  return text;
}

interface Cursor {
  readonly format: string;
  readonly args: readonly Value[];
  at: number;
  arg: number;
  /** An explicit index was used somewhere, so that unused arguments are no mistake. */
  reordered: boolean;
  badIndex: boolean;
}

/** fmt.Sprintf, with Go's marks for what is wrong: `%!d(string=hi)`, `%!d(MISSING)`, `%!(EXTRA int=1)`, `%!(NOVERB)`. */
export function formatText(format: string, args: readonly Value[], charge: Charge): string {
  const cursor: Cursor = { format, args, at: 0, arg: 0, reordered: false, badIndex: false };
  let text = '';
  while (cursor.at < format.length) {
    const percent = format.indexOf('%', cursor.at);
    const end = percent < 0 ? format.length : percent;
    text += format.slice(cursor.at, end);
    cursor.at = end;
    if (percent < 0) break;
    cursor.at++;
    text += paid(formatVerb(cursor, charge), charge);
  }
  if (!cursor.reordered && cursor.arg < args.length) text += formatExtra(args.slice(cursor.arg), charge);
  return paid(text, charge);
}

function formatExtra(args: readonly Value[], charge: Charge): string {
  const each = args.map((arg) => (arg == null ? '<nil>' : `${typeName(arg)}=${formatValue(arg, charge)}`));
  return `%!(EXTRA ${each.join(', ')})`;
}

function formatVerb(cursor: Cursor, charge: Charge): string {
  const spec: Spec = { ...plainSpec };
  readFlags(cursor, spec);
  let afterIndex = readIndex(cursor);
  let complaint = '';
  if (cursor.format[cursor.at] === '*') {
    cursor.at++;
    complaint += readStar(cursor, spec, 'width');
    afterIndex = false;
  } else {
    const width = readNumber(cursor);
    if (width !== undefined) spec.width = width;
    if (afterIndex && width !== undefined) cursor.badIndex = true;
  }
  if (cursor.format[cursor.at] === '.') complaint += readPrecision(cursor, spec, afterIndex);
  else if (!afterIndex) readIndex(cursor);
  const code = cursor.format.codePointAt(cursor.at);
  if (code === undefined) return `${complaint}%!(NOVERB)`;
  const verb = String.fromCodePoint(code);
  cursor.at += verb.length;
  if (verb === '%') return `${complaint}%`;
  if (cursor.badIndex) {
    cursor.badIndex = false;
    return `${complaint}%!${verb}(BADINDEX)`;
  }
  if (cursor.arg >= cursor.args.length) return `${complaint}%!${verb}(MISSING)`;
  return complaint + formatArg(cursor.args[cursor.arg++], verb, spec, charge, 0);
}

function readFlags(cursor: Cursor, spec: Spec): void {
  const flags: Readonly<Record<string, 'plus' | 'minus' | 'sharp' | 'space' | 'zero'>> = {
    '+': 'plus',
    '-': 'minus',
    '#': 'sharp',
    ' ': 'space',
    '0': 'zero',
  };
  for (;;) {
    const flag = flags[cursor.format[cursor.at] ?? ''];
    if (!flag) return;
    spec[flag] = true;
    cursor.at++;
  }
}

/** A width or precision; past Go's bound the rest of the format is dropped, as Go does. */
function readNumber(cursor: Cursor): number | undefined {
  const digits = /^[0-9]*/.exec(cursor.format.slice(cursor.at, cursor.at + 10))?.[0] ?? '';
  if (digits === '') return undefined;
  cursor.at += digits.length;
  if (Number(digits) <= MAX_WIDTH) return Number(digits);
  cursor.at = cursor.format.length;
  return undefined;
}

/** `[n]`: the argument that is used next. True where there was one. */
function readIndex(cursor: Cursor): boolean {
  if (cursor.format[cursor.at] !== '[') return false;
  cursor.reordered = true;
  const found = /^\[([0-9]{1,7})\]/.exec(cursor.format.slice(cursor.at, cursor.at + 10));
  const index = Number(found?.[1] ?? 0);
  const close = cursor.format.indexOf(']', cursor.at);
  if (!found || index < 1 || index > cursor.args.length) {
    cursor.badIndex = true;
    cursor.at = close < 0 ? cursor.at + 1 : close + 1;
    return close >= 0;
  }
  cursor.arg = index - 1;
  cursor.at = close + 1;
  return true;
}

/** `*`: a width or precision that is an argument. */
function readStar(cursor: Cursor, spec: Spec, of: 'width' | 'precision'): string {
  const value = cursor.args[cursor.arg];
  if (cursor.arg < cursor.args.length) cursor.arg++;
  const size = typeof value === 'bigint' ? Number(value) : Number.NaN;
  const bad = of === 'width' ? '%!(BADWIDTH)' : '%!(BADPREC)';
  if (!(Math.abs(size) <= MAX_WIDTH)) return bad;
  if (of === 'width') {
    if (size < 0) spec.minus = true;
    spec.width = Math.abs(size);
    return '';
  }
  if (size < 0) return bad;
  spec.precision = size;
  return '';
}

function readPrecision(cursor: Cursor, spec: Spec, afterIndex: boolean): string {
  cursor.at++;
  if (afterIndex) cursor.badIndex = true;
  const indexed = readIndex(cursor);
  if (cursor.format[cursor.at] === '*') {
    cursor.at++;
    const complaint = readStar(cursor, spec, 'precision');
    readIndex(cursor);
    return complaint;
  }
  const precision = readNumber(cursor);
  if (indexed && precision !== undefined) cursor.badIndex = true;
  spec.precision = precision ?? 0;
  if (!indexed) readIndex(cursor);
  return '';
}

// Values

function formatArg(value: Value, verb: string, spec: Spec, charge: Charge, depth: number): string {
  charge(1);
  if (depth > MAX_DEPTH) throw limitError(`a value that is nested more than ${MAX_DEPTH} deep cannot be printed`);
  if (verb === 'T' && depth === 0) return formatString(typeName(value), 's', spec);
  if (value === undefined || value === null) return verb === 'v' ? pad('<nil>', spec) : `%!${verb}(<nil>)`;
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), spec) : badVerb(value, verb, charge);
    case 'string':
      charge(Math.ceil(value.length / STEP_CHARS));
      return 'vsxXq'.includes(verb) ? formatString(value, verb, spec) : badVerb(value, verb, charge);
    case 'bigint':
      return formatInt(value, verb, spec) ?? badVerb(value, verb, charge);
    case 'number':
      return formatNumber(value, verb, spec) ?? badVerb(value, verb, charge);
    default:
      return formatObject(value, verb, spec, charge, depth);
  }
}

function badVerb(value: Value, verb: string, charge: Charge): string {
  return `%!${verb}(${typeName(value)}=${formatValue(value, charge)})`;
}

function formatObject(value: Value & object, verb: string, spec: Spec, charge: Charge, depth: number): string {
  const target = indirect(value);
  const text = typeof target === 'object' && target !== null && 'vsxXq'.includes(verb) && !(spec.sharp && verb === 'v') && target.type.text;
  if (text) return formatString(text(target as never), verb, spec);
  const each = (item: Value) => formatArg(item, verb, spec, charge, depth + 1);
  switch (value.kind) {
    case 'pointer':
      return typeof target === 'object' && target !== null && target.kind !== 'named'
        ? `&${formatArg(target, verb, spec, charge, depth)}`
        : formatArg(target, verb, spec, charge, depth);
    case 'named':
      return formatArg(value.value, verb, spec, charge, depth);
    case 'list':
      if (spec.sharp && verb === 'v') return `${value.type.name}{${value.items.map(each).join(', ')}}`;
      return `[${value.items.map(each).join(' ')}]`;
    case 'map':
      return formatMap(value, verb, spec, each);
    default:
      return formatStruct(value, verb, spec, each);
  }
}

function formatMap(map: GoMap, verb: string, spec: Spec, each: (item: Value) => string): string {
  const sharp = spec.sharp && verb === 'v';
  const entries = sortedEntries(map).map(([key, value]) => `${each(key)}:${each(value)}`);
  return sharp ? `${map.type.name}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`;
}

function formatStruct(struct: GoStruct, verb: string, spec: Spec, each: (item: Value) => string): string {
  const sharp = spec.sharp && verb === 'v';
  const named = sharp || (spec.plus && verb === 'v');
  const fields = Object.entries(struct.fields).map(([name, value]) => (named ? `${name}:${each(value)}` : each(value)));
  return sharp ? `${struct.type.name}{${fields.join(', ')}}` : `{${fields.join(' ')}}`;
}

/** A map's entries in the order of their keys' bytes, as Go prints and ranges over them. */
export function sortedEntries(map: GoMap): [string, Value][] {
  return [...map.entries].sort(([a], [b]) => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

// Basic values

function pad(text: string, spec: Spec): string {
  if (spec.width === undefined) return text;
  const missing = spec.width - (/^\p{ASCII}*$/u.test(text) ? text.length : [...text].length);
  if (missing <= 0) return text;
  return spec.minus ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}

/** Pads a number: zeros stand between its sign and its digits. */
function padNumber(text: string, spec: Spec): string {
  if (!spec.zero || spec.minus || spec.width === undefined) return pad(text, spec);
  const sign = /^[-+ ]/.test(text) ? (text[0] as string) : '';
  return sign + text.slice(sign.length).padStart(spec.width - sign.length, '0');
}

function formatString(value: string, verb: string, spec: Spec): string {
  const text = spec.precision === undefined ? value : [...value].slice(0, spec.precision).join('');
  if (verb === 'q' || (verb === 'v' && spec.sharp)) {
    const raw = verb === 'q' && spec.sharp && !/(?!\t)[`\p{Cc}\ufeff]/u.test(text);
    return pad(raw ? `\`${text}\`` : quoteGo(text, '"', verb === 'q' && spec.plus), spec);
  }
  if (verb === 'x' || verb === 'X') {
    const bytes = [...Buffer.from(value).subarray(0, spec.precision)].map((byte) => byte.toString(16).padStart(2, '0'));
    const prefix = spec.sharp ? '0x' : '';
    const hex = bytes.length === 0 ? '' : spec.space ? bytes.map((byte) => prefix + byte).join(' ') : prefix + bytes.join('');
    return pad(verb === 'X' ? hex.toUpperCase() : hex, spec);
  }
  return pad(text, spec);
}

const bases: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const prefixes: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };

function formatInt(value: bigint, verb: string, spec: Spec): string | undefined {
  if (verb === 'c' || verb === 'q' || verb === 'U') return formatRune(value, verb, spec);
  const base = bases[verb];
  if (base === undefined) return undefined;
  let digits = (value < 0n ? -value : value).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (spec.precision !== undefined) digits = spec.precision === 0 && value === 0n ? '' : digits.padStart(spec.precision, '0');
  if (spec.precision !== undefined && digits === '') return pad('', { ...spec, zero: false });
  const sign = value < 0n ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  const prefix = verb === 'O' ? '0o' : spec.sharp && !(verb === 'o' && digits.startsWith('0')) ? (prefixes[verb] ?? '') : '';
  if (spec.zero && !spec.minus && spec.precision === undefined && spec.width !== undefined) {
    digits = digits.padStart(spec.width - sign.length, '0'); // Go counts the prefix apart
    return sign + prefix + digits;
  }
  return pad(sign + prefix + digits, spec);
}

function formatRune(value: bigint, verb: string, spec: Spec): string {
  const code = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn) ? Number(value) : 0xfffd;
  const char = String.fromCodePoint(code);
  if (verb === 'c') return pad(char, spec);
  if (verb === 'q') return pad(quoteGo(char, "'", spec.plus), spec);
  return pad(
    `U+${value
      .toString(16)
      .toUpperCase()
      .padStart(Math.max(4, spec.precision ?? 0), '0')}${spec.sharp ? ` '${char}'` : ''}`,
    spec,
  );
}

function formatNumber(value: number, verb: string, spec: Spec): string | undefined {
  const kind = verb === 'v' ? 'g' : verb.toLowerCase();
  if (!'efg'.includes(kind) || kind === '') return verb === 'x' || verb === 'X' || verb === 'b' ? formatHex(value, verb, spec) : undefined;
  const precision = spec.precision ?? (kind === 'g' ? -1 : 6);
  const shortest = kind === 'g' && precision < 0 && !(verb === 'v' && spec.sharp);
  return finishNumber(value, formatFloat(value, shortest ? 'g' : (kind as 'e' | 'f' | 'g'), precision), verb, spec);
}

function finishNumber(value: number, formatted: string, verb: string, spec: Spec): string {
  let text = verb === 'E' || verb === 'G' ? formatted.toUpperCase() : formatted;
  if (!Number.isFinite(value)) {
    text = formatted;
    if (Number.isNaN(value)) text = spec.plus ? '+NaN' : spec.space ? ' NaN' : 'NaN';
    else if (value > 0) text = spec.space && !spec.plus ? ' Inf' : '+Inf';
    return pad(text, { ...spec, zero: false });
  }
  if (spec.sharp && verb !== 'v') text = withPoint(text, verb, spec.precision);
  if (!text.startsWith('-')) text = (spec.plus ? '+' : spec.space ? ' ' : '') + text;
  return padNumber(text, spec);
}

/** `%#g` and its like: always a point, and for g all the digits that were asked for. */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const [, mantissa = '', tail = ''] = /^([^eE]*)([eE].*)?$/.exec(text) ?? [];
  let digits = mantissa.includes('.') ? mantissa : `${mantissa}.`;
  if (verb === 'g' || verb === 'G') {
    const wanted = precision === undefined ? 6 : Math.max(1, precision);
    const significant = digits.replace(/^[-0.]+/, '').replace('.', '').length;
    digits += '0'.repeat(Math.max(0, wanted - Math.max(1, significant)));
  }
  return digits + tail;
}

const view = new DataView(new ArrayBuffer(8));

/** `%x` and `%b` of a float: its bits. */
function formatHex(value: number, verb: string, spec: Spec): string {
  if (!Number.isFinite(value)) return finishNumber(value, '', verb, spec);
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const sign = value < 0 || Object.is(value, -0) ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  if (verb === 'b')
    return padNumber(
      `${sign}${biased === 0 ? fraction : fraction | (1n << 52n)}p${biased === 0 ? '-1074' : `${biased - 1075 < 0 ? '' : '+'}${biased - 1075}`}`,
      spec,
    );
  return padNumber(sign + hexMantissa(biased, fraction, verb), spec);
}

function hexMantissa(biased: number, fraction: bigint, verb: string): string {
  let exponent = biased - 1023;
  let mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  if (mantissa === 0n) return verb === 'X' ? '0X0P+00' : '0x0p+00';
  if (biased === 0) exponent = -1022;
  while (mantissa >> 52n === 0n) {
    mantissa <<= 1n;
    exponent--;
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, '0').replace(/0+$/, '');
  const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const text = `0x1${digits === '' ? '' : `.${digits}`}p${power}`;
  return verb === 'X' ? text.toUpperCase() : text;
}
