import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffSnapshots } from '#backups/browse/diff-snapshots.ts';
import { listEntries, openEntry } from '#backups/browse/list-entries.ts';
import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { asRestored, backUp, createBench, file, noise, restoreAll, type Things, unlock } from './kit.ts';
import { readRepository } from './second-reader.ts';

/** Names with what is awkward in them: order by bytes and not by UTF-16, bytes that are no UTF-8, spaces, quotes. */
const name = fc.constantFrom('a', 'b', 'a.b', 'a-b', 'ü', '\u{1f600}', '\uffee', '\udc80', ' ', '"', '\n', '__proto__');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 0, max: 30 }).map((seed) => noise(400 * (seed % 8), seed)),
  fc.nat(3_000).map((size) => Buffer.alloc(size)),
);
const thing = fc.oneof(
  content.map((bytes) => file(bytes)),
  fc.record({ mode: fc.nat(0o777) }).map((meta) => ({ kind: 'dir', meta })),
);
const tree = fc.array(fc.tuple(path, thing), { maxLength: 12 }).map((things): Things => new Map(things));
/** Trees that follow each other: some things replaced, some taken away. */
const history = fc.array(fc.tuple(tree, fc.array(path, { maxLength: 4 })), { minLength: 1, maxLength: 4 }).map((steps) => {
  let current: Things = new Map();
  return steps.map(([next, gone]) => {
    current = new Map([...current, ...next]);
    for (const lost of gone) current.delete(lost);
    return current;
  });
});

describe('for any trees, one after the other,', () => {
  it('each snapshot restores to what was backed up, by either reader, and pruning changes none that is kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.constantFrom('full', 'incremental', 'differential', 'snapshot'),
        fc.nat(15),
        async (trees, kind, forgotten) => {
          const bench = await createBench();
          const taken = new Map<string, Things>();
          for (const things of trees) {
            bench.tick(1_000);
            taken.set((await backUp(bench, things, { kind: kind as 'full' })).id, things);
          }
          const snapshots = await listSnapshots(bench.repository);
          const kept = snapshots.filter((_, n) => ((forgotten >> n) & 1) === 0);
          await forgetSnapshots(
            bench.repository,
            snapshots.filter((snapshot) => !kept.includes(snapshot)),
          );
          for (const isPruned of [false, true]) {
            if (isPruned) await runPrune(bench, { repository: bench.repository, maxUnusedRatio: 0 });
            const objects = new Map([...bench.blobs.stored].map(([key, { body }]) => [key, body]));
            const second = readRepository(objects, unlock.passphrase);
            expect(second.size).toBe(kept.length);
            for (const snapshot of kept) {
              const expected = asRestored(taken.get(snapshot.id)!);
              expect(await restoreAll(bench.repository, snapshot)).toEqual(expected);
              expect(second.get(snapshot.id)).toEqual(expected);
            }
          }
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
  }, 300_000);

  it('a diff turns the one into the other', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (one, other) => {
        const bench = await createBench();
        const from = await backUp(bench, one);
        const to = await backUp(bench, other);
        const paths = new Set(one.keys());
        for await (const difference of diffSnapshots(bench.repository, from, to)) {
          if (difference.change === 'added') paths.add(difference.path);
          else if (difference.change === 'removed') paths.delete(difference.path);
          else expect(asRestored(one).get(difference.path)).not.toEqual(asRestored(other).get(difference.path));
        }
        expect(paths).toEqual(new Set(other.keys()));
      }),
      { numRuns: 30, endOnFailure: true },
    );
  }, 60_000);
});

describe('a large file', () => {
  it('goes through lists of chunks, which are the same where it is', async () => {
    const bench = await createBench();
    const bytes = noise(700_000, 1);
    const first = await backUp(bench, new Map([['large', file(bytes)]]));
    const changed = Buffer.concat([Buffer.from('some bytes before'), bytes.subarray(0, 400_000), noise(100, 2), bytes.subarray(400_000)]);
    const things: Things = new Map([['large', file(changed)]]);
    const second = await backUp(bench, things);
    expect(second.counts.newBytes).toBeLessThan(first.counts.newBytes / 3);
    for await (const entry of listEntries(bench.repository, second)) expect(entry.content?.areLists).toBe(true);
    expect(await restoreAll(bench.repository, second)).toEqual(asRestored(things));
    const objects = new Map([...bench.blobs.stored].map(([key, { body }]) => [key, body]));
    expect(readRepository(objects, unlock.passphrase).get(second.id)).toEqual(asRestored(things));
  });
});

describe('a thing in a snapshot', () => {
  it('is read by its path', async () => {
    const bench = await createBench();
    const snapshot = await backUp(bench, new Map([['a', file('content')]]));
    const pieces: Uint8Array[] = [];
    for await (const piece of openEntry(bench.repository, snapshot, 'a')) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('content');
    await expect(openEntry(bench.repository, snapshot, 'b').next()).rejects.toMatchObject({ kind: 'missing' });
  });
});
