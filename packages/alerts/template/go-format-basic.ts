import { quoteGo } from '#alerts/go-quote.ts';
import { formatFloat } from './go-float.ts';

/** The flags, width and precision of a verb. */
export interface Spec {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%+v`: fields with their names. */
  named: boolean;
  /** `%#v`: in Go's syntax. */
  syntax: boolean;
  width: number | undefined;
  precision: number | undefined;
}

/** No flags. */
export const plainSpec: Spec = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  named: false,
  syntax: false,
  width: undefined,
  precision: undefined,
};

/** A text in its width, which counts characters. */
export function pad(text: string, spec: Spec): string {
  if (spec.width === undefined) return text;
  const missing = spec.width - (/^\p{ASCII}*$/u.test(text) ? text.length : [...text].length);
  if (missing <= 0) return text;
  return spec.minus ? text + ' '.repeat(missing) : (spec.zero ? '0' : ' ').repeat(missing) + text;
}

/** Pads a number: zeros stand between its sign and its digits. */
function padNumber(text: string, spec: Spec): string {
  if (!spec.zero || spec.minus || spec.width === undefined) return pad(text, spec);
  const sign = /^[-+ ]/.test(text) ? (text[0] as string) : '';
  return sign + text.slice(sign.length).padStart(spec.width - sign.length, '0');
}

/** A text by the verbs v, s, q, x, X. */
export function formatString(value: string, verb: string, spec: Spec): string {
  const text = spec.precision === undefined ? value : [...value].slice(0, spec.precision).join('');
  if (verb === 'q' || spec.syntax) {
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

/** An int by a verb, or undefined for one that it has not. */
export function formatInt(value: bigint, verb: string, spec: Spec): string | undefined {
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
  return pad(sign + prefix + digits, { ...spec, zero: false });
}

function formatRune(value: bigint, verb: string, spec: Spec): string {
  const code = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn) ? Number(value) : 0xfffd;
  const char = String.fromCodePoint(code);
  if (verb === 'c') return pad(char, spec);
  if (verb === 'q') return pad(quoteGo(char, "'", spec.plus), spec);
  const zeroless = { ...spec, zero: false };
  return pad(
    `U+${value
      .toString(16)
      .toUpperCase()
      .padStart(Math.max(4, spec.precision ?? 0), '0')}${spec.sharp ? ` '${char}'` : ''}`,
    zeroless,
  );
}

/** A float by a verb, or undefined for one that it has not. */
export function formatNumber(value: number, verb: string, spec: Spec): string | undefined {
  const kind = verb === 'v' ? 'g' : verb.toLowerCase();
  if (!'efg'.includes(kind) || kind === '') return verb === 'x' || verb === 'X' || verb === 'b' ? formatHex(value, verb, spec) : undefined;
  const precision = spec.precision ?? (kind === 'g' ? -1 : 6);
  const shortest = kind === 'g' && precision < 0 && !spec.syntax;
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
  if (spec.sharp) text = withPoint(text, verb === 'v' ? 'g' : verb, spec.precision);
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
