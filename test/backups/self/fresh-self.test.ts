import { describe, expect, it } from 'vitest';
import { encodeItemLine } from '#backups/self/item-line.ts';
import { isFreshSelf, openSelfTarget } from '#backups/self/self-target.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { TableDump } from '#ports/table-dump.ts';

function createEmpty() {
  const table = createMemoryTable();
  const blobs = createMemoryBlobs();
  const dump: TableDump = {
    begin: async () => ({
      consistency: 'fuzzy',
      atMs: 0,
      async *scan() {
        yield* (await table.query({ pk: 'p' })).items;
      },
      close: async () => undefined,
    }),
  };
  const write = async (part: number, names: readonly string[]) => {
    const bytes = Buffer.from(names.map((sk) => `${encodeItemLine({ pk: 'p', sk })}\n`).join(''));
    const path = `001/catalog/${String(part).padStart(6, '0')}`;
    const content = (async function* () {
      yield bytes;
    })();
    await openSelfTarget({ table, blobs }).write({ path, kind: 'catalog', meta: {}, sizeBytes: bytes.length, content });
  };
  return { table, blobs, dump, write, isFresh: () => isFreshSelf({ dump, blobs }) };
}

describe('a place for a Quarterdeck', () => {
  it('is fresh while it is empty, or holds what an interrupted restore left before it wrote items', async () => {
    const { table, blobs, write, isFresh } = createEmpty();
    expect(await isFresh()).toBe(true);
    await write(0, ['a']);
    expect(await isFresh()).toBe(true);
    await table.put({ pk: 'p', sk: 'x' });
    expect(await isFresh()).toBe(false);
    await table.delete({ pk: 'p', sk: 'x' });
    await blobs.delete(['restore/catalog/001/000000']);
    await blobs.put('tier=raw/x', Buffer.from('x'));
    expect(await isFresh()).toBe(false);
  });

  it('gets nothing of another snapshot whose restore was interrupted', async () => {
    const { table, blobs, write } = createEmpty();
    await write(0, ['a']);
    await write(1, ['b']);
    // Of the same size as what waits.
    await write(0, ['c']);
    expect(await openSelfTarget({ table, blobs }).finish()).toEqual([]);
    expect((await table.query({ pk: 'p' })).items.map(({ sk }) => sk)).toEqual(['c']);
    expect((await blobs.list('')).entries).toEqual([]);
  });
});
