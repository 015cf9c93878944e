import { OpsError } from '#core/errors.ts';
import type { Tier } from '#model/tier.ts';
import type { Attribute, Item, ItemKey } from '#ports/table.ts';

/**
 * A window is one UTC day of one tenant and tier; it is the unit of compaction and of everything that commits as a whole.
 * Only metrics are kept so far; the signal is part of every key.
 */
export interface Window {
  readonly tenant: string;
  readonly tier: Tier;
  /** `2026-11-23`. */
  readonly date: string;
}

/** Start of a window's day. */
export function dayStart(window: Pick<Window, 'date'>): number {
  return Date.parse(`${window.date}T00:00:00Z`);
}

/** What the catalog knows of one segment or block: enough to plan a query without opening anything. */
export interface CatalogEntry {
  /** Segment: request hash; block: `level#generation#number`. Unique in its window. */
  readonly id: string;
  readonly kind: 'segment' | 'block';
  /** 0 for segments; blocks carry the level of the compaction that wrote them. */
  readonly level: number;
  /** Earliest and latest sample (for aggregates: interval start and last sample in it), ms, inclusive. */
  readonly minTs: number;
  readonly maxTs: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seriesCount: number;
  readonly createdAtMs: number;
  /** Blob key; absent where the bytes are inline. */
  readonly key?: string | undefined;
  readonly body?: Uint8Array | undefined;
  /** See names-filter.ts. */
  readonly names?: Uint8Array | undefined;
  /** Ids this commit replaced; only the first block of a commit carries them, and readers meet it first. */
  readonly inputs?: readonly string[] | undefined;
  /** How many blocks the commit wrote; beside `inputs`. */
  readonly siblings?: number | undefined;
}

/** Levels: each holds what the ones below it held. */
export const LEVEL = { segment: 0, recent: 1, hours: 2, final: 3 } as const;

const SIGNAL = 'metrics';

/** Partition of a window's segments; `shard` spreads a busy day over several keys. */
export function segmentPartition(window: Window, shard: number): string {
  return `seg/${SIGNAL}/${window.tenant}/${window.date}/${shard}`;
}

/** The shard of a segment: its id is a hex hash. */
export function segmentShard(id: string, shards: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % shards;
}

/** Partition of a window's blocks and its head. */
export function blockPartition(window: Window): string {
  return `blk/${SIGNAL}/${window.tenant}/${window.tier}/${window.date}`;
}

/** Sorts after every block. */
export const HEAD_SK = 'head';

/** Key of the window's head: version of the last commit and what it was made from. */
export function headKey(window: Window): ItemKey {
  return { pk: blockPartition(window), sk: HEAD_SK };
}

/** A tenant's windows: which days hold anything, by tier. */
export function windowsPartition(tenant: string): string {
  return `win/${SIGNAL}/${tenant}`;
}

export function windowSk(tier: Tier, date: string): string {
  return `${tier}#${date}`;
}

/** Block ids order by level, then generation, then number, so that readers pass the lower ones first. */
export function blockId(level: number, generation: number, number: number): string {
  return `${level}#${String(generation).padStart(10, '0')}#${String(number).padStart(4, '0')}`;
}

/** Ids of the blocks that were committed together with a first block. */
export function siblingsOf({ id, siblings = 1 }: CatalogEntry): string[] {
  const [level, generation] = id.split('#').map(Number) as [number, number];
  return Array.from({ length: siblings - 1 }, (_, i) => blockId(level, generation, i + 1));
}

/** Where a block's bytes lie: Hive-style, so that any engine finds its partitions; `unique` makes each attempt's key fresh. */
export function blockKey(window: Window, unique: string): string {
  return `tier=${window.tier}/signal=${SIGNAL}/tenant=${window.tenant}/date=${window.date}/${unique}.parquet`;
}

export function segmentKey(window: Window, unique: string): string {
  return `${segmentPrefix(window)}${unique}${SEGMENT_END}`;
}

