import { compareUtf8 } from '#core/text.ts';
import { formatInt, formatNumber, formatString, pad, plainSpec, type Spec } from './go-format-basic.ts';
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
  if (verb === 'v') {
    spec.named = spec.plus;
    spec.syntax = spec.sharp;
    spec.plus = spec.sharp = false;
  }
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
  const plain = typeof value === 'object' && value?.kind === 'named' ? value.value : value;
  const size = typeof plain === 'bigint' ? Number(plain) : Number.NaN;
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
  if (depth > MAX_DEPTH) throw limitError('', `a value that is nested more than ${MAX_DEPTH} deep cannot be printed`);
  if (verb === 'T' && depth === 0) return formatString(typeName(value), 's', spec);
  if (value === undefined || value === null) return verb === 'v' ? pad('<nil>', spec) : `%!${verb}(<nil>)`;
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), spec) : badVerb(value, verb, spec, charge);
    case 'string':
      charge(Math.ceil(value.length / STEP_CHARS));
      return 'vsxXq'.includes(verb) ? formatString(value, verb, spec) : badVerb(value, verb, spec, charge);
    case 'bigint':
      return formatInt(value, verb, spec) ?? badVerb(value, verb, spec, charge);
    case 'number':
      return formatNumber(value, verb, spec) ?? badVerb(value, verb, spec, charge);
    default:
      return formatObject(value, verb, spec, charge, depth);
  }
}

function badVerb(value: Value, verb: string, spec: Spec, charge: Charge): string {
  return `%!${verb}(${typeName(value)}=${formatArg(value, 'v', spec, charge, 0)})`;
}

function formatObject(value: Value & object, verb: string, spec: Spec, charge: Charge, depth: number): string {
  const target = indirect(value);
  const text = typeof target === 'object' && target !== null && 'vsxXq'.includes(verb) && !spec.syntax && target.type.text;
  if (text) return formatString(text(target as never), verb, spec);
  const each = (item: Value) => formatArg(item, verb, spec, charge, depth + 1);
  switch (value.kind) {
    case 'pointer':
      return typeof target === 'object' && target !== null && target.kind !== 'named'
        ? `&${formatArg(target, verb, spec, charge, depth)}`
        : formatArg(target, verb, spec, charge, depth);
    case 'named': {
      const plain = value.value;
      const formatted = typeof plain === 'bigint' ? formatInt(plain, verb, spec) : formatArg(plain, verb, spec, charge, depth);
      return formatted ?? `%!${verb}(${value.type.name}=${formatArg(plain, 'v', spec, charge, depth)})`;
    }
    case 'list':
      if (spec.syntax) return `${value.type.name}{${value.items.map(each).join(', ')}}`;
      return `[${value.items.map(each).join(' ')}]`;
    case 'map':
      return formatMap(value, spec, each);
    default:
      return formatStruct(value, spec, each);
  }
}

function formatMap(map: GoMap, spec: Spec, each: (item: Value) => string): string {
  const entries = sortedEntries(map).map(([key, value]) => `${each(key)}:${each(value)}`);
  return spec.syntax ? `${map.type.name}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`;
}

function formatStruct(struct: GoStruct, spec: Spec, each: (item: Value) => string): string {
  const named = spec.named || spec.syntax;
  const fields = Object.entries(struct.fields).map(([name, value]) => (named ? `${name}:${each(value)}` : each(value)));
  return spec.syntax ? `${struct.type.name}{${fields.join(', ')}}` : `{${fields.join(' ')}}`;
}

/** A map's entries in the order of their keys' bytes, as Go prints and ranges over them. */
export function sortedEntries(map: GoMap): [string, Value][] {
  return [...map.entries].sort(([a], [b]) => compareUtf8(a, b));
}
