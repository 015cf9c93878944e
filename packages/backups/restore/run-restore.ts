import type { Entry } from '#backups/entries/entry.ts';
import { type EntryFilter, matchesFilter, watchIncluded } from '#backups/entries/entry-filter.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { isOpsError, isRetryable, type OpsError } from '#core/errors.ts';
import type { BackupTarget, ItemPlan, RestoredItem } from '#ports/backup-target.ts';
import { type ReadyEntry, readGroups } from './group-entries.ts';

export interface RestoreInput {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  readonly target: BackupTarget;
  readonly filter?: EntryFilter | undefined;
}

export interface RunRestoreInput extends RestoreInput {
  /** Goes on after this path, which an earlier call told. */
  readonly after?: string | undefined;
  readonly remainingMs?: (() => number) | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface RestoreProgress {
  readonly path: string;
  readonly items: number;
  readonly bytes: number;
}

/** What was not restored, and why. */
export interface RestoreFault {
  readonly path: string;
  readonly message: string;
}

export interface RestoreResult {
  /** `continued`: time was up; call again with `after`. */
  readonly state: 'done' | 'continued';
  readonly after?: string | undefined;
  readonly created: number;
  readonly replaced: number;
  /** Things that were there already as the snapshot has them. */
  readonly kept: number;
  readonly bytes: number;
  /** Everything that is not as the snapshot has it, by path: all else is. */
  readonly missing: readonly RestoreFault[];
}

const RESERVE_MS = 15_000;
/** How often one item is written before the restore stops, to go on later. */
const ATTEMPTS = 3;

/**
 * Restores a snapshot, or what the filter means of it. Content is verified before the target sees it. An item that cannot be had (lost or damaged
 * in the repository, refused by the target) is listed, as is an included path that the snapshot has not, and the restore goes on. `unavailable` of store or target stops it; called again it
 * keeps what is there. Throws `missing` or `input` where the list of entries itself is damaged.
 */
export async function runRestore(input: RunRestoreInput): Promise<RestoreResult> {
  const { repository, snapshot, target } = input;
  const reader = createChunkReader(repository);
  const tally = { created: 0, replaced: 0, kept: 0, bytes: 0 };
  const missing: RestoreFault[] = [];
  let last = input.after;
  const plans = new Map<Entry, ItemPlan>();
  const included = watchIncluded(input.filter ?? {});
  const entries = passing(readEntries(reader, snapshot.entries), ({ path }) => included.see(path));
  const wanted = entriesToWrite(input, entries, plans, () => tally.kept++);
  for await (const group of readGroups(reader, wanted)) {
    for (const ready of group) {
      if (input.remainingMs && input.remainingMs() < RESERVE_MS) return { state: 'continued', after: last, ...tally, missing };
      const { entry } = ready;
      const fault = await writeEntry(target, ready);
      if (fault) missing.push({ path: entry.path, message: fault.message });
      else {
        tally[plans.get(entry) === 'replace' ? 'replaced' : 'created']++;
        tally.bytes += entry.sizeBytes;
      }
      plans.delete(entry);
      last = entry.path;
      input.onProgress?.({ path: entry.path, items: tally.created + tally.replaced + tally.kept, bytes: tally.bytes });
    }
  }
  missing.push(...included.unseen().map((path) => ({ path, message: 'the snapshot has no such path' })));
  missing.push(...(await target.finish()));
  return { state: 'done', ...tally, missing };
}

async function* passing(entries: AsyncIterable<Entry>, see: (entry: Entry) => void): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    see(entry);
    yield entry;
  }
}

/** What is to be written: meant by the filter, after where the last call ended, and not there already. */
async function* entriesToWrite(
  { target, filter = {}, after }: RunRestoreInput,
  entries: AsyncIterable<Entry>,
  plans: Map<Entry, ItemPlan>,
  onKept: () => void,
): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    if (!matchesFilter(filter, entry) || (after !== undefined && comparePaths(entry.path, after) <= 0)) continue;
    const plan = await planEntry(target, entry);
    if (plan === 'keep') {
      onKept();
      continue;
    }
    plans.set(entry, plan);
    yield entry;
  }
}

/** How the target would meet it; where it cannot tell, the attempt to write will. */
export async function planEntry(target: BackupTarget, entry: Entry): Promise<ItemPlan> {
  try {
    return await target.plan(itemOf(entry));
  } catch (error) {
    if (isOpsError(error) && !isRetryable(error)) return 'create';
    throw error;
  }
}

async function writeEntry(target: BackupTarget, { entry, open }: ReadyEntry): Promise<OpsError | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await target.write({ ...itemOf(entry), ...(open ? { content: open() } : {}) });
      return undefined;
    } catch (error) {
      if (!isOpsError(error)) throw error;
      if (!isRetryable(error)) return error;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function itemOf({ path, kind, meta, sizeBytes }: Entry): Omit<RestoredItem, 'content'> {
  return { path, kind, meta, sizeBytes };
}