/** The unique part of a segment's key. */
export function segmentUnique(window: Window, key: string): string {
  return key.slice(segmentPrefix(window).length, -SEGMENT_END.length);
}

const SEGMENT_END = '.qsg';

function segmentPrefix(window: Window): string {
  return `segments/${SIGNAL}/${window.tenant}/${window.date}/`;
}

/** The namespace that a block's or segment's key belongs to. */
export function namespaceOfKey(key: string): string | undefined {
  return /^(?:tier=[^/]+\/signal=[^/]+\/tenant=|segments\/[^/]+\/)([^/]+)\//.exec(key)?.[1];
}

const INPUTS_BETWEEN = ' ';

/** The catalog item of an entry at the given key. */
export function toItem(entry: CatalogEntry, pk: string): Item {
  const { id, kind, level, minTs, maxTs, rows, bytes, seriesCount, createdAtMs, key, body, names, inputs, siblings } = entry;
  // One text: a list of thousands would be taken apart at every reading, of which few look at it.
  const replaced = inputs && inputs.length > 0 ? inputs.join(INPUTS_BETWEEN) : undefined;
  return { pk, sk: id, kind, level, minTs, maxTs, rows, bytes, seriesCount, createdAtMs, key, body, names, inputs: replaced, siblings };
}

/** The entry of a catalog item. */
export function fromItem(item: Item): CatalogEntry {
  return {
    id: item.sk,
    kind: text(item, 'kind') as CatalogEntry['kind'],
    level: number(item, 'level'),
    minTs: number(item, 'minTs'),
    maxTs: number(item, 'maxTs'),
    rows: number(item, 'rows'),
    bytes: number(item, 'bytes'),
    seriesCount: number(item, 'seriesCount'),
    createdAtMs: number(item, 'createdAtMs'),
    key: item.key as string | undefined,
    body: item.body as Uint8Array | undefined,
    names: item.names as Uint8Array | undefined,
    inputs: (item.inputs as string | undefined)?.split(INPUTS_BETWEEN),
    siblings: item.siblings as number | undefined,
  };
}

function number(item: Item, name: string): number {
  return typed(item, name, 'number') as number;
}

function text(item: Item, name: string): string {
  return typed(item, name, 'string') as string;
}

function typed(item: Item, name: string, type: string): Attribute {
  const value = item[name];
  if (value === undefined || typeof value !== type) throw new OpsError('unavailable', `catalog item ${item.pk} ${item.sk} lacks ${name}`);
  return value;
}

/**
 * Entries that count: those that no commit names as an input. Handed all entries in the order a reader meets them, lowest
 * level and generation first.
 */
export function visibleEntries(entries: readonly CatalogEntry[]): CatalogEntry[] {
  const replaced = replacedPresent(entries);
  return replaced.size === 0 ? [...entries] : entries.filter((entry) => !replaced.has(entry.id));
}

/** Ids of those among the entries that a commit has replaced; most of what commits name is gone. */
function replacedPresent(entries: readonly CatalogEntry[]): Set<string> {
  const present = new Set(entries.map(({ id }) => id));
  const replaced = new Set<string>();
  for (const { inputs = [] } of entries) for (const id of inputs) if (present.has(id)) replaced.add(id);
  return replaced;
}

/** Visible entries with rows to read. What a commit left nothing of is one entry without rows and object, which stands for its inputs. */
export function readableEntries(entries: readonly CatalogEntry[]): CatalogEntry[] {
  return visibleEntries(entries).filter((entry) => entry.rows > 0);
}

/** Ids that a commit replaced, with the time of that commit. */
export function replacedAt(entries: readonly CatalogEntry[]): Map<string, number> {
  const replaced = new Map<string, number>();
  for (const entry of entries) {
    for (const input of entry.inputs ?? []) replaced.set(input, entry.createdAtMs);
  }
  return replaced;
}
