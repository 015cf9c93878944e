import * as z from 'zod';
import { type Content, decodeRefs, encodeRefs } from '#backups/entries/chunk-refs.ts';
import { idOfKey, SNAPSHOTS, snapshotKey } from '#backups/format/layout.ts';
import { damaged, type Sealing, sealJson, unsealJson } from '#backups/format/sealed-object.ts';
import type { Secrets } from '#backups/format/secrets.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError, isRetryable, OpsError } from '#core/errors.ts';
import { listAll, type Repository } from './repository.ts';

/** How a snapshot was taken: everything read, what changed since the last one or the last full one, or until nothing moved. */
export const BackupKind = z.enum(['full', 'incremental', 'differential', 'snapshot']);
export type BackupKind = z.infer<typeof BackupKind>;

const Guarantee = z.object({
  consistency: z.enum(['moment', 'fuzzy']),
  at: z.string(),
  sentence: z.string(),
  /** For `fuzzy` snapshots that were to be of a moment: some of what kept changing. */
  paths: z.array(z.string()).optional(),
});
const Counts = z.object({
  items: z.number(),
  /** Bytes of content that the snapshot holds. */
  bytes: z.number(),
  readBytes: z.number(),
  unchangedItems: z.number(),
  changedItems: z.number(),
  newItems: z.number(),
  newBytes: z.number(),
  storedBytes: z.number(),
});
const Fault = z.object({ path: z.string(), message: z.string() });

const Stored = z.object({
  id: z.string(),
  at: z.string(),
  source: z.object({ type: z.string(), name: z.string() }),
  host: z.string(),
  tags: z.array(z.string()),
  kind: BackupKind,
  guarantee: Guarantee,
  parent: z.string().optional(),
  /** Where it was copied from. */
  copyOf: z.object({ repository: z.string(), snapshot: z.string() }).optional(),
  /** The snapshot that this one is what could be saved of, and what could not. */
  repairOf: z.object({ snapshot: z.string(), lost: z.array(Fault), lostCount: z.number() }).optional(),
  entries: z.object({ refs: z.base64(), areLists: z.boolean() }),
  counts: Counts,
  faults: z.array(Fault),
  faultCount: z.number(),
});

/** A snapshot's manifest. */
export type Snapshot = Omit<z.infer<typeof Stored>, 'entries'> & { readonly entries: Content };

/** What a pruner puts in the place of a snapshot whose backup gave no sign of life: that backup can no longer commit. */
const Tombstone = z.object({ fencedAt: z.string() });
export type Tombstone = z.infer<typeof Tombstone>;

/** The sealed manifest. */
export function encodeSnapshot(sealing: Sealing, snapshot: Snapshot): Uint8Array {
  const { refs, areLists } = snapshot.entries;
  const entries = { refs: encodeRefs(refs).toString('base64'), areLists };
  return sealJson(sealing, snapshotKey(snapshot.id), JSON.parse(JSON.stringify({ ...snapshot, entries })));
}

/** A manifest or a tombstone; `input` where it is damaged. */
export function decodeSnapshot(secrets: Secrets, id: string, bytes: Uint8Array): Snapshot | Tombstone {
  const key = snapshotKey(id);
  const record = unsealJson(secrets, key, bytes);
  const tombstone = Tombstone.safeParse(record);
  if (tombstone.success) return tombstone.data;
  const { data, error } = Stored.safeParse(record);
  if (!data || data.id !== id) throw damaged(key, 'it has not the fields of a snapshot', error);
  const entries = { refs: decodeRefs(Buffer.from(data.entries.refs, 'base64')), areLists: data.entries.areLists };
  return { ...data, entries };
}

/** The tag of what was taken of a place before a restore wrote into it: the state that somebody wanted to be rid of, and the way back to it. */
export const BEFORE_RESTORE = 'before-restore';

export function isBeforeRestore({ tags }: Pick<Snapshot, 'tags'>): boolean {
  return tags.includes(BEFORE_RESTORE);
}

export function isTombstone(record: Snapshot | Tombstone): record is Tombstone {
  return 'fencedAt' in record;
}

/** The repository's snapshots, oldest first. One that is damaged fails it, unless `onDamage` takes the error. */
export async function listSnapshots(repository: Repository, onDamage?: (error: OpsError, id: string) => void): Promise<Snapshot[]> {
  const keys = await listAll(repository.blobs, SNAPSHOTS);
  const found = await mapConcurrent(keys, 8, async ({ key }) => readRecord(repository, idOfKey(key), onDamage));
  return found.filter((record) => record !== undefined).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1));
}

async function readRecord(repository: Repository, id: string, onDamage: ((error: OpsError, id: string) => void) | undefined) {
  try {
    const record = decodeSnapshot(repository.secrets, id, await repository.blobs.get(snapshotKey(id)));
    return isTombstone(record) ? undefined : record;
  } catch (error) {
    // Forgotten since it was listed.
    if (isOpsError(error, 'missing')) return undefined;
    if (!onDamage || !isOpsError(error) || isRetryable(error)) throw error;
    onDamage(error, id);
    return undefined;
  }
}

/**
 * A snapshot by its id, by a unique beginning of it (4 digits or more), or `latest`; `missing` or `input` where that is none or several. What was taken
 * before a restore is never the latest: the same restore, started again, would undo itself.
 */
export async function findSnapshot(repository: Repository, name: string): Promise<Snapshot> {
  const snapshots = await listSnapshots(repository, () => undefined);
  const isMeant = (snapshot: Snapshot) => !isBeforeRestore(snapshot);
  const found =
    name === 'latest' ? snapshots.filter(isMeant).slice(-1) : snapshots.filter(({ id }) => name.length >= 4 && id.startsWith(name));
  if (found.length === 1) return found[0];
  if (found.length > 1) throw new OpsError('input', `${found.length} snapshots begin with ${name}`, { hint: 'Give more of its id.' });
  throw new OpsError('missing', `there is no snapshot ${name}`, { hint: 'List the snapshots.' });
}
