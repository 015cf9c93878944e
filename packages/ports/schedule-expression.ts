import { Cron } from 'croner';
import { OpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { Schedule } from './schedules.ts';

/** When a schedule is due. */
export interface ScheduleTimes {
  /** True for `at(...)`: due once. */
  readonly once: boolean;
  /** The first due time after this one, in ms; undefined if there is none. */
  next(afterMs: number): number | undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
const CRON_FIELD = /^(?:[0-9,*?/#LW-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)+$/i;

/**
 * Reads EventBridge's `rate(value unit)`, `cron(minute hour day-of-month month day-of-week year)` and `at(yyyy-mm-ddThh:mm:ss)`,
 * all in UTC. A rate is due at the multiples of its interval since the epoch (EventBridge counts from the schedule's creation).
 * `input` if it is none of them.
 */
export function parseScheduleExpression(expression: string): ScheduleTimes {
  const [, form, body] = /^(rate|cron|at)\(([^()]{1,200})\)$/.exec(expression) ?? [];
  if (form === 'rate') return parseRate(expression, body);
  if (form === 'cron') return parseCron(expression, body);
  if (form === 'at') return parseAt(expression, body);
  throw malformed(expression, 'rate(5 minutes), cron(0 2 * * ? *) or at(2026-11-23T10:00:00)');
}

/** Throws `input` unless name and expression are what every list of schedules takes. */
export function assertSchedule(schedule: Schedule): void {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(schedule.name)) {
    throw new OpsError('input', `${JSON.stringify(schedule.name)} cannot be the name of a schedule`, {
      hint: '1 to 64 letters, digits and dashes',
    });
  }
  parseScheduleExpression(schedule.expression);
}

function parseRate(expression: string, body: string): ScheduleTimes {
  const [, digits, unit, plural] = /^([1-9][0-9]{0,5}) (minute|hour|day)(s?)$/.exec(body) ?? [];
  if (digits === undefined || (digits === '1') !== (plural === ''))
    throw malformed(expression, 'rate(1 minute), rate(2 hours), rate(7 days)');
  const intervalMs = Number(digits) * UNIT_MS[unit];
  return { once: false, next: (afterMs) => (Math.floor(afterMs / intervalMs) + 1) * intervalMs };
}

function parseCron(expression: string, body: string): ScheduleTimes {
  const fields = body.split(' ');
  const oneDayField = (fields[2] === '?') !== (fields[4] === '?');
  const marks = fields.filter((field) => field.includes('?')).length;
  if (fields.length !== 6 || !oneDayField || marks !== 1 || !fields.every((field) => CRON_FIELD.test(field))) {
    throw malformed(expression, 'six fields, minute hour day-of-month month day-of-week year, with ? for one of the two days');
  }
  try {
    const options = { mode: '7-part', alternativeWeekdays: true, sloppyRanges: true, timezone: 'UTC', paused: true } as const;
    const cron = new Cron(`0 ${body}`, options);
    return { once: false, next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() };
  } catch (cause) {
    throw malformed(expression, (cause as Error).message, cause);
  }
}

function parseAt(expression: string, body: string): ScheduleTimes {
  const atMs = /^[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}$/.test(body) ? Date.parse(`${body}Z`) : Number.NaN;
  // A day that the month lacks would roll over into the next month.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString() !== `${body}.000Z`) throw malformed(expression, 'at(2026-11-23T10:00:00)');
  return { once: true, next: (afterMs) => (atMs > afterMs ? atMs : undefined) };
}

function malformed(expression: string, hint: string, cause?: unknown): OpsError {
  return new OpsError('input', `${JSON.stringify(expression.slice(0, 100))} is not a schedule expression`, { hint, cause });
}
