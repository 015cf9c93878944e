/** A time in whole milliseconds as Prometheus writes it into JSON: seconds, with three decimals where they are not all zero. */
export function formatTimestamp(timeMs: number): string {
  const magnitude = Math.abs(timeMs);
  const fraction = magnitude % 1000;
  const seconds = (magnitude - fraction) / 1000;
  const sign = timeMs < 0 ? '-' : '';
  return fraction === 0 ? `${sign}${seconds}` : `${sign}${seconds}.${`${fraction}`.padStart(3, '0')}`;
}
