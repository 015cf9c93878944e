// biome-ignore-all lint/style/noExcessiveLinesPerFile: one suite, kept whole: what a blob store must do is easier to check against the port when it is in one place.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import type { BlobEntry, Blobs } from '#ports/blobs.ts';

/** A store for one run of the suite; it may hold other things and may be slow. */
export interface BlobsUnderTest {
  readonly port: Blobs;
  /** Another handle on the same store (a second process, a second client), where that can differ. */
  readonly other?: Blobs | undefined;
  close(): Promise<void>;
}

const SLOW_MS = 120_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

async function listAll(port: Blobs, prefix: string, limit?: number): Promise<{ entries: BlobEntry[]; pages: number }> {
  const entries: BlobEntry[] = [];
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await port.list(prefix, { after, limit });
    expect(page.entries.length).toBeLessThanOrEqual(limit ?? 1_000);
    entries.push(...page.entries);
    if (page.next === undefined) return { entries, pages };
    after = page.next;
  }
}

const forbiddenKeys = [
  ['an empty key', ''],
  ['a leading slash', '/a'],
  ['a trailing slash', 'a/'],
  ['a double slash', 'a//b'],
  ['a dot segment', 'a/./b'],
  ['a dot-dot segment', 'a/../b'],
  ['nothing but dots', '..'],
  ['a space', 'a b'],
  ['a letter past ASCII', 'a/\u00e4'],
  ['a backslash', 'a\\b'],
  ['a NUL', 'a\0b'],
  ['a newline at the end', 'a\n'],
  ['a percent sign', 'a%2fb'],
  ['a colon', 'a:b'],
  ['a tilde', 'a~'],
  ['a plus', 'a+b'],
  ['901 characters', 'k'.repeat(901)],
] as const;

