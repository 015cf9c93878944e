/**
 * A sample's value as Prometheus writes it into JSON, without the quotes: the shortest decimal that reads back as the value, with an
 * exponent of two digits or more below 1e-6 and from 1e21, `+Inf`, `-Inf`, `NaN`, `-0`. Go's strconv.FormatFloat(value, 'f' or 'e', -1, 64).
 */
export function formatFloat(value: number): string {
  const magnitude = value < 0 ? -value : value;
  // JavaScript changes to exponents at the very same limits.
  if (magnitude >= 1e-6 && magnitude < 1e21) return `${value}`;
  if (magnitude === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isNaN(value)) return 'NaN';
  if (magnitude === Number.POSITIVE_INFINITY) return value > 0 ? '+Inf' : '-Inf';
  const text = `${value}`;
  return text.at(-3) === '-' || text.at(-2) !== '-' ? text : `${text.slice(0, -1)}0${text.at(-1)}`;
}
