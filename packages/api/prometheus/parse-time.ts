import { OpsError } from '#core/errors.ts';
import { parseDuration } from '#query/promql/parse-duration.ts';
import { quoteText } from '#query/promql/quote.ts';

/** The first and last time there is, in milliseconds: what can be counted without loss. */
export const MIN_TIME_MS = Number.MIN_SAFE_INTEGER;
export const MAX_TIME_MS = Number.MAX_SAFE_INTEGER;

/** Prometheus' own boundaries, which clients send to mean all of time. */
const BOUNDARIES: ReadonlyMap<string, number> = new Map([
  ['-292273086-05-16T16:47:06Z', MIN_TIME_MS],
  ['292277025-08-18T07:12:54.999999999Z', MAX_TIME_MS],
]);

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const RFC3339 = /^(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:[.,](\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function parseUnix(text: string): number | undefined {
  const seconds = Number(text);
  const whole = Math.trunc(seconds);
  const fraction = seconds - whole;
  const timeMs = whole * 1000 + Math.sign(fraction) * Math.round(Math.abs(fraction) * 1000);
  return Math.abs(timeMs) <= MAX_TIME_MS ? timeMs + 0 : undefined;
}

function parseRfc3339(text: string): number | undefined {
  const [, local, fraction = '', zone] = RFC3339.exec(text) ?? [];
  if (local === undefined) return undefined;
  const localMs = Date.parse(`${local}Z`);
  const exists = !Number.isNaN(localMs) && new Date(localMs).toISOString().startsWith(local);
  if (!exists) return undefined;
  const offsetMin = zone === 'Z' ? 0 : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  return localMs + Number(fraction.slice(0, 3).padEnd(3, '0')) - offsetMin * 60_000;
}

/** A time in milliseconds, from seconds since 1970 with a fraction, or RFC 3339. `input` in Prometheus' words for anything else. */
export function parseTime(text: string): number {
  const timeMs = DECIMAL.test(text) ? parseUnix(text) : (parseRfc3339(text) ?? BOUNDARIES.get(text));
  if (timeMs === undefined) throw new OpsError('input', `cannot parse ${quoteText(text)} to a valid timestamp`);
  return timeMs;
}

/** A length of time in whole milliseconds, cut off: from seconds with a fraction, or a duration such as `1h30m`. `input` in Prometheus' words. */
export function parseSpan(text: string): number {
  if (DECIMAL.test(text)) {
    const nanoseconds = Number(text) * 1e9;
    if (Math.abs(nanoseconds) <= 2 ** 63) return Math.trunc(nanoseconds / 1e6) + 0;
    throw new OpsError('input', `cannot parse ${quoteText(text)} to a valid duration. It overflows int64`);
  }
  const parsed = parseDuration(text);
  if ('ms' in parsed) return parsed.ms;
  throw new OpsError('input', `cannot parse ${quoteText(text)} to a valid duration`);
}
