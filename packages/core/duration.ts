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

/** A duration in milliseconds as Prometheus prints it: `90m` is `1h30m`, `0` is `0s`; years and weeks only where nothing is left over. */
export function formatDuration(durationMs: number): string {
  let ms = Math.trunc(durationMs);
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  ms = Math.abs(ms);
  let out = sign;
  for (const [name, unitMs] of Object.entries(units)) {
    if ((name === 'y' || name === 'w') && ms % unitMs !== 0) continue;
    const count = Math.floor(ms / unitMs);
    if (count > 0) out += `${count}${name}`;
    ms -= count * unitMs;
  }
  return out;
}
