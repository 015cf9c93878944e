import { appendFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPackStore, type PackStore } from '#local/pack-store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-pack-store-'));
});
afterEach(() => rm(folder, { recursive: true }));

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function text(store: PackStore, key: string): Promise<string | undefined> {
  const object = store.find(key);
  return object && Buffer.from(await store.read(object, 0, object.sizeBytes)).toString();
}

function packFiles(): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.pack'));
}

describe('packs', () => {
  it('are found again after a restart, without what was deleted', async () => {
    const first = openPackStore(folder, Date.now);
    await Promise.all(['a', 'b', 'c'].map((key) => first.put(key, bytes(`body of ${key}`))));
    await first.delete(['b']);
    await first.close();
    const second = openPackStore(folder, Date.now);
    expect(await text(second, 'a')).toBe('body of a');
    expect(second.find('b')).toBeUndefined();
    expect([...second.list()].map(({ key }) => key).sort()).toEqual(['a', 'c']);
    await second.close();
  });

  it('are removed once everything in them is deleted', async () => {
    const store = openPackStore(folder, Date.now);
    await store.put('a', bytes('x'));
    await store.put('b', bytes('y'));
    await store.delete(['a']);
    expect(packFiles()).toHaveLength(1);
    await store.delete(['b']);
    expect(packFiles()).toHaveLength(0);
    await store.put('c', bytes('z'));
    expect(await text(store, 'c')).toBe('z');
    await store.close();
  });

  it('end before a record that a crash has cut off, wherever that was', async () => {
    const store = openPackStore(folder, Date.now);
    await store.put('a', bytes('first'));
    const [name] = packFiles();
    const whole = statSync(join(folder, name)).size;
    await store.put('b', bytes('second'));
    await store.close();
    for (let size = statSync(join(folder, name)).size - 1; size >= whole; size--) {
      truncateSync(join(folder, name), size);
      const again = openPackStore(folder, Date.now);
      expect(await text(again, 'a')).toBe('first');
      expect(again.find('b')).toBeUndefined();
      await again.close();
    }
  });

  it('take nothing from bytes that are no record', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (garbage) => {
        const store = openPackStore(folder, Date.now);
        await store.put('a', bytes('kept'));
        await store.close();
        for (const name of packFiles()) appendFileSync(join(folder, name), garbage);
        const again = openPackStore(folder, Date.now);
        expect(await text(again, 'a')).toBe('kept');
        expect([...again.list()]).toHaveLength(1);
        await again.delete(['a']);
        await again.close();
      }),
      { numRuns: 30 },
    );
  });

  it('of another process are seen, deletions too', async () => {
    const one = openPackStore(folder, Date.now);
    const other = openPackStore(folder, Date.now);
    await one.put('a', bytes('from one'));
    expect(await text(other, 'a')).toBe('from one');
    await other.delete(['a']);
    expect([...one.list()]).toHaveLength(0);
    await one.close();
    await other.close();
    const later = openPackStore(folder, Date.now);
    expect(later.find('a')).toBeUndefined();
    await later.close();
  });

  it('keep a key to its first body', async () => {
    const store = openPackStore(folder, Date.now);
    const outcomes = await Promise.all(Array.from({ length: 64 }, (_, i) => store.put('a', bytes(`body ${i}`))));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await text(store, 'a')).toBe('body 0');
    await store.close();
  });
});
