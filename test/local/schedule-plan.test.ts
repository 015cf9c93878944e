import { describe, expect, it } from 'vitest';
import { planRuns, type ScheduleMark } from '#local/schedule-plan.ts';
import type { Schedule } from '#ports/schedules.ts';

const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);
const schedule = (name: string, expression: string): Schedule => ({ name, function: 'storage-compact', expression });
const marked = (expression: string, time: string) => new Map<string, ScheduleMark>([['s', { expression, untilMs: at(time) }]]);

describe('plan of scheduled runs', () => {
  it.each([
    ['nothing before the next minute', 'rate(1 minute)', '10:00:00', '10:00:59', undefined, '10:01:00'],
    ['one run on the minute', 'rate(1 minute)', '10:00:00', '10:01:00', '10:01:00', '10:02:00'],
    ['one run a little late', 'rate(1 minute)', '10:00:00', '10:01:07', '10:01:00', '10:02:00'],
    ['one run, the latest, for many that were missed', 'rate(1 minute)', '02:00:00', '10:01:07', '10:01:00', '10:02:00'],
    ['one run for a night that was missed', 'cron(0 2 * * ? *)', '01:00:00', '10:00:00', '02:00:00', '26:00:00'],
    ['no run twice', 'cron(0 2 * * ? *)', '02:00:00', '10:00:00', undefined, '26:00:00'],
    ['a single time that has come', 'at(2026-11-23T10:00:00)', '09:00:00', '10:00:30', '10:00:00', undefined],
    ['a single time that is to come', 'at(2026-11-23T10:00:00)', '09:00:00', '09:30:00', undefined, '10:00:00'],
    ['a single time that is done', 'at(2026-11-23T10:00:00)', '10:00:00', '11:00:00', undefined, undefined],
  ])('has %s', (_case, expression, until, now, due, wake) => {
    const plan = planRuns([schedule('s', expression)], marked(expression, until), at(now));
    expect(plan.due.map((run) => run.atMs)).toEqual(due === undefined ? [] : [at(due)]);
    const wakeMs = wake === '26:00:00' ? at('02:00:00') + 86_400_000 : wake && at(wake);
    expect(plan.wakeAtMs).toBe(wakeMs);
    expect(plan.marks.size).toBe(0);
  });

  it('begins a new schedule now, and one whose expression has changed', () => {
    const schedules = [schedule('s', 'rate(1 minute)'), schedule('new', 'rate(1 hour)')];
    const plan = planRuns(schedules, marked('rate(1 day)', '01:00:00'), at('10:30:00'));
    expect(plan.due).toEqual([]);
    expect([...plan.marks]).toEqual([
      ['s', { expression: 'rate(1 minute)', untilMs: at('10:30:00') }],
      ['new', { expression: 'rate(1 hour)', untilMs: at('10:30:00') }],
    ]);
  });

  it('runs a new schedule with a single time that has passed at once', () => {
    const plan = planRuns([schedule('s', 'at(2026-11-23T10:00:00)')], new Map(), at('10:30:00'));
    expect(plan.due.map((run) => run.atMs)).toEqual([at('10:00:00')]);
  });

  it('does not count years of missed minutes one by one', () => {
    const plan = planRuns(
      [schedule('s', 'rate(1 minute)')],
      new Map([['s', { expression: 'rate(1 minute)', untilMs: 0 }]]),
      at('10:00:30'),
    );
    expect(plan.due.map((run) => run.atMs)).toEqual([at('10:00:30')]);
  });
});
