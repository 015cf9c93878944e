import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureChanges } from '#aws/backup/capture-changes.ts';
import { type ChangeLogDeps, coverageOf, planLogPruning, pruneChangeLog, readMarks } from '#aws/backup/change-log.ts';
import type { Change, ChangeStream } from '#aws/backup/change-stream.ts';
import { replayChanges } from '#aws/backup/replay-changes.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { endOfSecond, type Seal } from '#ports/change-log.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryStream, type MemoryStream } from './memory-stream.ts';
import { quickRetry } from './table-fixtures.ts';

const START_MS = Date.UTC(2026, 10, 1);

/** Not secret, but bound to its place. */
const seal: Seal = {
  seal: async (plain, key) => Buffer.concat([Buffer.from(`${key}\n`), plain]),
  async open(sealed, key) {
    const buffer = Buffer.from(sealed);
    const end = buffer.indexOf(10);
    if (buffer.toString('utf8', 0, end) !== key) throw new OpsError('denied', `${key} was sealed elsewhere`);
    return buffer.subarray(end + 1);
  },
};

/** A table, its stream and its log, under a clock of their own. */
function createWorld(options: Parameters<typeof createMemoryStream>[1] = {}) {
  const world = {
    nowMs: START_MS,
    stream: createMemoryStream('stream-1', options) as MemoryStream,
    history: [] as { atMs: number; key: string; item: string | undefined }[],
  };
  const blobs = createMemoryBlobs({ clock: () => world.nowMs });
  const log: ChangeLogDeps = { blobs, seal, name: 'orders', retry: quickRetry };
  const write = (key: string, item: string | undefined) => {
    const line = (text: string) => `{"k":{"S":${JSON.stringify(text)}}}`;
    world.history.push({ atMs: world.nowMs, key: line(key), item: item === undefined ? undefined : line(item) });
    world.stream.write(line(key), item === undefined ? undefined : line(item), world.nowMs);
  };
  const capture = (more: { log?: ChangeLogDeps; stream?: ChangeStream; deadlineMs?: number; partBytes?: number } = {}) =>
    captureChanges(
      {
        stream: more.stream ?? world.stream,
        log: more.log ?? log,
        clock: () => world.nowMs,
        sleep: async () => undefined,
        settleMs: 0,
      },
      more,
    );
  /** The table before an instant. */
  const stateAt = (atMs: number) => {
    const state = new Map<string, string>();
    for (const { key, item } of world.history.filter((change) => change.atMs < atMs)) {
      if (item === undefined) state.delete(key);
      else state.set(key, item);
    }
    return state;
  };
  const replayOnto = async (base: ReadonlyMap<string, string>, input: Parameters<typeof replayChanges>[2]) => {
    const state = new Map(base);
    const summary = await replayChanges(log, async (changes) => applyTo(state, changes), input);
    return { state, summary };
  };
  return { world, blobs, log, write, capture, stateAt, replayOnto };
}

function applyTo(state: Map<string, string>, changes: readonly Change[]): void {
  expect(new Set(changes.map(({ key }) => key)).size).toBe(changes.length);
  for (const { key, item } of changes) {
    if (item === undefined) state.delete(key);
    else state.set(key, item);
  }
}

const sorted = (state: ReadonlyMap<string, string>) => [...state].sort();

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      value: fc.option(fc.string()),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1_700 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('capture' as const), partBytes: fc.constantFrom(1, 200, 10_000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('split' as const) }) },
);
const streamOptions = fc.record({
  pageSize: fc.integer({ min: 1, max: 5 }),
  expireEvery: fc.constantFrom(0, 3, 7),
  emptyEvery: fc.constantFrom(0, 2, 5),
});

