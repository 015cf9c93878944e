import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeItemLine, encodeItemLine } from '#backups/self/item-line.ts';
import { openSelfSource } from '#backups/self/self-source.ts';
import { openSelfTarget } from '#backups/self/self-target.ts';
import { defaultRetry } from '#core/retry.ts';
import { createSqliteDump } from '#local/sqlite-dump.ts';
import { openSqliteTable } from '#local/sqlite-table.ts';
import type { Blobs } from '#ports/blobs.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable, type MemoryTable } from '#ports/memory/memory-table.ts';
import type { Attribute, Item } from '#ports/table.ts';
import type { TableDump } from '#ports/table-dump.ts';
import { restoreAll, type Taken, takeAll } from '#test/aws/backup/table-fixtures.ts';

const retry = { ...defaultRetry, attempts: 3, baseDelayMs: 1 };

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }).map((value) => (Math.abs(value) < 1e-100 ? 0 : value)),
  fc.boolean(),
  fc.uint8Array({ maxLength: 9 }),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.array(fc.integer(), { maxLength: 3 }),
);

it('an item comes back from its line', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), attribute, { maxKeys: 5 }), (attributes) => {
      const item = { ...attributes, pk: 'p', sk: 's' } as Item;
      const line = encodeItemLine(item);
      expect(line).not.toContain('\n');
      expect(encodeItemLine(decodeItemLine(line))).toBe(line);
    }),
  );
});

it.each(['', '[]', '{}', '{"pk":{"S":"a"}}', '{"pk":{"S":"a"},"sk":{"X":1}}', '{"pk":{"S":"a"},"sk":{"S":"b"},"n":{"N":"NaN"}}', 'null'])(
  'refuses the line %j',
  (line) => {
    expect(() => decodeItemLine(line)).toThrow(expect.objectContaining({ kind: 'input' }));
  },
);

/** A dump of a memory table at one moment. */
function dumpOf(table: MemoryTable, consistency: 'moment' | 'fuzzy' = 'moment'): TableDump {
  return {
    async begin() {
      const items = table.items();
      return {
        consistency,
        atMs: 0,
        async *scan() {
          yield* consistency === 'moment' ? items : table.items();
        },
        close: async () => undefined,
      };
    },
  };
}

async function createDeck() {
  const table = createMemoryTable();
  const blobs = createMemoryBlobs();
  for (let i = 0; i < 6; i++) {
    const key = i % 2 === 0 ? `tier=hot/signal=metrics/tenant=t/date=2026-01-0${i + 1}/x.parquet` : `alerts/t/state/${i}`;
    await blobs.put(key, Buffer.from(`body ${i}`));
    await table.put({ pk: `p${i % 2}`, sk: String(i), key, n: i, body: new Uint8Array([i]) });
  }
  await table.put({ pk: 'other', sk: 'x', key: 'no object', list: ['a', 'b'] });
  return { table, blobs };
}

const contents = (table: MemoryTable) => table.items().map(encodeItemLine).sort();

async function objectsOf(blobs: Blobs): Promise<[string, string][]> {
  const { entries } = await blobs.list('');
  return await Promise.all(entries.map(async ({ key }) => [key, Buffer.from(await blobs.get(key)).toString()] as [string, string]));
}

