import { describe, expect, it } from 'vitest';
import { createLocalSchedules } from '#local/local-schedules.ts';
import { createScheduler, type ScheduleFailure, type SchedulerDeps } from '#local/scheduler.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Schedule } from '#ports/schedules.ts';
import { createFakeTime, rest } from './fake-timers.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-23T10:00:30Z');
const schedule = (name: string, expression: string, more: Partial<Schedule> = {}): Schedule => ({
  name,
  function: name,
  expression,
  ...more,
});

function setUp(standing: Schedule[], more: Partial<SchedulerDeps> = {}) {
  const time = createFakeTime(START);
  const table = createMemoryTable();
  const schedules = createLocalSchedules(table);
  const runs: string[] = [];
  const failures: ScheduleFailure[] = [];
  const deps: SchedulerDeps = {
    standing,
    schedules,
    table,
    clock: time.clock,
    timers: time.timers,
    invoke: async (name, event) => void runs.push(`${name} ${String(event.at).slice(11, 19)}`),
    onFailure: (failure) => void failures.push(failure),
    ...more,
  };
  return { deps, time, schedules, runs, failures, scheduler: createScheduler(deps) };
}

/** Something to wait for, and its end. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe('scheduler', () => {
  it('runs standing schedules when they are due, with the time and their input', async () => {
    const events: unknown[] = [];
    const { time, scheduler } = setUp([schedule('a', 'rate(1 minute)', { input: { tenant: 't' } })], {
      invoke: async (_name, event) => void events.push(event),
    });
    await scheduler.start();
    await time.advance(2 * MINUTE);
    expect(events).toEqual([
      { tenant: 't', at: '2026-11-23T10:01:00.000Z' },
      { tenant: 't', at: '2026-11-23T10:02:00.000Z' },
    ]);
    await scheduler.stop();
  });

  it('runs several schedules side by side, each in its own time', async () => {
    const { time, runs, scheduler } = setUp([schedule('a', 'rate(1 minute)'), schedule('b', 'cron(0/2 * * * ? *)')]);
    await scheduler.start();
    await time.advance(4 * MINUTE);
    expect(runs).toEqual(['a 10:01:00', 'a 10:02:00', 'b 10:02:00', 'a 10:03:00', 'a 10:04:00', 'b 10:04:00']);
    await scheduler.stop();
  });

  it('never runs one schedule twice at once, and makes up for missed times with one run', async () => {
    const first = gate();
    const { time, runs, scheduler } = setUp([schedule('slow', 'rate(1 minute)'), schedule('quick', 'rate(2 minutes)')], {
      invoke: async (name, event) => {
        runs.push(`${name} ${String(event.at).slice(14, 19)}`);
        if (name === 'slow') await first.opened;
      },
    });
    await scheduler.start();
    await time.advance(5 * MINUTE + 10_000);
    expect(runs).toEqual(['slow 01:00', 'quick 02:00', 'quick 04:00']);
    first.open();
    await rest();
    expect(runs.slice(3)).toEqual(['slow 05:00']);
    await time.advance(MINUTE);
    expect(runs.slice(4).sort()).toEqual(['quick 06:00', 'slow 06:00']);
    await scheduler.stop();
  });

  it('makes up after a restart for what fell into the pause, once', async () => {
    const { deps, time, runs, scheduler } = setUp([schedule('a', 'rate(1 minute)'), schedule('night', 'cron(0 2 * * ? *)')]);
    await scheduler.start();
    await time.advance(MINUTE);
    await scheduler.stop();
    await time.advance(16 * 60 * MINUTE);
    expect(runs).toEqual(['a 10:01:00']);
    const next = createScheduler(deps);
    await next.start();
    await rest();
    expect(runs.slice(1).sort()).toEqual(['a 02:01:00', 'night 02:00:00']);
    await next.stop();
  });

  it('takes up schedules as they are put, replaced and deleted', async () => {
    const { time, runs, schedules, scheduler } = setUp([]);
    await scheduler.start();
    await schedules.put(schedule('a', 'rate(1 minute)'));
    await time.advance(MINUTE);
    await schedules.put(schedule('a', 'rate(5 minutes)'));
    await time.advance(4 * MINUTE);
    await schedules.delete('a');
    await time.advance(20 * MINUTE);
    expect(runs).toEqual(['a 10:01:00', 'a 10:05:00']);
    await scheduler.stop();
  });

  it('runs a schedule with a single time once, and deletes it', async () => {
    const { deps, time, runs, schedules, scheduler } = setUp([]);
    await scheduler.start();
    await schedules.put(schedule('once', 'at(2026-11-23T10:01:15)'));
    await schedules.put(schedule('past', 'at(2026-11-23T09:00:00)'));
    await time.advance(MINUTE);
    expect(runs).toEqual(['past 09:00:00', 'once 10:01:15']);
    expect(await schedules.list()).toEqual([]);
    await scheduler.stop();
    const next = createScheduler(deps);
    await next.start();
    await time.advance(MINUTE);
    expect(runs).toHaveLength(2);
    await next.stop();
  });

  it('tries a failed run again, gives up, and goes on at the next time', async () => {
    const tries: number[] = [];
    const { time, failures, scheduler } = setUp([schedule('a', 'rate(1 minute)')], {
      invoke: async () => {
        tries.push((time.clock() - START) / 1_000);
        throw new Error('broken');
      },
    });
    await scheduler.start();
    await time.advance(MINUTE);
    expect(tries).toEqual([30, 31, 33]);
    expect(failures.map((failure) => [failure.schedule?.name, (failure.error as Error).message])).toEqual([['a', 'broken']]);
    await time.advance(MINUTE);
    expect(tries).toHaveLength(6);
    await scheduler.stop();
  });

  it('says when it cannot read the schedules, and looks again', async () => {
    let broken = true;
    const { deps, time, runs, failures } = setUp([]);
    const list = () => (broken ? Promise.reject(new Error('no table')) : deps.schedules.list());
    const scheduler = createScheduler({ ...deps, schedules: { ...deps.schedules, list } });
    await scheduler.start();
    await deps.schedules.put(schedule('a', 'rate(1 minute)'));
    await rest();
    broken = false;
    await time.advance(3 * MINUTE);
    expect(failures.every((failure) => failure.schedule === undefined && (failure.error as Error).message === 'no table')).toBe(true);
    expect(failures.length).toBeGreaterThan(0);
    expect(runs.length).toBeGreaterThan(0);
    await scheduler.stop();
  });

  it('stops only when runs under way are done, and starts none after that', async () => {
    const end = gate();
    let stopped = false;
    const { time, runs, scheduler } = setUp([schedule('a', 'rate(1 minute)')], {
      invoke: async () => {
        await end.opened;
        runs.push('done');
      },
    });
    await scheduler.start();
    await time.advance(MINUTE);
    const stopping = scheduler.stop().then(() => {
      stopped = true;
    });
    await time.advance(5 * MINUTE);
    expect([stopped, runs.length]).toEqual([false, 0]);
    end.open();
    await stopping;
    await time.advance(5 * MINUTE);
    expect(runs).toEqual(['done']);
  });

  it('does not wait for the next try of a failed run to stop, and makes that run after the next start', async () => {
    const { deps, time, scheduler } = setUp([schedule('a', 'rate(1 minute)')], { invoke: () => Promise.reject(new Error('broken')) });
    await scheduler.start();
    await time.advance(MINUTE / 2);
    await scheduler.stop();
    const runs: unknown[] = [];
    const next = createScheduler({ ...deps, invoke: async (_name, event) => void runs.push(event.at) });
    await next.start();
    await rest();
    expect(runs).toEqual(['2026-11-23T10:01:00.000Z']);
    await next.stop();
  });

  it('refuses a standing schedule that is malformed', () => {
    expect(() => setUp([schedule('a', 'rate(1 minutes)')])).toThrow('not a schedule expression');
  });
});
