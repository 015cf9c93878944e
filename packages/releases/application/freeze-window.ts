import * as z from 'zod';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import { strictFields } from '#model/strict-fields.ts';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/;

const clockTime = z
  .string()
  .regex(CLOCK, 'must be a time of day from 00:00 to 24:00, in quotes')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const instant = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-12-20T00:00:00Z' })
  .transform((text) => Date.parse(text));

/** A time in which nothing is released: once, from and until a time, or each week on some days, by the clock of a time zone. */
export const FreezeWindow = strictFields({
  from: instant.optional(),
  until: instant.optional(),
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).optional(),
  /** Of the day; the whole day without. */
  start: clockTime.optional(),
  /** Before `start`: on the next day. */
  end: clockTime.optional(),
  timeZone: z.string().refine(isTimeZone, 'is no time zone that is known here; it takes a name such as Europe/Berlin').default('UTC'),
  why: z.string().max(300).default(''),
}).superRefine(({ from, until, weekdays, start, end }, context) => {
  const isOnce = from !== undefined || until !== undefined;
  const isWeekly = weekdays !== undefined || start !== undefined || end !== undefined;
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (isOnce === isWeekly) refuse('takes either from and until, or weekdays with or without start and end');
  else if (isOnce && (from === undefined || until === undefined || until <= from))
    refuse('takes from and until, the later one after the earlier');
  else if (isWeekly && weekdays === undefined) refuse('takes weekdays beside start and end');
  else if (isWeekly && start !== undefined && start === (end ?? 1_440)) refuse('start and end are the same time');
});
export type FreezeWindow = z.infer<typeof FreezeWindow>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** True if the time lies in the window; its end does not. */
export function isFrozen(window: FreezeWindow, timeMs: number): boolean {
  const { from, until, weekdays, start = 0, end = 1_440, timeZone } = window;
  if (from !== undefined && until !== undefined) return from <= timeMs && timeMs < until;
  const on = (atMs: number) => weekdays?.includes(weekdayOf(atMs, timeZone)) ?? false;
  const minute = minuteOf(timeMs, timeZone);
  if (start < end) return on(timeMs) && start <= minute && minute < end;
  return (on(timeMs) && minute >= start) || (minute < end && on(dayBefore(timeMs, minute)));
}

/** A time on the calendar day before: half a day before its beginning, which no change of clocks reaches. */
function dayBefore(timeMs: number, minute: number): number {
  return timeMs - minute * MINUTE_MS - DAY_MS / 2;
}

function weekdayOf(timeMs: number, timeZone: string): (typeof WEEKDAYS)[number] {
  return new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'long' }).format(timeMs).toLowerCase() as (typeof WEEKDAYS)[number];
}

function minuteOf(timeMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(timeMs);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return read('hour') * 60 + read('minute');
}
