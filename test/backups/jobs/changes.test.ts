import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRepository } from '#backups/check/check-repository.ts';
import { createChangeSeal } from '#backups/format/change-seal.ts';
import { snapshotKey } from '#backups/format/layout.ts';
import { BackupsFile } from '#backups/jobs/backups-file.ts';
import { endedEvents } from '#backups/jobs/job-events.ts';
import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { noteCapture, readLogState } from '#backups/jobs/log-state.ts';
import { performCapture } from '#backups/jobs/perform-capture.ts';
import { performForget } from '#backups/jobs/perform-forget.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import type { CaptureReport, ChangeLog, LogCoverage, Seal } from '#ports/change-log.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemorySource } from '#ports/memory/memory-backup-source.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { type Bench, backUp, createBench, file, unlock } from '#test/backups/kit.ts';

const orders = { source: 'dynamodb:orders', repository: 'main', schedule: 'rate(1 hour)', changes: true };
const fileOf = (more: object = {}) =>
  BackupsFile.parse({ repositories: { main: { at: '/repo' } }, backups: [{ name: 'orders', ...orders, ...more }] });
const nothing: LogCoverage = { stretches: [], gaps: [], rpoMs: 0 };

/** A log that reports what it is told to, and what it was asked to prune. */
function createWorld(bench: Bench, more: object = {}) {
  const world = { reports: [] as CaptureReport[], pruned: [] as number[], coverage: nothing, seal: undefined as Seal | undefined };
  const log: ChangeLog = {
    capture: async () => world.reports.shift() ?? { changes: 0, parts: 0, lagMs: 0 },
    coverage: async () => world.coverage,
    assertReaches: async () => undefined,
    replay: async () => ({ changes: 0, gaps: [] }),
    async prune(keepFromMs) {
      world.pruned.push(keepFromMs);
      return 3;
    },
  };
  const refuse = async () => {
    throw new OpsError('input', 'not in this test');
  };
  const places: BackupPlaces = {
    ...{ openSource: refuse, openTarget: refuse, isEmpty: refuse, openScratch: refuse },
    openStore: async () => ({ blobs: bench.blobs }),
    async openChangeLog(_, { seal }) {
      world.seal = seal;
      return log;
    },
  };
  const table = createMemoryTable();
  const { clock, randomBytes } = bench;
  const unlockOf = async () => unlock;
  return {
    world,
    table,
    deps: { ...{ clock, randomBytes, places, table, unlockOf }, file: fileOf(more), host: 'here', tenant: 'default' },
  };
}

const outboxOf = async (table: Table) => (await table.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)));

describe('capturing changes', () => {
  it('is planned each minute for the backups that want it', () => {
    expect(listPlannedJobs(fileOf(), 'capture')).toEqual([{ kind: 'capture', name: 'orders', schedule: 'rate(1 minute)' }]);
    expect(listPlannedJobs(fileOf({ changes: false }), 'capture')).toEqual([]);
  });

  it('is wanted of tables alone', () => {
    const parsed = BackupsFile.safeParse({ ...fileOf(), backups: [{ name: 'b', ...orders, source: 's3://bucket/prefix' }] });
    expect(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
      'backups.0.changes: takes true for dynamodb:TABLE alone',
    ]);
  });

  it('reports the largest gap and how long changes were ever at stake, and tells a gap that is longer than all before', async () => {
    const bench = await createBench();
    const { world, deps, table } = createWorld(bench);
    const capture = async (report: Partial<CaptureReport>) => {
      world.reports.push({ changes: 1, parts: 1, lagMs: 0, ...report });
      const performed = await performCapture(deps, 'orders');
      return (performed as { result: unknown }).result as { rpoMs: number; gaps: unknown[] };
    };
    const t0 = bench.clock();
    expect(await capture({ untilMs: t0 - 10_000 })).toMatchObject({ rpoMs: 0, gaps: [] });
    bench.tick(MINUTE_MS);
    // A minute, and the ten seconds that were not settled.
    expect(await capture({ untilMs: t0 + 50_000, lagMs: 30_000 })).toMatchObject({ rpoMs: 70_000 });
    bench.tick(MINUTE_MS);
    expect(await capture({})).toMatchObject({ rpoMs: 70_000, untilMs: t0 + 50_000 });
    const gap = (minutes: number) => ({ fromMs: t0, untilMs: t0 + minutes * MINUTE_MS });
    for (const minutes of [5, 3, 9]) await capture({ untilMs: t0 + 20 * MINUTE_MS, gap: gap(minutes) });
    expect(await readLogState(table, { repository: 'main', source: 'dynamodb:orders' })).toEqual({
      rpoMs: 9 * MINUTE_MS,
      untilMs: t0 + 20 * MINUTE_MS,
      gaps: [gap(5), gap(3), gap(9)],
    });
    const told = await outboxOf(table);
    expect(told.map(({ detailType, detail }) => [detailType, Date.parse(detail.until) - Date.parse(detail.from)]).sort()).toEqual([
      ['Changes Missed', 5 * MINUTE_MS],
      ['Changes Missed', 9 * MINUTE_MS],
    ]);
  });

  it('notes a capture once after any one fault', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number <= 4; number++) {
        const table = createMemoryTable();
        const about = { repository: 'main', source: 'dynamodb:orders', backup: 'orders', tenant: 'default' };
        const report = { changes: 1, parts: 1, lagMs: 0, untilMs: 9_000, gap: { fromMs: 1_000, untilMs: 4_000 }, capturedAtMs: 10_000 };
        const broken = faulty({ table }, faultAt(number, fault));
        const note = () => noteCapture(broken.ports.table, about, report);
        const noted = await note().catch(() => undefined);
        await broken.settle();
        if (noted === undefined) await noteCapture(table, about, report);
        expect((await outboxOf(table)).length, `${fault} at ${number}`).toBe(1);
        expect(await readLogState(table, about), `${fault} at ${number}`).toMatchObject({ rpoMs: 3_000, untilMs: 9_000 });
      }
    }
  });

  it('that fails is told once, until it goes well again', () => {
    const job = { kind: 'capture', name: 'orders', schedule: 'rate(1 minute)' } as const;
    const outcome = (ok: boolean) => ({ id: 'r', ok, startedAtMs: 0, endedAtMs: 1, sentence: 'no', result: null });
    const told = (ok: boolean, before?: boolean) =>
      endedEvents(job, outcome(ok), before === undefined ? undefined : outcome(before), 'default').map(({ detailType }) => detailType);
    expect([told(false), told(false, true), told(false, false), told(true), told(true, false)]).toEqual([
      ['Capture Failed'],
      ['Capture Failed'],
      [],
      [],
      [],
    ]);
  });
});

