import type { Frame } from './frame.ts';
import { mapValues } from './math-functions.ts';

type Part = (date: Date) => number;

const parts: Readonly<Record<string, Part>> = {
  day_of_month: (date) => date.getUTCDate(),
  day_of_week: (date) => date.getUTCDay(),
  day_of_year: (date) => Math.floor((date.getTime() - startOfYear(date)) / 86_400_000) + 1,
  days_in_month: (date) => new Date(atUtc(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  hour: (date) => date.getUTCHours(),
  minute: (date) => date.getUTCMinutes(),
  month: (date) => date.getUTCMonth() + 1,
  year: (date) => date.getUTCFullYear(),
};

/** The part of a date that a function such as `hour` gives, from seconds since the epoch; NaN for times past the year 275760. */
export function dateFunction(func: string): ((seconds: number) => number) | undefined {
  if (!Object.hasOwn(parts, func)) return undefined;
  const part = parts[func] as Part;
  return (seconds) => part(new Date(Math.trunc(seconds) * 1000));
}

/** Applies it to every point. */
export function mapDates(frame: Frame, part: (seconds: number) => number): Frame {
  return mapValues(frame, part);
}

function startOfYear(date: Date): number {
  return atUtc(date.getUTCFullYear(), 0, 1);
}

/** Date.UTC without its liking for the years 0 to 99. */
function atUtc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day);
}
