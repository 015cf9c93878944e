import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { browseFolder } from '#backups/browse/browse-folder.ts';
import { diffSnapshots, pageDifferences } from '#backups/browse/diff-snapshots.ts';
import { openEntryCursor } from '#backups/browse/entry-cursor.ts';
import { listEntries } from '#backups/browse/list-entries.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import { backUp, createBench, file, type Things } from './kit.ts';

const name = fc.constantFrom('a', 'b', 'a-', 'a0', 'a.c', 'ä', '\u{10000}', '\uffff', '0', '-');
const paths = fc.uniqueArray(
  fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
  { maxLength: 150 },
);
/** So much said of each that a few make a chunk. */
const meta = { said: 'x'.repeat(12_000) };
/** Some folders are told of, some are implied by what is in them; nothing lies in a file. */
const asThings = (list: readonly string[]): Things =>
  new Map(list.map((path) => [path, list.some((other) => other.startsWith(`${path}/`)) ? { meta } : file(path, meta)]));

/** Counts the chunks that are read. */
function counting(reader: ChunkReader) {
  const counted = { chunks: 0 };
  const read: ChunkReader['read'] = (ids) => {
    counted.chunks += ids.length;
    return reader.read(ids);
  };
  return { reader: { read }, counted };
}

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('a cursor', () => {
  it('finds the first entry that is not before any path', async () => {
    await fc.assert(
      fc.asyncProperty(
        paths,
        fc.array(
          name.chain((first) => name.map((rest) => `${first}/${rest}`)),
          { maxLength: 20 },
        ),
        async (list, sought) => {
          const bench = await createBench();
          const snapshot = await backUp(bench, asThings(list));
          const cursor = await openEntryCursor(createChunkReader(bench.repository), snapshot.entries);
          const all = (await gather(listEntries(bench.repository, snapshot))).map(({ path }) => path);
          for (const path of [...sought, ...list.slice(0, 10), '']) {
            await cursor.seek(path);
            const index = all.findIndex((each) => comparePaths(each, path) >= 0);
            const found = [await cursor.next(), await cursor.next()].map((entry) => entry?.path);
            expect(found).toEqual(index < 0 ? [undefined, undefined] : [all[index], all[index + 1]]);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a folder of a snapshot', () => {
  it('has in its pages what lies in it, once, however long they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        paths,
        fc.constantFrom('', 'a', 'a/b'),
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (list, path, isRecursive, limit) => {
          const bench = await createBench();
          const snapshot = await backUp(bench, asThings(list));
          const reader = createChunkReader(bench.repository);
          const base = path === '' ? '' : `${path}/`;
          const below = list.filter((each) => each.startsWith(base));
          const levels = below.map((each) => base + each.slice(base.length).split('/', 1)[0]);
          const expected = [...new Set(isRecursive ? below : levels)].sort(comparePaths);
          const seen: string[] = [];
          for (let from: string | undefined; ; ) {
            const page = await browseFolder(reader, snapshot, { path, isRecursive, from, limit }).catch(() => undefined);
            if (!page) break;
            expect(page.entries.length).toBeLessThanOrEqual(limit);
            seen.push(...page.entries.map((entry) => entry.path));
            from = page.next;
            if (from === undefined) break;
          }
          expect(seen.sort(comparePaths)).toEqual(expected);
          expect(new Set(seen).size).toBe(seen.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is listed without reading what lies deeper', async () => {
    const bench = await createBench();
    const things: Things = new Map([['a', {}]]);
    for (let i = 0; i < 300; i++) things.set(`a/${String(i).padStart(5, '0')}`, file('', { said: 'x'.repeat(200_000) }));
    things.set('b', file('b'));
    const snapshot = await backUp(bench, things);
    const all = counting(createChunkReader(bench.repository));
    const input = { path: '', limit: 5_000 };
    await browseFolder(all.reader, snapshot, { ...input, isRecursive: true });
    const level = counting(createChunkReader(bench.repository));
    const { entries } = await browseFolder(level.reader, snapshot, { ...input, isRecursive: false });
    expect(entries.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(level.counted.chunks).toBeLessThan(all.counted.chunks / 4);
  });
});

describe('differences in pages', () => {
  it('are those of the whole, also where a page compares few and finds none', async () => {
    await fc.assert(
      fc.asyncProperty(
        paths,
        paths,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        async (olds, news, limit, maxCompared) => {
          const bench = await createBench();
          const [from, to] = [await backUp(bench, asThings(olds)), await backUp(bench, asThings(news))];
          const whole = await gather(diffSnapshots(bench.repository, from, to));
          const reader = createChunkReader(bench.repository);
          const paged: typeof whole = [];
          for (let start: string | undefined; ; ) {
            const page = await pageDifferences(reader, { from, to }, { start, limit, maxCompared });
            paged.push(...page.differences);
            start = page.next;
            if (start === undefined) break;
          }
          expect(paged).toEqual(whole);
        },
      ),
      { numRuns: 30 },
    );
  });
});
