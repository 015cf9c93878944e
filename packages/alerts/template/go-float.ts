/** Digits past which a tie between two roundings is decided; a double that is that near to one is one. */
const TIE_DIGITS = 25;
const MAX_DIGITS = 100;

interface Digits {
  /** At least one digit; the first is not 0 unless the value is. */
  readonly digits: string;
  /** Power of ten of the first digit. */
  readonly exponent: number;
}

/**
 * A float64 in Go's form for the verbs e, f and g (strconv.FormatFloat): precision -1 is the shortest text that reads back as
 * the same number. Sign in front of negative numbers; `+Inf`, `-Inf` and `NaN`.
 */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return sign === '' ? '+Inf' : '-Inf';
  if (verb === 'e') return sign + exponential(roundDigits(size, precision), precision);
  if (verb === 'f') return sign + fixed(size, precision);
  const wanted = precision === 0 ? 1 : precision;
  const rounded = roundDigits(size, wanted - 1);
  const trimmed = { ...rounded, digits: rounded.digits.replace(/0+$/, '') || '0' };
  const { exponent } = trimmed;
  if (exponent < -4 || exponent >= (precision < 0 ? 6 : wanted)) return sign + exponential(trimmed, -1);
  return sign + placePoint(trimmed);
}

/** The digits of a number, rounded half to even after `places` digits past the first; negative: the shortest. */
function roundDigits(size: number, places: number): Digits {
  if (places < 0) return splitExponential(size.toExponential());
  const exact = Math.min(places, MAX_DIGITS);
  const up = splitExponential(size.toExponential(exact));
  const fine = splitExponential(size.toExponential(Math.min(MAX_DIGITS, exact + TIE_DIGITS)));
  const even = isTie(fine.digits, exact + 1) && /[13579]$/.test(up.digits);
  const rounded = even ? { digits: fine.digits.slice(0, exact + 1), exponent: fine.exponent } : up;
  return { ...rounded, digits: rounded.digits.padEnd(places + 1, '0') };
}

function isTie(digits: string, from: number): boolean {
  return /^50*$/.test(digits.slice(from)) && digits.length > from + 1;
}

function splitExponential(text: string): Digits {
  const [mantissa = '0', exponent = '0'] = text.split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

function exponential({ digits, exponent }: Digits, precision: number): string {
  const fraction = precision < 0 ? digits.slice(1) : digits.slice(1).padEnd(precision, '0');
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits[0]}${fraction === '' ? '' : `.${fraction}`}e${exponent < 0 ? '-' : '+'}${power}`;
}

function placePoint({ digits, exponent }: Digits): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function fixed(size: number, precision: number): string {
  if (precision < 0) return placePoint(splitExponential(size.toExponential()));
  if (size >= 1e21) return BigInt(size).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '');
  const exact = Math.min(precision, MAX_DIGITS);
  const up = size.toFixed(exact);
  const fine = size.toFixed(Math.min(MAX_DIGITS, exact + TIE_DIGITS));
  const point = fine.indexOf('.');
  const cut = exact === 0 ? point : point + 1 + exact;
  const rest = exact === 0 ? fine.slice(point + 1) : fine.slice(cut);
  const even = point >= 0 && /^50+$/.test(rest) && /[13579]$/.test(up);
  const text = even ? fine.slice(0, cut) : up;
  return precision > exact ? text.padEnd(text.length + precision - exact, '0') : text;
}
