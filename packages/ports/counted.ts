import type { BilledClass, CallCounts } from '#model/prices.ts';
import type { Blobs } from './blobs.ts';
import type { Bus } from './bus.ts';
import { attributeSizeBytes, itemSizeBytes } from './item-size.ts';
import type { Changes, Item, ItemKey, Table, Write } from './table.ts';

const MAX_DELETE_KEYS = 1_000;
const BATCH_WRITES = 25;
const MAX_REMEMBERED = 1_000_000;

/** Counts the calls of the ports that it wraps, all into one sum. */
export interface CallCounter {
  /** The sum so far; a copy. */
  counts(): CallCounts;
  countBlobs(blobs: Blobs): Blobs;
  countTable(table: Table): Table;
  countBus(bus: Bus): Bus;
}

type Tally = { -readonly [K in keyof CallCounts]: CallCounts[K] extends number ? number : Record<BilledClass, number> };

/**
 * A middleware that counts every call in the units that AWS bills, over any adapters, so that runs on files or in memory can be
 * priced too. Calls count when they are made, whether they succeed or not (a failed condition is billed like a write); bytes
 * read count when they arrive. Repeats inside an adapter are below it and not seen.
 *
 * S3: a put, get or list is one request of its kind, a get of the class its object was put with through this counter (else
 * standard). DynamoDB: a write costs its item's KB (the larger of before and after, at least 1), twice that in a transaction; a
 * get costs its item's 4 KB pieces, a query those of its page's sum. How large an item was before is known where this counter
 * has seen it (of the last million items over 1 KB), else taken as 1 KB; of an update in a transaction the changes and the known
 * size count. EventBridge: 64 KB pieces per event.
 */
export function createCallCounter(): CallCounter {
  const tally = emptyTally();
  return {
    counts: () => structuredClone(tally),
    countBlobs: (blobs) => countedBlobs(blobs, tally),
    countTable: (table) => countedTable(table, tally),
    countBus: (bus) => countedBus(bus, tally),
  };
}

function countedBlobs(blobs: Blobs, tally: Tally): Blobs {
  const classes = new Map<string, BilledClass>();
  return {
    async get(key, range) {
      const storageClass = classes.get(key) ?? 'standard';
      tally.blobGets[storageClass]++;
      const body = await blobs.get(key, range);
      tally.blobGetBytes[storageClass] += body.byteLength;
      return body;
    },
    async put(key, body, options) {
      const storageClass = options?.storageClass ?? 'standard';
      tally.blobPuts[storageClass]++;
      tally.blobPutBytes[storageClass] += body.byteLength;
      const outcome = await blobs.put(key, body, options);
      if (outcome === 'created' && storageClass !== 'standard') remember(classes, key, storageClass);
      return outcome;
    },
    async list(prefix, page) {
      tally.blobLists++;
      return await blobs.list(prefix, page);
    },
    async delete(keys) {
      tally.blobDeletes += Math.ceil(keys.length / MAX_DELETE_KEYS);
      tally.blobDeletedKeys += keys.length;
      for (const key of keys) classes.delete(key);
      await blobs.delete(keys);
    },
  };
}

function countedTable(table: Table, tally: Tally): Table {
  const sizes = createSizeMemory();
  const countWrite = (units: number, calls = 1) => {
    tally.tableWrites += calls;
    tally.writeUnits += units;
  };
  return {
    async get(key) {
      tally.tableReads++;
      const item = await table.get(key);
      tally.readUnits += pieces(sizes.see(key, item), 4_096);
      return item;
    },
    async put(item, condition) {
      countWrite(sizes.writeUnits({ kind: 'put', item }));
      await table.put(item, condition);
      sizes.see(item, item);
    },
    async update(key, changes, condition) {
      const before = sizes.writeUnits({ kind: 'update', key, changes });
      countWrite(before);
      const item = await table.update(key, changes, condition);
      tally.writeUnits += Math.max(0, pieces(sizes.see(key, item), 1_024) - before);
      return item;
    },
    async delete(key, condition) {
      countWrite(sizes.writeUnits({ kind: 'delete', key }));
      await table.delete(key, condition);
      sizes.see(key, undefined);
    },
    async query(input) {
      tally.tableReads++;
      const page = await table.query(input);
      const sizeBytes = page.items.reduce((sum, item) => sum + sizes.see(item, item), 0);
      tally.readUnits += pieces(sizeBytes, 4_096);
      return page;
    },
    async transact(writes) {
      countWrite(2 * writes.reduce((sum, write) => sum + sizes.writeUnits(write), 0));
      await table.transact(writes);
      for (const write of writes) sizes.seeWrite(write);
    },
    async batch(writes) {
      const units = writes.reduce((sum, write) => sum + sizes.writeUnits(write), 0);
      countWrite(units, Math.ceil(writes.length / BATCH_WRITES));
      await table.batch(writes);
      for (const write of writes) sizes.seeWrite(write);
    },
  };
}

function countedBus(bus: Bus, tally: Tally): Bus {
  return {
    async publish(events) {
      tally.busCalls += Math.ceil(events.length / 10);
      tally.busEvents += events.length;
      for (const { source, detailType, detail } of events) {
        tally.busPieces += pieces(Buffer.byteLength(source + detailType + JSON.stringify(detail)), 65_536);
      }
      await bus.publish(events);
    },
  };
}

/** Sizes of the items over 1 KB that went by, since a write over or a delete of such an item costs its size. */
function createSizeMemory() {
  const sizes = new Map<string, number>();
  const idOf = (key: ItemKey) => `${key.pk}\0${key.sk}`;
  const see = (key: ItemKey, item: Item | undefined): number => {
    const sizeBytes = item === undefined ? 0 : itemSizeBytes(item);
    if (sizeBytes > 1_024) remember(sizes, idOf(key), sizeBytes);
    else sizes.delete(idOf(key));
    return sizeBytes;
  };
  return {
    see,
    /** Request units of one plain write: the larger of what was there and what comes. */
    writeUnits(write: Write): number {
      const known = sizes.get(idOf(write.kind === 'put' ? write.item : write.key)) ?? 0;
      return pieces(Math.max(known, comingBytes(write)), 1_024);
    },
    seeWrite(write: Write): void {
      if (write.kind === 'put') see(write.item, write.item);
      if (write.kind === 'delete') see(write.key, undefined);
    },
  };
}

/** What a write surely leaves behind: the item put, or the key with what an update sets. */
function comingBytes(write: Write): number {
  if (write.kind === 'put') return itemSizeBytes(write.item);
  return write.kind === 'update' ? itemSizeBytes({ ...write.key }) + changesBytes(write.changes) : 0;
}

function changesBytes({ set = {}, add = {} }: Changes): number {
  const attributes = [...Object.entries(set), ...Object.entries(add)];
  return attributes.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + attributeSizeBytes(value), 0);
}

/** Pieces of a size that AWS bills by, at least one. */
function pieces(sizeBytes: number, pieceBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / pieceBytes));
}

/** Sets an entry of a map that keeps the latest million. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value as string);
}

function emptyTally(): Tally {
  const perClass = () => ({ standard: 0, infrequent: 0, 'archive-instant': 0 });
  return {
    blobPuts: perClass(),
    blobPutBytes: perClass(),
    blobGets: perClass(),
    blobGetBytes: perClass(),
    blobLists: 0,
    blobDeletes: 0,
    blobDeletedKeys: 0,
    tableReads: 0,
    tableWrites: 0,
    readUnits: 0,
    writeUnits: 0,
    busCalls: 0,
    busEvents: 0,
    busPieces: 0,
  };
}
