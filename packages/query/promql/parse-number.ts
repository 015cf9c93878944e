import { quoteText } from './quote.ts';

/** A number, or why the literal is none in Go's words. */
export type ParsedNumber = { readonly value: number } | { readonly reason: string };

const MAX_INT64 = 2n ** 63n - 1n;
const DECIMAL = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function failure(literal: string, what: string): ParsedNumber {
  return { reason: `strconv.ParseFloat: parsing ${quoteText(literal)}: ${what}` };
}

/** A value of digits in a base other than ten, where it fits 64 bits as Go's ParseInt reads them (a leading 0 is octal). */
function parsePrefixed(digits: string): number | undefined {
  const octal = /^0[0-7]+$/.test(digits);
  if (!octal && !/^0[xX][0-9a-fA-F]+$/.test(digits)) return undefined;
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return value <= MAX_INT64 ? Number(value) : undefined;
}

/**
 * The value of a number literal: decimal, hexadecimal (`0x1f`), octal (`017`), with `_` between digits, or inf or nan in any case.
 * Read as Go's ParseInt with base 0, and as its ParseFloat where that fails.
 */
export function parseNumber(literal: string): ParsedNumber {
  const lower = literal.toLowerCase();
  if (lower === 'inf') return { value: Number.POSITIVE_INFINITY };
  if (lower === 'nan') return { value: Number.NaN };
  if (literal.includes('_') && !isSeparated(literal)) return failure(literal, 'invalid syntax');
  const digits = literal.replaceAll('_', '');
  const prefixed = parsePrefixed(digits);
  if (prefixed !== undefined) return { value: prefixed };
  if (!DECIMAL.test(digits)) return failure(literal, 'invalid syntax');
  const value = Number(digits);
  return Number.isFinite(value) ? { value } : failure(literal, 'value out of range');
}

/** Whether every underscore stands between digits, or between the base prefix and a digit. */
function isSeparated(literal: string): boolean {
  const hexadecimal = /^0[xX]/.test(literal);
  const misplaced = hexadecimal ? /(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])/ : /(?<!\d)_|_(?!\d)/;
  return !misplaced.test(hexadecimal ? `0${literal.slice(2)}` : literal);
}
