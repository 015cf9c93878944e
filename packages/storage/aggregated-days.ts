import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import { listWindows, readHead, type WindowItem } from './catalog.ts';
import { blockPartition, HEAD_SK, segmentPartition } from './catalog-entry.ts';
import type { StorageDeps } from './storage-deps.ts';

/**
 * Which of these days (`2026-11-23`) hold aggregates whose raw samples are gone: they lie past raw retention, are listed as warm or
 * cold, and nothing raw of them is there. Raw data added to one would be aggregated in place of what it holds. Reads the list of
 * windows once, and one item or a few of each old day that is listed in both forms.
 */
export async function findAggregatedDays(deps: StorageDeps, namespace: string, dates: readonly string[]): Promise<ReadonlySet<string>> {
  const cutOffMs = deps.now() - deps.settings(namespace).retentionMs.hot;
  const old = dates.filter((date) => Date.parse(`${date}T00:00:00Z`) + DAY_MS <= cutOffMs).sort();
  const [from, to] = [old.at(0), old.at(-1)];
  if (from === undefined || to === undefined) return new Set();
  const tiers = ['hot', 'warm', 'cold'] as const;
  const [hot, warm, cold] = await Promise.all(tiers.map((tier) => listWindows(deps.table, namespace, tier, from, to)));
  const raw = new Map(hot.map((window) => [window.date, window]));
  const aggregated = new Set([...warm, ...cold].map((window) => window.date));
  const found = new Set<string>();
  for (const date of old) {
    const window = raw.get(date);
    // A window can be listed and hold nothing, or nothing that counts: what deletes its entries may have ended before its end.
    if (aggregated.has(date) && !(window && (await holdsAnything(deps, window)))) found.add(date);
  }
  return found;
}

async function holdsAnything({ table }: StorageDeps, window: WindowItem): Promise<boolean> {
  if ((await readHead(table, window)).expired) return false;
  const partitions = Array.from({ length: window.segmentShards }, (_, shard) => segmentPartition(window, shard));
  for (const pk of [blockPartition(window), ...partitions]) {
    const page = await retry(() => table.query({ pk, to: HEAD_SK, limit: 1 }));
    if (page.items.length > 0 || page.next !== undefined) return true;
  }
  return false;
}