describe('Quarterdeck as a source and target', () => {
  it('gives its catalog, then the objects that it names, and comes back', async () => {
    const deck = await createDeck();
    await deck.blobs.put('tier=hot/orphan', Buffer.from('nobody names it'));
    const source = openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry, partBytes: 100 });
    const { items } = await takeAll(source);
    const paths = items.map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
    expect(items.filter(({ kind }) => kind === 'blob')).toHaveLength(6);
    expect(await source.guarantee()).toMatchObject({ consistency: 'moment' });
    const table = createMemoryTable();
    const blobs = createMemoryBlobs();
    expect(await restoreAll(openSelfTarget({ table, blobs, retry }), items)).toEqual([]);
    expect(contents(table)).toEqual(contents(deck.table));
    expect(await objectsOf(blobs)).toEqual((await objectsOf(deck.blobs)).filter(([key]) => key !== 'tier=hot/orphan'));
  });

  it('takes another pass where an object is gone by the time it is read', async () => {
    const deck = await createDeck();
    const source = openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry });
    const taken: Taken[] = [];
    let missing = 0;
    let isCompacted = false;
    for await (const { open, ...item } of source.list({ onFault: () => undefined })) {
      if (item.kind === 'blob' && !isCompacted) {
        // A compaction replaces two blocks by one, and its grace period is over at once.
        isCompacted = true;
        const [one, two] = deck.table.items().filter(({ key }) => String(key).startsWith('tier=hot'));
        await deck.blobs.put('tier=hot/merged', Buffer.from('merged'));
        await deck.table.transact([
          { kind: 'put', item: { pk: 'p0', sk: 'merged', key: 'tier=hot/merged' } },
          { kind: 'delete', key: { pk: one?.pk ?? '', sk: one?.sk ?? '' } },
          { kind: 'delete', key: { pk: two?.pk ?? '', sk: two?.sk ?? '' } },
        ]);
        await deck.blobs.delete([String(one?.key), String(two?.key)]);
      }
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of open?.(0) ?? []) pieces.push(piece);
        taken.push({ ...item, bytes: Buffer.concat(pieces) });
      } catch (error) {
        expect(error).toMatchObject({ kind: 'missing' });
        missing++;
      }
    }
    expect(missing).toBe(2);
    const table = createMemoryTable();
    const blobs = createMemoryBlobs();
    expect(await restoreAll(openSelfTarget({ table, blobs, retry }), taken)).toEqual([]);
    expect(contents(table)).toEqual(contents(deck.table));
  });

  it('begins at a moment whose passing objects are all there', async () => {
    const deck = await createDeck();
    let moments = 0;
    const dump: TableDump = {
      async begin() {
        const moment = await dumpOf(deck.table).begin();
        // A rule's state is replaced right after the first two.
        if (moments++ < 2) {
          await deck.blobs.put(`alerts/t/state/new-${moments}`, Buffer.from('new'));
          const before = await deck.table.get({ pk: 'p1', sk: '1' });
          await deck.table.put({ pk: 'p1', sk: '1', key: `alerts/t/state/new-${moments}` });
          await deck.blobs.delete([String(before?.key)]);
        }
        return moment;
      },
    };
    const { items } = await takeAll(openSelfSource({ dump, blobs: deck.blobs, retry }));
    expect(moments).toBe(3);
    const table = createMemoryTable();
    expect(await restoreAll(openSelfTarget({ table, blobs: createMemoryBlobs(), retry }), items)).toEqual([]);
    expect(contents(table)).toEqual(contents(deck.table));
  });

  it('goes on with a new pass from any of its cursors', async () => {
    const deck = await createDeck();
    const open = () => openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry, partBytes: 200 });
    const { items } = await takeAll(open());
    for (const [index, { cursor }] of items.entries()) {
      const rest = await takeAll(open(), cursor);
      expect(rest.items[0]?.path).toBe('002/catalog/000000');
      const table = createMemoryTable();
      const target = openSelfTarget({ table, blobs: createMemoryBlobs(), retry });
      expect(await restoreAll(target, [...items.slice(0, index + 1), ...rest.items])).toEqual([]);
      expect(contents(table)).toEqual(contents(deck.table));
    }
    await expect(takeAll(open(), 'elsewhere')).rejects.toMatchObject({ kind: 'input' });
  });

  it('comes back whole after any fault at any call of the restore, once it is repeated', async () => {
    const deck = await createDeck();
    const { items } = await takeAll(openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry, partBytes: 200 }));
    for (const fault of FAULTS) {
      for (let number = 1; number <= 25; number += 2) {
        const table = createMemoryTable();
        const blobs = createMemoryBlobs();
        const { ports, settle } = faulty({ table, blobs }, faultAt(number, fault));
        await restoreAll(openSelfTarget({ ...ports, retry: { ...retry, attempts: 1 } }), items).catch(() => undefined);
        await settle();
        expect(await restoreAll(openSelfTarget({ table, blobs, retry }), items)).toEqual([]);
        expect(contents(table)).toEqual(contents(deck.table));
      }
    }
  });

  it('says what was not restored', async () => {
    const deck = await createDeck();
    const { items } = await takeAll(openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry }));
    const target = openSelfTarget({ table: createMemoryTable(), blobs: createMemoryBlobs(), retry });
    const faults = await restoreAll(
      target,
      items.filter(({ path }) => !path.endsWith('/alerts/t/state/3')),
    );
    expect(faults).toEqual([{ path: '001/objects/alerts/t/state/3', message: expect.stringContaining('not restored') }]);
  });

  it('overwrites nothing', async () => {
    const deck = await createDeck();
    const { items } = await takeAll(openSelfSource({ dump: dumpOf(deck.table), blobs: deck.blobs, retry }));
    const table = createMemoryTable();
    await table.put({ pk: 'other', sk: 'x', mine: true });
    await expect(restoreAll(openSelfTarget({ table, blobs: createMemoryBlobs(), retry }), items)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(await table.get({ pk: 'other', sk: 'x' })).toEqual({ pk: 'other', sk: 'x', mine: true });
    const blobs = createMemoryBlobs();
    await blobs.put('alerts/t/state/1', Buffer.from('mine'));
    await expect(restoreAll(openSelfTarget({ table: createMemoryTable(), blobs, retry }), items)).rejects.toMatchObject({
      kind: 'conflict',
    });
  });

  it.each<[string, string, string]>([
    ['elsewhere', 'blob', '001/objects/config/secret'],
    ['above itself', 'blob', '001/objects/alerts/../x'],
    ['at no pass', 'blob', 'objects/alerts/t/a'],
    ['as a file', 'file', '001/objects/alerts/t/a'],
    ['as a strange part', 'catalog', '001/catalog/../../x'],
  ])('writes nothing %s', async (_case, kind, path) => {
    const target = openSelfTarget({ table: createMemoryTable(), blobs: createMemoryBlobs(), retry });
    await expect(target.write({ path, kind, meta: {}, sizeBytes: 0 })).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('a dump of a table in a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterdeck-dump-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('gives the same moment at every scan, whatever is written meanwhile', async () => {
    const path = join(folder, 'table.db');
    const table = await openSqliteTable(path, () => 7);
    const put = (n: number) => table.put({ pk: `p${n % 3}`, sk: String(n), n });
    for (let n = 0; n < 1_200; n++) await put(n);
    const moment = await createSqliteDump(path, () => 7).begin();
    const scan = async () => {
      const lines: string[] = [];
      for await (const item of moment.scan()) {
        if (lines.length % 400 === 0) await put(10_000 + lines.length);
        lines.push(encodeItemLine(item));
      }
      return lines;
    };
    const once = await scan();
    expect(once).toHaveLength(1_200);
    await table.delete({ pk: 'p0', sk: '0' });
    expect(await scan()).toEqual(once);
    await moment.close();
    const later = await createSqliteDump(path, () => 8).begin();
    let count = 0;
    for await (const _ of later.scan()) count++;
    expect([count, later.atMs]).toEqual([1_202, 8]);
    await later.close();
    await table.close();
  });
});
