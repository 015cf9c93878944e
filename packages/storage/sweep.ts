import { mapConcurrent } from '#core/batch.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import { tiers } from '#model/tier.ts';
import type { BlobEntry } from '#ports/blobs.ts';
import { listWindows, readWindow } from './catalog.ts';
import { LEVEL, namespaceOfKey, visibleEntries } from './catalog-entry.ts';
import { planCleaning } from './plan-cleaning.ts';
import { listRetired } from './retired.ts';
import { ownerOf, type StorageDeps } from './storage-deps.ts';
import { listTenants, markWork } from './work-list.ts';

export interface SweepResult {
  /** Objects that no catalog entry names, a day old or more: deleted. */
  readonly orphans: number;
  readonly orphanBytes: number;
  /** Days put back on the work list. */
  readonly marked: number;
}

/** An attempt that has not committed within this time never will: functions live 15 minutes. */
const ORPHAN_AGE_MS = DAY_MS;
/** A tenant has hundreds of windows. */
const READS_AT_ONCE = 16;

/** Orphans among a listing: old enough, and named by no entry. Keys were listed before the catalog was read. */
function planSweep(listed: readonly BlobEntry[], known: ReadonlySet<string>, nowMs: number): BlobEntry[] {
  return listed.filter((blob) => nowMs - blob.modifiedAtMs >= ORPHAN_AGE_MS && !known.has(blob.key));
}

/** Deletes what crashed attempts left behind, and marks days again whose mark was lost. */
export async function sweep(deps: StorageDeps, input: { dryRun?: boolean | undefined } = {}): Promise<SweepResult> {
  const all = [...(await listBlobs(deps, 'tier=')), ...(await listBlobs(deps, 'segments/'))];
  const listed = all.filter(({ key }) => deps.onlyTenant === undefined || ownerOfKey(key) === deps.onlyTenant);
  const known = new Set<string>();
  let marked = 0;
  for (const tenant of await listTenants(deps.table, deps.onlyTenant)) {
    for (const tier of tiers) {
      await mapConcurrent(await listWindows(deps.table, tenant, tier), READS_AT_ONCE, async (window) => {
        const { entries } = await readWindow(deps.table, window);
        const retired = await listRetired(deps.table, window);
        for (const { key } of entries) if (key !== undefined) known.add(key);
        for (const { keys } of retired) for (const key of keys) known.add(key);
        const isPending = visibleEntries(entries).some((entry) => entry.level < LEVEL.final);
        const isUnclean = retired.length > 0 || planCleaning(entries, deps.now(), deps.graceMs).length > 0;
        if (!isPending && !isUnclean) return;
        marked++;
        if (!input.dryRun) await markWork(deps.table, tenant, window.date, deps.now());
      });
    }
  }
  const orphans = planSweep(listed, known, deps.now());
  if (!input.dryRun) await retry(() => deps.blobs.delete(orphans.map((blob) => blob.key)));
  return { orphans: orphans.length, orphanBytes: orphans.reduce((sum, blob) => sum + blob.sizeBytes, 0), marked };
}

function ownerOfKey(key: string): string | undefined {
  const namespace = namespaceOfKey(key);
  return namespace === undefined ? undefined : ownerOf(namespace);
}

async function listBlobs(deps: StorageDeps, prefix: string): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  let after: string | undefined;
  do {
    const page = await retry(() => deps.blobs.list(prefix, { after }));
    for (const entry of page.entries) entries.push(entry);
    after = page.next;
  } while (after !== undefined);
  return entries;
}
