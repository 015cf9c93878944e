import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import type { Schedule, Schedules } from '#ports/schedules.ts';

/** Schedules for one run of the suite; there may be others already. */
export interface SchedulesUnderTest {
  readonly port: Schedules;
  /** Another handle on the same schedules, where that can differ. */
  readonly other?: Schedules | undefined;
  close(): Promise<void>;
}

const SLOW_MS = 60_000;

const good = [
  'rate(1 minute)',
  'rate(5 minutes)',
  'rate(1 hour)',
  'rate(12 hours)',
  'rate(1 day)',
  'rate(7 days)',
  'cron(0 2 * * ? *)',
  'cron(0/15 * * * ? *)',
  'cron(15 10 ? * 6L 2026-2030)',
  'cron(0 18 ? * MON-FRI *)',
  'cron(0 8 1 * ? *)',
  'cron(0 9 L * ? *)',
  'cron(0 9 ? * 2#1 *)',
  'at(2036-11-23T10:00:00)',
];

const bad = [
  '',
  'hourly',
  'rate()',
  'rate(0 minutes)',
  'rate(-1 minutes)',
  'rate(1.5 hours)',
  'rate(2 fortnights)',
  'rate(1 minute',
  'cron(0 2 * * *)',
  'cron(0 2 * * * *)',
  'cron(0 2 1 * 2 *)',
  'cron(61 2 * * ? *)',
  'cron(0 25 * * ? *)',
  'cron(0 2 * 13 ? *)',
  'cron(a b c d e f)',
  'cron(0 2 * * ? * *)',
  'at(2026-11-23)',
  'at(2026-13-23T10:00:00)',
  'at(2026-02-30T10:00:00)',
  'at(tomorrow)',
];

/** What every implementation of Schedules must do. */
export function schedulesContract(name: string, make: () => Promise<SchedulesUnderTest>): void {
  describe(`schedules: ${name}`, () => {
    let store: SchedulesUnderTest;
    let port: Schedules;
    const fresh = () => `contract-${randomUUID().slice(0, 18)}`;
    const find = async (handle: Schedules, ...names: string[]) => (await handle.list()).filter((schedule) => names.includes(schedule.name));
    const made = (schedule: string, more: Partial<Schedule> = {}): Schedule => ({
      name: schedule,
      function: 'storage-compact',
      expression: 'rate(1 hour)',
      ...more,
    });
    beforeAll(async () => {
      store = await make();
      port = store.port;
    });
    afterAll(async () => {
      if (!store) return;
      for (const schedule of await port.list()) if (schedule.name.startsWith('contract-')) await port.delete(schedule.name);
      await store.close();
    });

    it('lists what was put, as it was put', async () => {
      const one = made(fresh(), { input: { tenant: 'a', deep: { list: [1, 'x', null, true] }, text: '\u00e4 "' } });
      const two = made(fresh());
      await port.put(one);
      await port.put(two);
      const found = await find(store.other ?? port, one.name, two.name);
      expect(found).toHaveLength(2);
      expect(found).toEqual(expect.arrayContaining([one, two]));
    });

    it('replaces by name', async () => {
      const schedule = made(fresh(), { input: { n: 1 } });
      await port.put(schedule);
      const changed = made(schedule.name, { function: 'storage-expire', expression: 'cron(0 2 * * ? *)' });
      await (store.other ?? port).put(changed);
      expect(await find(port, schedule.name)).toEqual([changed]);
    });

    it('deletes, and deletes nothing without complaint', async () => {
      const schedule = made(fresh());
      await port.put(schedule);
      await port.delete(schedule.name);
      await port.delete(schedule.name);
      expect(await find(port, schedule.name)).toEqual([]);
    });

    it(
      'takes every form of expression',
      async () => {
        for (const expression of good) {
          const schedule = made(fresh(), { expression });
          await port.put(schedule);
          expect(await find(port, schedule.name)).toEqual([schedule]);
          await port.delete(schedule.name);
        }
      },
      SLOW_MS,
    );

    it.each(bad)('refuses the expression %j and keeps what was there', async (expression) => {
      const schedule = made(fresh());
      await port.put(schedule);
      await expect(port.put({ ...schedule, expression })).rejects.toMatchObject({ kind: 'input' });
      expect(await find(port, schedule.name)).toEqual([schedule]);
    });

    it.each(['', 'a b', 'a/b', 'a_b.c', '\u00e4', 'n'.repeat(65)])('refuses the name %j', async (bad) => {
      await expect(port.put(made(bad))).rejects.toMatchObject({ kind: 'input' });
    });

    it(
      'takes concurrent puts of one name and of many',
      async () => {
        const one = fresh();
        const many = Array.from({ length: 30 }, fresh);
        await mapConcurrent([...many, ...many.map(() => one)], 10, (schedule, i) => port.put(made(schedule, { input: { i } })));
        expect(await find(port, one)).toHaveLength(1);
        expect(await find(port, ...many)).toHaveLength(30);
      },
      SLOW_MS,
    );
  });
}