describe('a change log in a repository', () => {
  it('is pruned with the oldest snapshot of its table that is kept, and then known by what it still covers', async () => {
    const bench = await createBench();
    const { world, deps, table } = createWorld(bench, { retention: { last: 2 } });
    const times: string[] = [];
    for (const name of ['dynamodb:orders', 's3://other/source', 'dynamodb:orders', 'dynamodb:orders']) {
      const things = new Map([['items/0', file(`${name}${times.length}`)]]);
      const source = { ...createMemorySource(things), name };
      const { guarantee } = await backUp(bench, things, { source });
      if (name === 'dynamodb:orders') times.push(guarantee.at);
      bench.tick(MINUTE_MS);
    }
    world.coverage = { stretches: [{ fromMs: 1, untilMs: 7 }], gaps: [], rpoMs: 5 };
    expect(await performForget(deps, 'main')).toMatchObject({ ok: true, result: { forgotten: { length: 1 } } });
    expect(world.pruned).toEqual([Date.parse(times[1] as string)]);
    expect(await readLogState(table, { repository: 'main', source: 'dynamodb:orders' })).toEqual({ rpoMs: 5, untilMs: 7, gaps: [] });
  });

  it('stays whole where a snapshot cannot be read, which may need all of it', async () => {
    const bench = await createBench();
    const { world, deps } = createWorld(bench, { retention: { last: 5 } });
    const source = (of: Map<string, ReturnType<typeof file>>) => ({ ...createMemorySource(of), name: 'dynamodb:orders' });
    for (const text of ['first', 'second']) {
      const things = new Map([['items/0', file(text)]]);
      await backUp(bench, things, { source: source(things) });
      bench.tick(MINUTE_MS);
    }
    const [first] = await listSnapshots(bench.repository);
    const key = snapshotKey(first?.id as string);
    const spoilt = Buffer.from(await bench.blobs.get(key));
    spoilt[spoilt.length - 1] = (spoilt.at(-1) as number) ^ 1;
    await bench.blobs.delete([key]);
    await bench.blobs.put(key, spoilt);
    await expect(performForget(deps, 'main')).rejects.toMatchObject({ kind: 'input' });
    expect(world.pruned).toEqual([]);
  });

  it('stays whole where no snapshot of its table is there yet', async () => {
    const { world, deps } = createWorld(await createBench());
    await performForget(deps, 'main');
    expect(world.pruned).toEqual([]);
  });

  it('is left alone by check and prune, which find it no problem', async () => {
    const bench = await createBench();
    await backUp(bench, new Map([['a', file('a'.repeat(5_000))]]));
    const key = 'changes/orders/parts/s/shard/00000000';
    await bench.blobs.put(key, Buffer.from('sealed'));
    expect(await checkRepository({ repository: bench.repository, data: 'all' })).toMatchObject({ problems: [], notes: [] });
    await runPrune(bench, { repository: bench.repository, maxUnusedRatio: 0 });
    expect(Buffer.from(await bench.blobs.get(key)).toString()).toBe('sealed');
  });
});

describe('the seal of a change log', () => {
  it('opens what it sealed for that key, and nothing of which a bit is another', async () => {
    const bench = await createBench();
    const seal = createChangeSeal({ ...bench, secrets: bench.repository.secrets });
    const other = createChangeSeal({ ...bench, secrets: (await createBench(2)).repository.secrets });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.nat(), async (plain, key, dice) => {
        const sealed = await seal.seal(plain, key);
        expect(Buffer.compare(await seal.open(sealed, key), plain)).toBe(0);
        const spoilt = Buffer.from(sealed);
        const at = dice % spoilt.length;
        spoilt[at] = (spoilt[at] as number) ^ (1 << (dice % 8));
        // A version that a newer program could have written is a conflict.
        await expect(seal.open(spoilt, key)).rejects.toMatchObject({ kind: expect.stringMatching(/^(input|conflict)$/) });
        await expect(seal.open(sealed, `${key}x`)).rejects.toMatchObject({ kind: 'input' });
        await expect(other.open(sealed, key)).rejects.toMatchObject({ kind: 'input' });
      }),
    );
    await expect(seal.open(Buffer.from('QD'), 'k')).rejects.toMatchObject({ kind: 'input' });
  });
});
