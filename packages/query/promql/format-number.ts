/** A float as Go's `%g` writes it: shortest digits, an exponent below 1e-4 and from 1e21 (`%v`) or 1e6 on. */
export function formatShortest(value: number, exponentFrom = 6): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= exponentFrom)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return formatDecimal(value);
}

/** A float with all its digits and no exponent, as Go's `%f` with shortest precision. */
export function formatDecimal(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  if (!text.includes('e')) return Object.is(value, -0) ? '-0' : text;
  const sign = value < 0 ? '-' : '';
  const [mantissa, exponentText] = Math.abs(value).toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, '0');
}

/** A float with two significant digits, as Go's `%.2g`. */
export function formatTwoDigits(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  return formatShortest(Number(value.toPrecision(2)), 2);
}

/** A float as OpenMetrics wants it in a label: a whole number keeps `.0`. */
export function formatOpenMetrics(value: number): string {
  const text = formatShortest(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return undefined;
}
