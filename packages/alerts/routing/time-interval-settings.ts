import * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import { faults, list, refuse, settings, text } from './config-fields.ts';
import type { Span, TimeInterval } from './time-interval.ts';
import { isTimeZone } from './zone-time.ts';

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = 'january february march april may june july august september october november december'.split(' ');

/** A range `first:last` or a single member, in either case; `check` says what is wrong with it. */
function span(read: (member: string) => number, check: (first: number, last: number) => string | undefined) {
  return z.string().transform((value, context): Span => {
    try {
      const members = value.toLowerCase().split(':');
      if (members.length > 2) throw new OpsError('input', `couldn't parse range ${value.toLowerCase()}, invalid format`);
      const first = read(members[0] as string);
      const last = members.length === 1 ? first : read(members[1] as string);
      const fault = check(first, last);
      if (fault) throw new OpsError('input', fault);
      return [first, last];
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      refuse(context, error.message);
      return z.NEVER;
    }
  });
}

function readWeekday(member: string): number {
  const day = weekdays.indexOf(member);
  if (day < 0) throw new OpsError('input', `${member} is not a valid weekday`);
  return day;
}

function readNumber(member: string, fault = `strconv.Atoi: parsing ${quoteGo(member)}: invalid syntax`): number {
  if (!/^[-+]?\d{1,9}$/.test(member)) throw new OpsError('input', fault);
  return Number(member);
}

function readMonth(member: string): number {
  const month = months.indexOf(member);
  return month < 0 ? readNumber(member, `${member} is not a valid month`) : month + 1;
}

const nameMonth = (month: number) => months[month - 1] ?? '';

function findDayFault(first: number, last: number): string | undefined {
  for (const day of [first, last]) if (day === 0 || Math.abs(day) > 31) return `${day} is not a valid day of the month: out of range`;
  if (first < 0 && last > 0) return 'end day must be negative if start day is negative';
  const inShortest = (day: number) => (day < 0 ? 28 + day : day); // what is wrong in a month of 28 days is wrong in any
  return inShortest(first) > inShortest(last) ? `end day ${last} is always before start day ${first}` : undefined;
}

const weekdaySpan = span(readWeekday, (first, last) => (first > last ? 'start day cannot be before end day' : undefined));
const daySpan = span(readNumber, findDayFault);
const monthSpan = span(readMonth, (first, last) =>
  first > last ? `end month ${nameMonth(last)} is before start month ${nameMonth(first)}` : undefined,
);
const yearSpan = span(readNumber, (first, last) => (first > last ? `end year ${last} is before start year ${first}` : undefined));

const clock = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

function minuteOfDay(value: string): number | undefined {
  const match = clock.exec(value);
  return match ? Number(match[1] ?? 24) * 60 + Number(match[2] ?? 0) : undefined;
}

const badClock = (value: string) => (minuteOfDay(value) === undefined ? `couldn't parse timestamp ${value}, invalid format` : undefined);

/** Minutes of the day from `start_time` up to, not including, `end_time`. */
export const timeRangeSettings = settings('timeinterval.yamlTimeRange', { start_time: text(), end_time: text() })
  .superRefine(
    faults<{ start_time: string; end_time: string }>(
      [(c) => c.start_time === '' || c.end_time === '', 'both start and end times must be provided'],
      [(c) => badClock(c.start_time), (c) => badClock(c.start_time) as string],
      [(c) => badClock(c.end_time), (c) => badClock(c.end_time) as string],
      [
        (c) => (minuteOfDay(c.start_time) as number) >= (minuteOfDay(c.end_time) as number),
        'start time cannot be equal or greater than end time',
      ],
    ),
  )
  .transform((c): Span => [minuteOfDay(c.start_time) as number, minuteOfDay(c.end_time) as number]);

const location = z.string().superRefine((name, context) => {
  if (!isTimeZone(name)) refuse(context, `unknown time zone ${name}`);
});

/** An interval as Alertmanager writes it. */
export const timeIntervalSettings = settings('timeinterval.TimeInterval', {
  times: list(timeRangeSettings, 'timeinterval.TimeRange').optional(),
  weekdays: list(weekdaySpan, 'timeinterval.WeekdayRange').optional(),
  days_of_month: list(daySpan, 'timeinterval.DayOfMonthRange').optional(),
  months: list(monthSpan, 'timeinterval.MonthRange').optional(),
  years: list(yearSpan, 'timeinterval.YearRange').optional(),
  location: location.optional(),
}).transform(({ days_of_month: daysOfMonth, ...rest }): TimeInterval => ({ ...rest, daysOfMonth }));

/** A name and its intervals; `kind` as Alertmanager words it. */
export function namedIntervals(kind: 'time interval' | 'mute time interval') {
  return settings('config.plain', {
    name: text(),
    time_intervals: list(timeIntervalSettings, 'timeinterval.TimeInterval').default([]),
  }).superRefine(faults<{ name: string }>([(c) => c.name === '', `missing name in ${kind}`]));
}

/** An interval in Alertmanager's form again. */
export function formatTimeInterval(interval: TimeInterval): Record<string, unknown> {
  const words = (spans: readonly Span[] | undefined, word: (member: number) => string) =>
    spans?.map(([first, last]) => (first === last ? word(first) : `${word(first)}:${word(last)}`));
  const time = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return {
    times: interval.times?.map(([first, end]) => ({ start_time: time(first), end_time: time(end) })),
    weekdays: words(interval.weekdays, (day) => weekdays[day] as string),
    days_of_month: words(interval.daysOfMonth, String),
    months: words(interval.months, String),
    years: words(interval.years, String),
    location: interval.location,
  };
}
