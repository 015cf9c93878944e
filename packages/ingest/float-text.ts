const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * The number that `text[start, end)` spells, as Prometheus reads it: Go's decimal floats (`1`, `-.5`, `5.`, `1e-3`), and in any
 * case `nan`, `inf`, `infinity` (the infinities with or without a sign). Correctly rounded. `undefined` for anything else: no
 * hexadecimal, no underscores, no space, nothing that overflows to infinity.
 */
export function parseFloatText(text: string, start: number, end: number): number | undefined {
  let at = start;
  const sign = text.charCodeAt(start);
  if (sign === 45 || sign === 43) at++;
  let mantissa = 0;
  let digits = 0;
  let pointAt = -1;
  for (; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c >= 48 && c <= 57) {
      mantissa = mantissa * 10 + (c - 48);
      if (++digits > 15) return parseLongFloat(text.slice(start, end));
    } else if (c === 46 && pointAt < 0) {
      pointAt = at;
    } else {
      return parseLongFloat(text.slice(start, end));
    }
  }
  if (digits === 0) return undefined;
  // Both are exact below 2^53 and 10^22, so the one division rounds correctly.
  const value = pointAt < 0 ? mantissa : mantissa / (POWERS_OF_TEN[end - pointAt - 1] as number);
  return sign === 45 ? -value : value;
}

/** The whole number that `text[start, end)` spells, digits after an optional sign; rounded past 2^53. `undefined` for anything else. */
export function parseIntegerText(text: string, start: number, end: number): number | undefined {
  let at = start;
  const sign = text.charCodeAt(start);
  if (sign === 45 || sign === 43) at++;
  if (at >= end) return undefined;
  let value = 0;
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return sign === 45 ? 0 - value : value;
}

function parseLongFloat(text: string): number | undefined {
  if (!isDecimalFloat(text)) return parseSpecial(text.length <= 9 ? text.toLowerCase() : '');
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function isDecimalFloat(text: string): boolean {
  let at = skipSign(text, 0);
  const whole = skipDigits(text, at);
  let digits = whole - at;
  at = whole;
  if (text.charCodeAt(at) === 46) {
    const fraction = skipDigits(text, at + 1);
    digits += fraction - at - 1;
    at = fraction;
  }
  if (digits === 0) return false;
  if ((text.charCodeAt(at) | 32) === 101) {
    const from = skipSign(text, at + 1);
    at = skipDigits(text, from);
    if (at === from) return false;
  }
  return at === text.length;
}

function skipSign(text: string, at: number): number {
  const c = text.charCodeAt(at);
  return c === 45 || c === 43 ? at + 1 : at;
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
  return at;
}

function parseSpecial(lower: string): number | undefined {
  switch (lower) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}
