const units: Readonly<Record<string, number>> = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const form = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds of a duration in Prometheus' form, largest unit first (`15d`, `1h30m`, `0`), or undefined. A year has 365 days. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text.length <= 64 ? form.exec(text) : null;
  if (!match || text === '') return undefined;
  const ms = Object.keys(units).reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * (units[unit] as number), 0);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
