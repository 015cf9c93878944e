import { OpsError } from '#core/errors.ts';
import { HOUR_MS } from '#core/time.ts';

/** A length of time by the calendar: `1y2m3d4h`, in any order, each at most once. */
export interface CalendarSpan {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const UNITS = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;
const TEXT = /^(?:\d{1,6}[ymdh]){1,4}$/;

/** Reads `1y2m3d4h`; `input` where it is none. */
export function parseSpan(text: string): CalendarSpan {
  const span = { years: 0, months: 0, days: 0, hours: 0 };
  const parts = [...text.matchAll(/(\d+)([ymdh])/g)];
  const units = new Set(parts.map(([, , unit]) => unit));
  if (!TEXT.test(text) || units.size !== parts.length) {
    throw new OpsError('input', `${JSON.stringify(text)} is no span of time`, { hint: 'Years, months, days and hours: 1y6m, 14d, 12h.' });
  }
  for (const [, number, unit] of parts) span[UNITS[unit as keyof typeof UNITS]] = Number(number);
  return span;
}

/** `1y2m3d4h`, in that order. */
export function formatSpan({ years, months, days, hours }: CalendarSpan): string {
  return [years && `${years}y`, months && `${months}m`, days && `${days}d`, hours && `${hours}h`].filter(Boolean).join('');
}

/** The time that long before, in UTC: first years, months and days by the calendar (31 March less a month is 3 March), then hours. */
export function subtractSpan(timeMs: number, { years, months, days, hours }: CalendarSpan): number {
  const date = new Date(timeMs);
  // setUTCFullYear takes the three at once and carries what overflows.
  date.setUTCFullYear(date.getUTCFullYear() - years, date.getUTCMonth() - months, date.getUTCDate() - days);
  return date.getTime() - hours * HOUR_MS;
}

/** The calendar's periods; of a time each gives the one that it lies in. All in UTC. */
export const PERIODS = {
  hourly: (timeMs: number) => new Date(timeMs).toISOString().slice(0, 13),
  daily: (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10),
  weekly: isoWeek,
  monthly: (timeMs: number) => new Date(timeMs).toISOString().slice(0, 7),
  quarterly: (timeMs: number) => `${new Date(timeMs).getUTCFullYear()}-Q${Math.floor(new Date(timeMs).getUTCMonth() / 3) + 1}`,
  yearly: (timeMs: number) => String(new Date(timeMs).getUTCFullYear()),
} as const;
export type Period = keyof typeof PERIODS;

/** Year and week of ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(timeMs: number): string {
  const thursday = new Date(timeMs);
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  const day = (Date.UTC(year, thursday.getUTCMonth(), thursday.getUTCDate()) - Date.UTC(year, 0, 1)) / (24 * HOUR_MS);
  return `${year}-W${Math.floor(day / 7) + 1}`;
}
