import { describe, expect, it } from 'vitest';
import { noCalls } from '#model/prices.ts';
import { createCallCounter } from '#ports/counted.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Item, Table } from '#ports/table.ts';

/** An item of exactly so many bytes in DynamoDB's count. */
function itemOf(sk: string, sizeBytes: number): Item {
  return { pk: 'p', sk, body: new Uint8Array(sizeBytes - 'pkpskbody'.length - sk.length) };
}

const key = (sk: string) => ({ pk: 'p', sk });

async function unitsOf(before: (table: Table) => Promise<unknown>, run: (table: Table) => Promise<unknown>) {
  const counter = createCallCounter();
  const table = counter.countTable(createMemoryTable());
  await before(table);
  const start = counter.counts();
  await run(table).catch(() => undefined);
  const end = counter.counts();
  return {
    reads: end.tableReads - start.tableReads,
    writes: end.tableWrites - start.tableWrites,
    readUnits: end.readUnits - start.readUnits,
    writeUnits: end.writeUnits - start.writeUnits,
  };
}

const nothing = async () => undefined;
const put = (sk: string, sizeBytes: number) => (table: Table) => table.put(itemOf(sk, sizeBytes));

describe('createCallCounter on a table', () => {
  it.each<[string, (table: Table) => Promise<unknown>, (table: Table) => Promise<unknown>, object]>([
    ['a put of 1 KB as one unit', nothing, put('a', 1_024), { writes: 1, writeUnits: 1 }],
    ['a put of a byte more as two', nothing, put('a', 1_025), { writes: 1, writeUnits: 2 }],
    ['a put over a larger item as the larger', put('a', 5_000), put('a', 100), { writes: 1, writeUnits: 5 }],
    [
      'a put whose condition fails as a write',
      put('a', 100),
      (t) => t.put(itemOf('a', 3_000), { exists: false }),
      { writes: 1, writeUnits: 3 },
    ],
    [
      'an update as the item after it',
      put('a', 2_500),
      (t) => t.update(key('a'), { set: { more: 'x'.repeat(1_000) } }),
      { writes: 1, writeUnits: 4 },
    ],
    [
      'an update of an unknown item as what it becomes',
      nothing,
      (t) => t.update(key('a'), { add: { n: 1 } }),
      { writes: 1, writeUnits: 1 },
    ],
    ['a delete as the item deleted', put('a', 3_000), (t) => t.delete(key('a')), { writes: 1, writeUnits: 3 }],
    ['a delete of nothing as one', nothing, (t) => t.delete(key('a')), { writes: 1, writeUnits: 1 }],
    ['a get of 4 KB as one', put('a', 4_096), (t) => t.get(key('a')), { reads: 1, readUnits: 1 }],
    ['a get of a byte more as two', put('a', 4_097), (t) => t.get(key('a')), { reads: 1, readUnits: 2 }],
    ['a get of nothing as one', nothing, (t) => t.get(key('a')), { reads: 1, readUnits: 1 }],
    [
      'a query as the sum of its page',
      async (t) => {
        for (let i = 0; i < 10; i++) await t.put(itemOf(`${i}`, 1_000));
      },
      (t) => t.query({ pk: 'p' }),
      { reads: 1, readUnits: 3 },
    ],
    ['an empty query as one', nothing, (t) => t.query({ pk: 'p' }), { reads: 1, readUnits: 1 }],
    [
      'a transaction as twice its writes',
      put('gone', 4_000),
      (t) =>
        t.transact([
          { kind: 'put', item: itemOf('a', 1_500) },
          { kind: 'delete', key: key('gone') },
          { kind: 'check', key: key('b'), condition: { exists: false } },
          { kind: 'update', key: key('c'), changes: { set: { text: 'x'.repeat(1_100) } } },
        ]),
      { writes: 1, writeUnits: 2 * (2 + 4 + 1 + 2) },
    ],
    [
      'a batch as its writes, in calls of 25',
      nothing,
      (t) => t.batch(Array.from({ length: 30 }, (_, i) => ({ kind: 'put', item: itemOf(`${i}`, 1_100) }))),
      { writes: 2, writeUnits: 60 },
    ],
  ])('counts %s', async (_case, before, run, units) => {
    expect(await unitsOf(before, run)).toEqual({ reads: 0, writes: 0, readUnits: 0, writeUnits: 0, ...units });
  });

  it('forgets the size of what was deleted', async () => {
    const deleteIt = (table: Table) => table.delete(key('a'));
    const units = await unitsOf(async (table) => {
      await table.put(itemOf('a', 5_000));
      await deleteIt(table);
    }, deleteIt);
    expect(units.writeUnits).toBe(1);
  });
});

describe('createCallCounter on blobs', () => {
  it('counts requests and bytes by class, and a get by the class of its put', async () => {
    const counter = createCallCounter();
    const blobs = counter.countBlobs(createMemoryBlobs());
    await blobs.put('a', new Uint8Array(10));
    await blobs.put('a', new Uint8Array(10));
    await blobs.put('b', new Uint8Array(20), { storageClass: 'infrequent' });
    await blobs.put('c', new Uint8Array(30), { storageClass: 'archive-instant' });
    await blobs.get('a');
    await blobs.get('b', { start: 5, end: 10 });
    await blobs.get('c');
    await expect(blobs.get('none')).rejects.toMatchObject({ kind: 'missing' });
    await blobs.list('');
    await blobs.delete(Array.from({ length: 1_001 }, (_, i) => `d${i}`));
    expect(counter.counts()).toEqual({
      ...noCalls,
      blobPuts: { standard: 2, infrequent: 1, 'archive-instant': 1 },
      blobPutBytes: { standard: 20, infrequent: 20, 'archive-instant': 30 },
      blobGets: { standard: 2, infrequent: 1, 'archive-instant': 1 },
      blobGetBytes: { standard: 10, infrequent: 5, 'archive-instant': 30 },
      blobLists: 1,
      blobDeletes: 2,
      blobDeletedKeys: 1_001,
    });
  });
});

describe('createCallCounter on a bus', () => {
  it('counts 64 KB pieces of each event', async () => {
    const counter = createCallCounter();
    const bus = counter.countBus(createMemoryBus());
    const eventOf = (body: string) => ({ source: 'quarterdeck.test', detailType: 'Counted', detail: { id: body.slice(0, 9), body } });
    await bus.publish([eventOf('x'), eventOf('x'.repeat(65_536)), ...Array.from({ length: 9 }, () => eventOf('y'))]);
    expect(counter.counts()).toEqual({ ...noCalls, busCalls: 2, busEvents: 11, busPieces: 12 });
  });

  it('hands out copies', () => {
    const counter = createCallCounter();
    (counter.counts().blobPuts as { standard: number }).standard = 7;
    expect(counter.counts()).toEqual(noCalls);
  });
});
