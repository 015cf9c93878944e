import { describe, expect, it } from 'vitest';
import { checkRepository, parseSubset } from '#backups/check/check-repository.ts';
import { type Bench, backUp, createBench, file, noise, type Things } from './kit.ts';

const things = (): Things =>
  new Map([
    ['a', {}],
    ['a/noise', file(noise(1_500, 1))],
    ['a/text', file('words and words '.repeat(80))],
    ['tiny', file('x')],
  ]);

async function smallRepository(): Promise<Bench> {
  const bench = await createBench();
  await backUp(bench, things());
  return bench;
}

const check = ({ repository }: Bench) => checkRepository({ repository, data: 'all' });

/** The store with one object changed or, undefined, lost. */
async function damage({ blobs }: Bench, key: string, change: (body: Buffer) => Buffer | undefined): Promise<() => Promise<void>> {
  const { body } = blobs.stored.get(key)!;
  const changed = change(Buffer.from(body));
  await blobs.delete([key]);
  if (changed) await blobs.put(key, changed);
  return async () => {
    await blobs.delete([key]);
    await blobs.put(key, body);
  };
}

describe('check', () => {
  it('finds nothing wrong with a sound repository', async () => {
    expect(await check(await smallRepository())).toMatchObject({ problems: [], notes: [], snapshots: 1 });
  });

  it('finds every flipped bit, whatever object it is in', async () => {
    const bench = await smallRepository();
    const missed: string[] = [];
    let flips = 0;
    for (const [key, { body }] of [...bench.blobs.stored]) {
      // Every bit of the heads and ends, where the lengths and marks are, and one bit of every third byte between.
      for (let at = 0; at < body.length; at++) {
        const bits = at < 24 || at >= body.length - 24 ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8];
        if (bits.length === 1 && at % 3 !== 0) continue;
        for (const bit of bits) {
          const undo = await damage(bench, key, (bytes) => {
            bytes[at] ^= 1 << bit;
            return bytes;
          });
          flips++;
          if ((await check(bench)).problems.length === 0) missed.push(`${key} byte ${at} bit ${bit}`);
          await undo();
        }
      }
    }
    expect(missed).toEqual([]);
    expect(flips).toBeGreaterThan(3_000);
    expect((await check(bench)).problems).toEqual([]);
  }, 240_000);

  it('finds every object that is lost', async () => {
    const bench = await smallRepository();
    for (const key of [...bench.blobs.stored.keys()].filter((name) => !name.startsWith('snapshots/'))) {
      const undo = await damage(bench, key, () => undefined);
      expect((await check(bench)).problems, key).not.toEqual([]);
      await undo();
    }
  });

  it.each([
    ['cut short', (body: Buffer) => body.subarray(0, body.length - 1)],
    ['longer than it was', (body: Buffer) => Buffer.concat([body, Buffer.of(0)])],
    ['empty', () => Buffer.alloc(0)],
  ])('finds every object that is %s', async (_, change) => {
    const bench = await smallRepository();
    for (const key of [...bench.blobs.stored.keys()]) {
      const undo = await damage(bench, key, change);
      expect((await check(bench)).problems, key).not.toEqual([]);
      await undo();
    }
  });

  it('finds objects that have changed places', async () => {
    const bench = await createBench();
    await backUp(bench, things());
    await backUp(bench, things().set('b', file(noise(3_000, 5))));
    for (const prefix of ['snapshots/', 'index/', 'packs/']) {
      const [one, other] = [...bench.blobs.stored.keys()].filter((key) => key.startsWith(prefix));
      const theirs = Buffer.from(bench.blobs.stored.get(other)!.body);
      const undo = await damage(bench, one, () => theirs);
      expect((await check(bench)).problems, prefix).not.toEqual([]);
      await undo();
    }
  });

  it('names what refers to a lost chunk by its path, without reading content', async () => {
    const bench = await smallRepository();
    const [pack] = [...bench.blobs.stored.keys()].filter((key) => key.startsWith('packs/'));
    await bench.blobs.delete([pack]);
    const { problems, readPacks } = await checkRepository({ repository: bench.repository });
    expect(readPacks).toBe(0);
    expect(problems.map(({ object }) => object)).toContainEqual(expect.stringMatching(/^snapshots\/[0-9a-f]{32}: a\/(noise|text)$/));
  });

  it('reads every pack once in the course of all parts', async () => {
    const bench = await createBench();
    await backUp(bench, new Map([['large', file(noise(60_000, 1))]]));
    const parts = await Promise.all([1, 2, 3].map((part) => checkRepository({ repository: bench.repository, data: { part, of: 3 } })));
    expect(parts.reduce((sum, { readPacks }) => sum + readPacks, 0)).toBe(parts[0].packs);
    expect(parts.every(({ readPacks }) => readPacks > 0)).toBe(true);
  });

  it.each(['0/7', '8/7', '1', 'x/y', '1/0'])('refuses %s as a part', (text) => {
    expect(() => parseSubset(text)).toThrow(/no part of the data/);
  });
});