describe('a change log', () => {
  it('restores any second to the table of that second, from a base of any instant or a fuzzy one', async () => {
    await fc.assert(
      fc.asyncProperty(
        streamOptions,
        fc.array(step, { maxLength: 60 }),
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        async (options, before, after, dice) => {
          const { world, write, capture, stateAt, replayOnto } = createWorld(options);
          const run = async (steps: typeof before) => {
            for (const given of steps) {
              if (given.op === 'write') write(given.key, given.value ?? undefined);
              else if (given.op === 'wait') world.nowMs += given.ms;
              else if (given.op === 'split') world.stream.split(world.nowMs);
              else await capture({ partBytes: given.partBytes });
            }
          };
          await capture();
          const startedMs = world.nowMs;
          await run(before);
          const endedMs = world.nowMs;
          await run(after);
          world.nowMs += 1_000;
          await capture();
          // Each item as at some instant of the scan.
          const fuzzy = new Map<string, string>();
          for (const key of new Set(world.history.map((change) => change.key))) {
            const readMs = startedMs + ((dice.next().value as number) % (endedMs - startedMs + 1));
            const item = stateAt(readMs + 1).get(key);
            if (item !== undefined) fuzzy.set(key, item);
          }
          const momentMs = Math.floor(endedMs / 1_000) * 1_000;
          for (let toMs = endOfSecond(endedMs); toMs <= world.nowMs; toMs += 1_000) {
            expect(sorted((await replayOnto(fuzzy, { fromMs: startedMs, toMs })).state)).toEqual(sorted(stateAt(toMs)));
            if (momentMs < startedMs) continue;
            expect(sorted((await replayOnto(stateAt(momentMs), { fromMs: momentMs, toMs })).state)).toEqual(sorted(stateAt(toMs)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has each change once, whoever captures at the same time', async () => {
    const { world, write, capture, stateAt, replayOnto, log } = createWorld();
    await capture();
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) write(`k${i % 7}`, `${round}/${i}`);
      world.nowMs += 3_000;
      if (round === 2) world.stream.split(world.nowMs);
      await Promise.all([capture({ partBytes: 100 }), capture({ partBytes: 300 }), capture()]);
    }
    const { state, summary } = await replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs });
    expect(sorted(state)).toEqual(sorted(stateAt(world.nowMs)));
    expect(summary).toEqual({ changes: 100, gaps: [] });
    expect(coverageOf(await readMarks(log)).stretches).toEqual([{ fromMs: START_MS, untilMs: world.nowMs }]);
  });

  it('is whole after any fault of the store at any call, once a capture has gone through', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number < 14; number++) {
        const { world, blobs, log, write, capture, stateAt, replayOnto } = createWorld();
        await capture();
        for (let i = 0; i < 8; i++) write(`k${i % 3}`, String(i));
        world.stream.split(world.nowMs);
        for (let i = 0; i < 8; i++) write(`k${i % 5}`, String(10 + i));
        world.nowMs += 2_000;
        const { ports, settle } = faulty({ blobs }, faultAt(number, fault));
        await capture({ log: { ...log, blobs: ports.blobs, retry: { ...quickRetry, attempts: 1 } }, partBytes: 60 }).catch(() => undefined);
        await settle();
        await capture();
        const { state, summary } = await replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs });
        expect(sorted(state)).toEqual(sorted(stateAt(world.nowMs)));
        expect(summary.changes).toBe(16);
      }
    }
  });

  it('goes on where a deadline stopped it, and calls nothing whole before', async () => {
    const { world, write, capture, log, stateAt, replayOnto } = createWorld();
    await capture();
    for (let i = 0; i < 30; i++) write(`k${i}`, 'x');
    world.nowMs += 1_000;
    const first = await capture({ deadlineMs: START_MS, partBytes: 50 });
    expect(first.mark).toBeUndefined();
    expect(first.changes).toBeGreaterThan(0);
    await expect(replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs })).rejects.toMatchObject({ kind: 'missing' });
    const rest = await capture();
    expect(first.changes + rest.changes).toBe(30);
    expect(sorted((await replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs })).state)).toEqual(sorted(stateAt(world.nowMs)));
    expect(await readMarks(log)).toHaveLength(2);
  });

  describe('tells of a gap', () => {
    const withHole = async (hole: (world: ReturnType<typeof createWorld>) => void) => {
      const made = createWorld();
      const { world, write, capture } = made;
      await capture();
      write('a', '1');
      world.nowMs += MINUTE_MS;
      await capture();
      const lostFromMs = world.nowMs;
      hole(made);
      const { gap } = await capture();
      world.nowMs += 2_000;
      await capture();
      return { ...made, gap, lostFromMs };
    };
    const trimmedDay = ({ world, write }: ReturnType<typeof createWorld>) => {
      for (let hour = 0; hour < 40; hour++) {
        write('a', `at ${hour}`);
        write('b', `at ${hour}`);
        world.nowMs += HOUR_MS;
      }
      world.stream.trim(world.nowMs - DAY_MS);
    };
    const holes: readonly [string, (world: ReturnType<typeof createWorld>) => void][] = [
      ['where changes were trimmed before they were captured', trimmedDay],
      [
        'where whole shards were gone before they were captured',
        (made) => {
          made.world.stream.split(made.world.nowMs);
          made.write('a', 'lost');
          made.world.stream.split(made.world.nowMs);
          made.world.nowMs += 30 * HOUR_MS;
          made.world.stream.trim(made.world.nowMs - DAY_MS);
        },
      ],
      [
        'where the stream was switched off and on',
        ({ world }) => {
          world.nowMs += 10 * MINUTE_MS;
          world.stream = createMemoryStream('stream-2');
        },
      ],
    ];
    it.each(holes)('%s', async (_case, hole) => {
      const { gap, lostFromMs, world, log, write, capture, replayOnto, stateAt } = await withHole(hole);
      expect(gap).toMatchObject({ fromMs: lostFromMs });
      const coverage = coverageOf(await readMarks(log));
      expect(coverage.gaps).toEqual([gap]);
      expect(coverage.rpoMs).toBeGreaterThanOrEqual((gap?.untilMs ?? 0) - lostFromMs);
      await expect(replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs })).rejects.toMatchObject({
        kind: 'conflict',
        hint: expect.stringContaining('gap'),
      });
      const { summary } = await replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs, acceptGaps: true });
      expect(summary.gaps).toEqual([gap]);
      // Before the gap and after it all is well.
      expect(sorted((await replayOnto(new Map(), { fromMs: START_MS, toMs: lostFromMs })).state)).toEqual(sorted(stateAt(lostFromMs)));
      const baseMs = Math.ceil(world.nowMs / 1_000) * 1_000;
      world.nowMs = baseMs;
      write('c', 'later');
      world.nowMs += 5_000;
      await capture();
      const after = await replayOnto(stateAt(baseMs), { fromMs: baseMs, toMs: world.nowMs });
      expect(sorted(after.state)).toEqual(sorted(stateAt(world.nowMs)));
    });

    it('nowhere while captures come in time', async () => {
      const { world, log, write, capture } = createWorld();
      for (let hour = 0; hour < 60; hour++) {
        write(`k${hour % 5}`, String(hour));
        if (hour % 9 === 0) world.stream.split(world.nowMs);
        world.nowMs += HOUR_MS;
        world.stream.trim(world.nowMs - DAY_MS);
        expect((await capture()).gap).toBeUndefined();
      }
      expect(coverageOf(await readMarks(log))).toMatchObject({ gaps: [], rpoMs: HOUR_MS });
    });
  });

  it.each([
    ['before it begins', -10_000, 1_000],
    ['after it ends', 0, 60_000],
  ])('is missing for times %s', async (_case, from, to) => {
    const { world, capture, replayOnto } = createWorld();
    await capture();
    world.nowMs += 10_000;
    await capture();
    const input = { fromMs: START_MS + from, toMs: START_MS + to };
    await expect(replayOnto(new Map(), input)).rejects.toMatchObject({ kind: 'missing', message: expect.stringContaining('2026-11-01') });
  });

  it('restores the same to every moment after its kept base, once it is pruned', async () => {
    const { world, write, capture, log, stateAt, replayOnto } = createWorld();
    await capture();
    let baseMs = 0;
    for (let hour = 0; hour < 200; hour++) {
      write(`k${hour % 6}`, hour % 4 === 0 ? undefined : String(hour));
      if (hour % 7 === 0) world.stream.split(world.nowMs);
      if (hour === 150) baseMs = world.nowMs;
      world.nowMs += HOUR_MS;
      world.stream.trim(world.nowMs - DAY_MS);
      await capture();
    }
    const moments = [baseMs, baseMs + HOUR_MS, baseMs + 20 * HOUR_MS, world.nowMs];
    const results = async () =>
      Promise.all(moments.map(async (toMs) => sorted((await replayOnto(stateAt(baseMs), { fromMs: baseMs, toMs })).state)));
    const before = await results();
    expect(await pruneChangeLog(log, { keepFromMs: baseMs, nowMs: world.nowMs })).toBeGreaterThan(100);
    expect(await results()).toEqual(before);
    expect(before).toEqual(moments.map((toMs) => sorted(stateAt(toMs))));
    // And it goes on.
    write('k1', 'last');
    world.nowMs += 1_000;
    expect(await capture()).toMatchObject({ changes: 1 });
  });

  it('keeps the newest part of a shard for as long as its stream may have it', () => {
    const entry = (key: string, ageMs: number) => ({ key, sizeBytes: 1, modifiedAtMs: START_MS - ageMs });
    const entries = [
      entry('changes/t/parts/s/a/00000000', 5 * DAY_MS),
      entry('changes/t/parts/s/b/00000000', 2 * DAY_MS),
      entry('changes/t/parts/s/b/00000001', 2 * DAY_MS),
    ];
    expect(planLogPruning(entries, START_MS, START_MS)).toEqual(['changes/t/parts/s/a/00000000', 'changes/t/parts/s/b/00000000']);
  });

  it('does not open what was moved', async () => {
    const { world, blobs, write, capture, replayOnto } = createWorld();
    await capture();
    write('a', '1');
    world.nowMs += 1_000;
    await capture();
    const { entries } = await blobs.list('changes/orders/parts/');
    const key = entries[0]?.key ?? '';
    await blobs.put(key.replace('shard-0', 'shard-9'), await blobs.get(key));
    const outcome = await replayOnto(new Map(), { fromMs: START_MS, toMs: world.nowMs }).catch((error: unknown) => error);
    expect(isOpsError(outcome, 'denied')).toBe(true);
  });
});
