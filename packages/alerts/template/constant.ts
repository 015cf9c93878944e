import { quoteGo, unquoteCharacter } from '#alerts/go-quote.ts';
import type { Constant } from './nodes.ts';
import type { Token } from './tokens.ts';

const decimalInt = /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
/** Longest literal of a number. */
const MAX_LENGTH = 1_000;
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** A number as the language reads it, or the message that says why it is none. Complex numbers are not supported. */
export function readConstant(token: Token): Constant | string {
  const { pos, text: source } = token;
  if (token.kind === 'rune') {
    const code = unquoteCharacter(source);
    if (code === undefined) return source.length > 2 ? `malformed character constant: ${source}` : 'invalid syntax';
    return { kind: 'number', pos, source, value: BigInt(code), asInt: BigInt(code), asFloat: code };
  }
  if (token.kind === 'complex' || source.endsWith('i')) return `complex numbers are not supported: ${quoteGo(source)}`;
  if (source.length > MAX_LENGTH) return `integer overflow: ${quoteGo(source.slice(0, 40))}`;
  const int = readInt(source);
  if (int !== undefined) {
    const fits = int <= MAX_INT && int >= -MAX_INT - 1n;
    if (!fits && (int > MAX_UINT || int < 0n)) return `integer overflow: ${quoteGo(source)}`;
    const asInt = fits ? int : undefined;
    return { kind: 'number', pos, source, value: asInt, asInt, asFloat: Number(int) };
  }
  const float = readFloat(source);
  if (float === undefined || !/[.eEpP]/.test(source)) return `illegal number syntax: ${quoteGo(source)}`;
  const asInt = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  const hex = /^0[xX]/.test(source) && !/[pP]/.test(source);
  return { kind: 'number', pos, source, value: hex ? asInt : float, asInt, asFloat: float };
}

function readInt(source: string): bigint | undefined {
  if (!decimalInt.test(source)) return undefined;
  const digits = source.replace(/^[+-]/, '').replaceAll('_', '');
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  return source.startsWith('-') ? -value : value;
}

const decimalFloat = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const hexFloat = /^([+-]?)0[xX]([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?[0-9]+)$/;

/** A number in Go's notation as strconv.ParseFloat reads it, without its special values; undefined where it is none or too large. */
function readFloat(source: string): number | undefined {
  if (decimalFloat.test(source)) {
    const value = Number(source);
    return Number.isFinite(value) ? value : undefined;
  }
  const [, sign, whole = '', fraction = '', exponent] = hexFloat.exec(source) ?? [];
  const digits = `${whole}${fraction}`.replaceAll('_', '');
  if (exponent === undefined || digits === '' || digits.length > 100) return undefined;
  const scale = Number(exponent) - 4 * fraction.replaceAll('_', '').length;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** scale;
  if (!Number.isFinite(value)) return undefined;
  return sign === '-' ? -value : value;
}

/** A text as a float64: strconv.ParseFloat. The message of what is wrong where it is none. */
export function parseGoFloat(text: string): number | string {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special && (special[1] === '' || special[2]?.toLowerCase() !== 'nan')) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = readFloat(text);
  if (value !== undefined) return value;
  const range = decimalFloat.test(text) || hexFloat.test(text);
  return `strconv.ParseFloat: parsing ${quoteGo(text)}: ${range ? 'value out of range' : 'invalid syntax'}`;
}
