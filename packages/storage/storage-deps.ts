import type { Clock } from '#core/time.ts';
import type { Series } from '#model/series.ts';
import type { Tier } from '#model/tier.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import type { ReadCache } from './read-cache.ts';

/**
 * Windows belong to a namespace: a tenant's own, or one of its retention classes. What the catalog calls `tenant` is that name.
 * `!` stands in no tenant's name, so no tenant can name another's class.
 */
export function namespaceOf(tenant: string, retentionClass?: string): string {
  return retentionClass === undefined ? tenant : `${tenant}!${retentionClass}`;
}

/** The tenant that a namespace belongs to. */
export function ownerOf(namespace: string): string {
  return namespace.split('!', 1)[0];
}

/** The stretches (after `fromMs`, up to `toMs`) of a series that something else has replaced: compaction may leave them out. */
export type DroppedRanges = (series: Series) => readonly { readonly fromMs: number; readonly toMs: number }[];

/** What a namespace's storage is set to. */
export interface StorageSettings {
  readonly retentionMs: Readonly<Record<Tier, number>>;
  /** Partitions that a day's segments are spread over: one takes about 1,000 writes a second on DynamoDB. */
  readonly segmentShards: number;
}

/** What storage needs of the world. */
export interface StorageDeps {
  readonly blobs: Blobs;
  readonly table: Table;
  readonly now: Clock;
  /** A fresh, unguessable name: letters and digits. */
  readonly newId: () => string;
  readonly cache: ReadCache;
  readonly settings: (namespace: string) => StorageSettings;
  /** All namespaces of a tenant, its own first. */
  readonly namespaces: (tenant: string) => readonly string[];
  /** Segments of at most this many bytes live in their catalog item (about 4 KiB is cheapest on DynamoDB). */
  readonly inlineBytes: number;
  /** How long replaced inputs stay readable. */
  readonly graceMs: number;
  /** Lets other work run between two pieces of a long job. */
  readonly pause: () => Promise<void>;
  /** The one tenant whose data a job may touch or tell of, where it runs for that tenant; absent, it runs for all. */
  readonly onlyTenant?: string | undefined;
  /** What the next compaction of a namespace may leave out; undefined where that is nothing. */
  readonly droppedRanges?: ((namespace: string) => Promise<DroppedRanges | undefined>) | undefined;
}
