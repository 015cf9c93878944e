import { OpsError } from '#core/errors.ts';
import type { RouteOptions } from './route-tree.ts';
import { daysInMonth, type ZonedTime, zonedTime } from './zone-time.ts';

/** First and last of something counted, both included. */
export type Span = readonly [first: number, last: number];

/** Times that meet every field given, each by one of its spans; a field left out is met always, an empty one never. */
export interface TimeInterval {
  /** Minutes of the day, the last one excluded. */
  readonly times?: readonly Span[] | undefined;
  /** 0 is Sunday. */
  readonly weekdays?: readonly Span[] | undefined;
  /** Negative ones count from the month's end, -1 being its last day. */
  readonly daysOfMonth?: readonly Span[] | undefined;
  readonly months?: readonly Span[] | undefined;
  readonly years?: readonly Span[] | undefined;
  /** A time zone; UTC where it is left out. */
  readonly location?: string | undefined;
}

/** Intervals by name, each name's being alternatives. */
export type TimeIntervals = ReadonlyMap<string, readonly TimeInterval[]>;

/** True where the interval contains the moment. */
export function containsTime(interval: TimeInterval, ms: number): boolean {
  const time = zonedTime(ms, interval.location);
  return (
    within(interval.times, ([first, end]) => time.minuteOfDay >= first && time.minuteOfDay < end) &&
    within(interval.daysOfMonth, (span) => containsDay(span, time)) &&
    within(interval.months, covers(time.month)) &&
    within(interval.weekdays, covers(time.weekday)) &&
    within(interval.years, covers(time.year))
  );
}

function within(spans: readonly Span[] | undefined, test: (span: Span) => boolean): boolean {
  return spans === undefined || spans.some(test);
}

function covers(value: number): (span: Span) => boolean {
  return ([first, last]) => value >= first && value <= last;
}

/** Days past the month's end are cut off; a span that starts past it is in no month of that length. */
function containsDay([first, last]: Span, { year, month, day }: ZonedTime): boolean {
  const days = daysInMonth(year, month);
  const from = first < 0 ? days + first + 1 : first;
  const to = last < 0 ? days + last + 1 : last;
  return from <= days && day >= from && day <= Math.min(to, days);
}

/** Those of the names whose intervals contain the moment; `missing` for a name that is not configured. */
export function containingIntervals(intervals: TimeIntervals, names: readonly string[], nowMs: number): string[] {
  return names.filter((name) => {
    const own = intervals.get(name);
    if (!own) throw new OpsError('missing', `time interval ${name} doesn't exist in config`);
    return own.some((interval) => containsTime(interval, nowMs));
  });
}

/** Whether a route's times hold its notifications back. */
export interface TimeMuting {
  readonly muted: boolean;
  /** The mute intervals that do it, or the active intervals that are all over. */
  readonly by: readonly string[];
}

/** A route is muted within its mute intervals, and outside of its active ones if it has any. */
export function findTimeMuting(
  { muteTimeIntervals, activeTimeIntervals }: Pick<RouteOptions, 'muteTimeIntervals' | 'activeTimeIntervals'>,
  intervals: TimeIntervals,
  nowMs: number,
): TimeMuting {
  const muting = containingIntervals(intervals, muteTimeIntervals, nowMs);
  if (muting.length > 0) return { muted: true, by: muting };
  if (activeTimeIntervals.length === 0 || containingIntervals(intervals, activeTimeIntervals, nowMs).length > 0)
    return { muted: false, by: [] };
  return { muted: true, by: activeTimeIntervals };
}