/** What every implementation of Blobs must do. */
export function blobsContract(name: string, make: () => Promise<BlobsUnderTest>): void {
  describe(`blobs: ${name}`, () => {
    let store: BlobsUnderTest;
    let port: Blobs;
    const fresh = () => `contract/${randomUUID()}/`;
    beforeAll(async () => {
      store = await make();
      port = store.port;
    });
    afterAll(async () => store?.close());

    it('gives back what was put, byte for byte', async () => {
      const prefix = fresh();
      const body = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) & 255);
      expect(await port.put(`${prefix}a.bin`, body)).toBe('created');
      const back = await port.get(`${prefix}a.bin`);
      expect(Buffer.compare(back, body)).toBe(0);
    });

    it('keeps an object of no bytes', async () => {
      const prefix = fresh();
      await port.put(`${prefix}empty`, new Uint8Array(0));
      expect((await port.get(`${prefix}empty`)).length).toBe(0);
      expect((await port.list(prefix)).entries.map((entry) => entry.sizeBytes)).toEqual([0]);
    });

    it('is not affected by later changes to the bytes put or got', async () => {
      const key = `${fresh()}a`;
      const body = bytes('first');
      await port.put(key, body);
      body.fill(0);
      const got = await port.get(key);
      expect(text(got)).toBe('first');
      got.fill(0);
      expect(text(await port.get(key))).toBe('first');
    });

    it('puts a view into a larger buffer as the view alone', async () => {
      const key = `${fresh()}view`;
      await port.put(key, bytes('0123456789').subarray(3, 6));
      expect(text(await port.get(key))).toBe('345');
    });

    it(
      'keeps an object of 9 MB',
      async () => {
        const key = `${fresh()}large`;
        const body = Buffer.alloc(9_000_000, 'large object ');
        expect(await port.put(key, body)).toBe('created');
        expect(Buffer.compare(await port.get(key), body)).toBe(0);
        expect(text(await port.get(key, { start: 8_999_990, end: 8_999_993 }))).toBe(body.toString('latin1', 8_999_990, 8_999_993));
      },
      SLOW_MS,
    );

    it.each(['standard', 'infrequent', 'archive-instant'] as const)('takes the storage class %s', async (storageClass) => {
      const key = `${fresh()}class`;
      expect(await port.put(key, bytes('x'), { storageClass })).toBe('created');
      expect(text(await port.get(key))).toBe('x');
    });

    it('never overwrites', async () => {
      const key = `${fresh()}a`;
      expect(await port.put(key, bytes('first'))).toBe('created');
      expect(await port.put(key, bytes('second'))).toBe('exists');
      expect(await port.put(key, bytes('first'))).toBe('exists');
      expect(text(await port.get(key))).toBe('first');
    });

    it('creates again what was deleted', async () => {
      const key = `${fresh()}a`;
      await port.put(key, bytes('first'));
      await port.delete([key]);
      expect(await port.put(key, bytes('second'))).toBe('created');
      expect(text(await port.get(key))).toBe('second');
    });

    it(
      'lets exactly one of 64 concurrent puts of one key win',
      async () => {
        const key = `${fresh()}race`;
        const handles = [port, store.other ?? port];
        const bodies = Array.from({ length: 64 }, (_, i) => Buffer.alloc(5_000 + i, `writer ${i} `));
        const outcomes = await Promise.all(bodies.map((body, i) => handles[i % 2].put(key, body)));
        expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(63);
        const winner = bodies[outcomes.indexOf('created')];
        for (const handle of handles) expect(Buffer.compare(await handle.get(key), winner)).toBe(0);
      },
      SLOW_MS,
    );

    it(
      'shows readers all bytes of an object or none',
      async () => {
        const key = `${fresh()}whole`;
        const body = Buffer.alloc(400_000, 'abc');
        let done = false;
        const reader = async () => {
          const sizes = new Set<number>();
          while (!done) {
            await (store.other ?? port).get(key).then(
              (found) => sizes.add(found.length),
              (error: unknown) => expect(error).toMatchObject({ kind: 'missing' }),
            );
          }
          return sizes;
        };
        const reading = reader();
        await port.put(key, body);
        done = true;
        for (const size of await reading) expect(size).toBe(body.length);
        expect((await port.get(key)).length).toBe(body.length);
      },
      SLOW_MS,
    );

    it('says missing for a key that is not there, a folder of keys, and part of a key', async () => {
      const prefix = fresh();
      await port.put(`${prefix}folder/file.txt`, bytes('x'));
      for (const key of ['nothing', 'folder', 'folder/file', 'folder/file.txt/deeper']) {
        await expect(port.get(`${prefix}${key}`)).rejects.toMatchObject({ kind: 'missing' });
        await expect(port.get(`${prefix}${key}`, { start: 0, end: 1 })).rejects.toMatchObject({ kind: 'missing' });
      }
    });

    it.each([
      ['the first byte', 0, 1, '0'],
      ['the middle', 3, 7, '3456'],
      ['the last byte', 9, 10, '9'],
      ['everything', 0, 10, '0123456789'],
      ['more than there is', 8, 5_000, '89'],
    ])('reads a range: %s', async (_case, start, end, expected) => {
      const key = `${fresh()}range`;
      await port.put(key, bytes('0123456789'));
      expect(text(await port.get(key, { start, end }))).toBe(expected);
    });

    it.each([
      ['that starts at the end', 10, 12],
      ['that starts past the end', 11, 12],
      ['of no bytes', 4, 4],
      ['that runs backwards', 5, 4],
      ['before the object', -1, 4],
      ['of half bytes', 0.5, 4],
      ['that is not a number', Number.NaN, 4],
      ['without an end', 0, Number.POSITIVE_INFINITY],
    ])('refuses a range %s', async (_case, start, end) => {
      const key = `${fresh()}range`;
      await port.put(key, bytes('0123456789'));
      await expect(port.get(key, { start, end })).rejects.toMatchObject({ kind: 'input' });
    });

    it.each(forbiddenKeys)('refuses a key with %s', async (_case, key) => {
      await expect(port.put(key, bytes('x'))).rejects.toMatchObject({ kind: 'input' });
      await expect(port.get(key)).rejects.toMatchObject({ kind: 'input' });
      await expect(port.delete([key])).rejects.toMatchObject({ kind: 'input' });
    });

    it(
      'takes keys of every permitted character and of 900 characters, in segments of any length',
      async () => {
        const prefix = fresh();
        const odd = ['A-Z_a-z.0!*', "quote'(paren)=x", '...', '.hidden', 'tmp/.tmp', 'CON', '-', 'a=b/c=d.parquet', 'x.parquet/y.parquet'];
        const long = [900, 899, 300, 256, 255, 241, 240].map((length) => 'n'.repeat(length - prefix.length - 2));
        const keys = [...odd, ...long, ...long.map((key) => `${key}/x`.slice(0, 900 - prefix.length))].map((key) => `${prefix}${key}`);
        for (const key of new Set(keys)) expect(await port.put(key, bytes(key))).toBe('created');
        for (const key of new Set(keys)) expect(text(await port.get(key))).toBe(key);
        const { entries } = await listAll(port, prefix);
        expect(entries.map((entry) => entry.key)).toEqual([...new Set(keys)].sort());
        await port.delete(keys);
        expect((await port.list(prefix)).entries).toEqual([]);
      },
      SLOW_MS,
    );

    it('keeps a key and keys below it apart', async () => {
      const prefix = fresh();
      for (const key of ['a', 'a/b', 'a/b/c', 'x.parquet', 'x.parquet/b']) await port.put(`${prefix}${key}`, bytes(key));
      expect(text(await port.get(`${prefix}a`))).toBe('a');
      await port.delete([`${prefix}a`]);
      expect(text(await port.get(`${prefix}a/b`))).toBe('a/b');
      await port.delete([`${prefix}a/b`]);
      expect(text(await port.get(`${prefix}a/b/c`))).toBe('a/b/c');
    });

    it('lists in byte order, with sizes and times', async () => {
      const prefix = fresh();
      const keys = [
        'a',
        'a/b',
        'a!b',
        'a-b',
        'a.b',
        'a0',
        'A',
        'Z/z',
        'a/b/c',
        'a/b-c',
        'a/b.c',
        'a/b0',
        '_',
        "a'",
        'a=1/x',
        'a=1',
        'a=1.x',
      ];
      await mapConcurrent(keys, 8, (key) => port.put(`${prefix}${key}`, bytes(key)));
      const { entries } = await listAll(port, prefix);
      expect(entries.map((entry) => entry.key)).toEqual(keys.map((key) => `${prefix}${key}`).sort());
      for (const entry of entries) {
        expect(entry.sizeBytes).toBe(entry.key.length - prefix.length);
        expect(entry.modifiedAtMs).toBeGreaterThan(0);
      }
    });

    it('takes the prefix as a plain string', async () => {
      const prefix = fresh();
      for (const key of ['a', 'a/b', 'a/bc', 'a/bc/d', 'a/c', 'ab']) await port.put(`${prefix}${key}`, bytes('x'));
      const found = async (start: string) =>
        (await listAll(port, `${prefix}${start}`)).entries.map((entry) => entry.key.slice(prefix.length));
      expect(await found('a/b')).toEqual(['a/b', 'a/bc', 'a/bc/d']);
      expect(await found('a/')).toEqual(['a/b', 'a/bc', 'a/bc/d', 'a/c']);
      expect(await found('a')).toEqual(['a', 'a/b', 'a/bc', 'a/bc/d', 'a/c', 'ab']);
      expect(await found('a/bc/d')).toEqual(['a/bc/d']);
      expect(await found('a/bc/de')).toEqual([]);
      expect(await found('b/c/d')).toEqual([]);
    });

    it('goes on after any key, be it there or not', async () => {
      const prefix = fresh();
      for (const key of ['a', 'b/1', 'b/2', 'c']) await port.put(`${prefix}${key}`, bytes('x'));
      const from = async (key: string) => {
        const page = await port.list(prefix, { after: `${prefix}${key}` });
        return page.entries.map((entry) => entry.key.slice(prefix.length));
      };
      expect(await from('a')).toEqual(['b/1', 'b/2', 'c']);
      expect(await from('b')).toEqual(['b/1', 'b/2', 'c']);
      expect(await from('b/1')).toEqual(['b/2', 'c']);
      expect(await from('b/11')).toEqual(['b/2', 'c']);
      expect(await from('b0')).toEqual(['c']);
      expect(await from('c')).toEqual([]);
    });

    it('refuses a page of no entries', async () => {
      await expect(port.list(fresh(), { limit: 0 })).rejects.toMatchObject({ kind: 'input' });
    });

    it(
      'pages through more than 1,000 keys, each once and in order, then deletes them all in one call',
      async () => {
        const prefix = fresh();
        const keys = Array.from({ length: 1_100 }, (_, i) => `${prefix}${i % 7}/${i.toString(36)}.seg`);
        await mapConcurrent(keys, 32, (key) => port.put(key, bytes(key)));
        const sorted = [...keys].sort();
        const whole = await listAll(port, prefix);
        expect(whole.entries.map((entry) => entry.key)).toEqual(sorted);
        expect(whole.pages).toBeGreaterThan(1);
        const small = await listAll(port, prefix, 97);
        expect(small.entries.map((entry) => entry.key)).toEqual(sorted);
        expect(small.pages).toBeGreaterThanOrEqual(12);
        expect((await port.list(prefix, { limit: 5_000 })).entries.length).toBeLessThanOrEqual(1_000);
        await port.delete([`${prefix}never-there`, ...keys]);
        expect((await port.list(prefix)).entries).toEqual([]);
      },
      SLOW_MS,
    );

    it('sees a put and a delete in the next list', async () => {
      const prefix = fresh();
      const handles = [port, store.other ?? port];
      for (let i = 0; i < 10; i++) {
        await handles[i % 2].put(`${prefix}${i}`, bytes('x'));
        expect((await handles[(i + 1) % 2].list(prefix)).entries).toHaveLength(1);
        await handles[(i + 1) % 2].delete([`${prefix}${i}`]);
        expect((await handles[i % 2].list(prefix)).entries).toHaveLength(0);
      }
    });

    it('deletes what is there and counts what is not as deleted', async () => {
      const prefix = fresh();
      await port.put(`${prefix}a`, bytes('x'));
      await port.put(`${prefix}keep`, bytes('x'));
      await port.delete([]);
      await port.delete([`${prefix}none`, `${prefix}a`, `${prefix}deep/none`]);
      await expect(port.get(`${prefix}a`)).rejects.toMatchObject({ kind: 'missing' });
      expect((await port.list(prefix)).entries.map((entry) => entry.key)).toEqual([`${prefix}keep`]);
    });

    it(
      'takes puts and deletes of neighbours at the same time',
      async () => {
        const prefix = fresh();
        const handles = [port, store.other ?? port];
        const kept = await mapConcurrent(
          Array.from({ length: 60 }, (_, i) => i),
          12,
          async (i) => {
            const key = `${prefix}${i % 3}/${i}`;
            expect(await handles[i % 2].put(key, bytes(key))).toBe('created');
            if (i % 4 !== 0) await handles[(i + 1) % 2].delete([key]);
            return i % 4 === 0 ? [key] : [];
          },
        );
        const { entries } = await listAll(port, prefix);
        expect(entries.map((entry) => entry.key)).toEqual(kept.flat().sort());
      },
      SLOW_MS,
    );
  });
}
