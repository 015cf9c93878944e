import { describe, expect, it } from 'vitest';
import { BackupsFile } from '#backups/jobs/backups-file.ts';
import type { Job } from '#backups/jobs/job.ts';
import { listJobs, readJob } from '#backups/jobs/job-store.ts';
import { planJob } from '#backups/jobs/plan-job.ts';
import { type Performed, type RunJobsDeps, runJobs } from '#backups/jobs/run-jobs.ts';
import { OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';

const START = Date.parse('2026-11-27T12:10:00Z');
const hourly: Job = { kind: 'snapshot', name: 'orders', schedule: 'rate(1 hour)' };

describe('a job', () => {
  const known = { expression: 'rate(1 hour)', untilMs: START };

  it.each([
    ['that is new waits for its next time', undefined, START, 'none'],
    ['is not due before its time', known, START + 49 * MINUTE_MS, 'none'],
    ['is due at its time', known, START + 50 * MINUTE_MS, 'start'],
    ['that missed some times is due once', known, START + 10 * HOUR_MS, 'start'],
    ['of another schedule waits anew', { ...known, expression: 'rate(2 hours)' }, START + 10 * HOUR_MS, 'none'],
    [
      'is gone on with before it begins again',
      { ...known, run: { id: 'r', startedAtMs: 0, attempts: 0, nextMs: START } },
      START,
      'continue',
    ],
    ['is not tried again too soon', { ...known, run: { id: 'r', startedAtMs: 0, attempts: 1, nextMs: START + 1 } }, START, 'none'],
  ] as const)('%s', (_, state, nowMs, action) => {
    expect(planJob(hourly, state, nowMs).action).toBe(action);
  });

  it('is begun when somebody asks, and is due at its time all the same', () => {
    const { action, state } = planJob(hourly, known, START + MINUTE_MS, true);
    expect([action, state.untilMs]).toEqual(['start', START]);
  });
});

let ids = 0;
function createRunner(table: Table, perform: RunJobsDeps['perform']) {
  const clock = { nowMs: START };
  const deps: RunJobsDeps = {
    ...{ table, now: () => clock.nowMs, newId: () => `id${++ids}`, perform },
    eventsOf: ({ name }, { id, ok }) => [
      {
        source: 'quarterdeck.backups',
        detailType: ok ? 'Done' : 'Failed',
        detail: { id, name, tenant: 'default', at: '2026-11-27T12:10:00.000Z' },
      },
    ],
  };
  return { clock, deps, run: (asked?: string) => runJobs(deps, [hourly], asked) };
}

const done: Performed = { state: 'done', ok: true, sentence: 'fine', result: { bytes: 1 } };
const outboxOf = async (table: Table) =>
  (await table.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)).detailType);

describe('running jobs', () => {
  it('begins what is due, goes on over several calls, and tells of the end once', async () => {
    const table = createMemoryTable();
    const seen: unknown[] = [];
    const { run } = createRunner(table, async (_, { progress }) => {
      seen.push(progress);
      return seen.length < 3 ? { state: 'continued', progress: seen.length } : done;
    });
    expect(await run()).toEqual([]);
    expect((await run('orders'))[0]).toMatchObject({ state: 'continued' });
    expect((await run())[0]).toMatchObject({ state: 'continued' });
    expect((await run())[0]).toMatchObject({ state: 'done', sentence: 'fine' });
    expect(await run()).toEqual([]);
    expect(seen).toEqual([undefined, 1, 2]);
    expect(await outboxOf(table)).toEqual(['Done']);
    expect((await listJobs(table, 'snapshot')).get('orders')).toMatchObject({
      last: { ok: true, result: { bytes: 1 } },
      lastGoodMs: START,
    });
  });

  it('tries again later what may go away, and gives up in the end', async () => {
    const table = createMemoryTable();
    const { run, clock } = createRunner(table, async () => {
      throw new OpsError('unavailable', 'the store does not answer');
    });
    const states: string[] = [];
    await run('orders');
    for (let minutes = 0; minutes < 600 && !states.includes('failed'); minutes += 5) {
      clock.nowMs += 5 * MINUTE_MS;
      states.push(...(await run()).map(({ state }) => state));
    }
    expect(states).toEqual([...Array(6).fill('continued'), 'failed']);
    expect(await outboxOf(table)).toEqual(['Failed']);
  });

  it('does not try again what stays wrong', async () => {
    const table = createMemoryTable();
    const { run } = createRunner(table, async () => {
      throw new OpsError('denied', 'no');
    });
    expect((await run('orders'))[0]).toMatchObject({ state: 'failed', sentence: 'no' });
  });

  it('is done once by two processes at once', async () => {
    const table = createMemoryTable();
    let performed = 0;
    const perform = async () => {
      performed++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return done;
    };
    const results = await Promise.all([createRunner(table, perform).run('orders'), createRunner(table, perform).run('orders')]);
    expect([
      performed,
      results
        .flat()
        .map(({ state }) => state)
        .sort(),
    ]).toEqual([1, ['busy', 'done']]);
  });

  it('ends the same run after any one fault, told of once', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number <= 8; number++) {
        const table = createMemoryTable();
        const broken = faulty({ table }, faultAt(number, fault));
        await createRunner(broken.ports.table, async () => done)
          .run('orders')
          .catch(() => undefined);
        await broken.settle();
        const { run, clock, deps } = createRunner(table, async () => done);
        clock.nowMs += HOUR_MS; // the lease of the one that died is over
        const { state } = await readJob(table, hourly);
        if (!state?.last) await runJobs(deps, [hourly], 'orders');
        else await run();
        expect(await outboxOf(table), `${fault} at ${number}`).toContain('Done');
        expect((await readJob(table, hourly)).state?.run, `${fault} at ${number}`).toBeUndefined();
      }
    }
  });
});

describe('backups.yaml', () => {
  const main = { main: { at: 's3://acme-backups/main' } };
  const orders = { name: 'orders', source: 'dynamodb:orders', repository: 'main', schedule: 'rate(1 hour)' };
  const problemsOf = (file: unknown) =>
    BackupsFile.safeParse(file).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

  it('takes repositories, backups and drills, with defaults', () => {
    const file = BackupsFile.parse({
      repositories: main,
      backups: [orders],
      drills: [{ name: 'd', backup: 'orders', schedule: 'rate(7 days)' }],
    });
    expect(file.backups[0]).toMatchObject({ kind: 'incremental', copyTo: [] });
    expect(file.drills[0]).toMatchObject({ pick: 'latest', timeout: 6 * HOUR_MS });
  });

  it.each([
    ['a repository that is not there', { repositories: main, backups: [{ ...orders, repository: 'x' }] }, /no repository of this file/],
    ['a copy to itself', { repositories: main, backups: [{ ...orders, copyTo: ['main'] }] }, /where it is already/],
    ['two of one name', { repositories: main, backups: [orders, orders] }, /name of two backups/],
    ['a schedule that is none', { repositories: main, backups: [{ ...orders, schedule: 'daily' }] }, /not a schedule expression/],
    ['a source that is none', { repositories: main, backups: [{ ...orders, source: 'ftp:x' }] }, /takes a folder/],
    ['a table as a repository', { repositories: { main: { at: 'dynamodb:orders' } } }, /takes a folder or s3/],
    ['a drill of nothing', { drills: [{ name: 'd', backup: 'x', schedule: 'rate(1 day)' }] }, /no backup of this file/],
    ['a field that is none', { repos: {} }, /accepted: repositories, backups, drills/],
  ])('refuses %s', (_, file, message) => {
    expect(problemsOf(file).join('\n')).toMatch(message);
  });
});
