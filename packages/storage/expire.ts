import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { WindowExpired } from '#model/events.ts';
import type { Tier } from '#model/tier.ts';
import { tiers } from '#model/tier.ts';
import { outboxWrite } from '#ports/outbox.ts';
import { listWindows, readWindow, type WindowItem, type WindowState } from './catalog.ts';
import { headKey, windowSk, windowsPartition } from './catalog-entry.ts';
import { deleteEntries } from './clean-window.ts';
import { type DayState, type ExpiryVerdict, planExpiry } from './plan-expiry.ts';
import type { StorageDeps } from './storage-deps.ts';
import { listTenants, markWork } from './work-list.ts';

export interface ExpireInput {
  readonly dryRun?: boolean | undefined;
}

export interface ExpiryReport extends ExpiryVerdict {
  readonly tenant: string;
  readonly date: string;
  readonly entries: number;
}

/** Deletes what is past its retention and whose successors are committed; says of everything older why it stays. */
export async function expire(deps: StorageDeps, input: ExpireInput = {}): Promise<{ readonly expired: readonly ExpiryReport[] }> {
  const expired: ExpiryReport[] = [];
  for (const tenant of await listTenants(deps.table)) {
    const { retentionMs } = deps.settings(tenant);
    for (const windows of await listDays(deps, tenant)) {
      const day = await readDay(deps, windows);
      for (const verdict of planExpiry(day, retentionMs, deps.now(), deps.graceMs)) {
        const state = day[verdict.tier];
        if (verdict.reason === 'holds nothing' || verdict.reason === 'within its retention') continue;
        const report = { ...verdict, tenant, date: state.window.date, entries: state.entries.length };
        expired.push(report);
        if (input.dryRun) continue;
        if (verdict.expire) await expireWindow(deps, windows[verdict.tier], state);
        else await markWork(deps.table, tenant, state.window.date, deps.now());
      }
    }
  }
  return { expired };
}

/**
 * The head moves on first, on condition that nothing was committed since the plan, so that a compaction under way cannot commit
 * what is being deleted. A crash later leaves entries that the next run deletes.
 */
async function expireWindow(deps: StorageDeps, window: WindowItem, state: WindowState): Promise<void> {
  const nowMs = deps.now();
  const detail: WindowExpired = {
    id: deps.newId(),
    tenant: window.tenant,
    at: new Date(nowMs).toISOString(),
    signal: 'metrics',
    tier: window.tier,
    date: window.date,
    blocks: state.entries.length,
  };
  const { version } = state.head;
  const changes = { set: { version: version + 1, committedAtMs: nowMs } };
  const condition = version === 0 ? { exists: false } : { equals: { version } };
  const event = outboxWrite({ source: 'quarterdeck.storage', detailType: 'Window Expired', detail });
  try {
    await retry(() => deps.table.transact([{ kind: 'update', key: headKey(window), changes, condition }, event]));
  } catch (error) {
    if (isOpsError(error, 'conflict')) return; // the window changed: the next run plans anew
    throw error;
  }
  await deleteEntries(deps, window, state.entries);
  await retry(() => deps.table.delete({ pk: windowsPartition(window.tenant), sk: windowSk(window.tier, window.date) }));
}

/** Every day of a tenant that any tier lists. */
async function listDays(deps: StorageDeps, tenant: string): Promise<Record<Tier, WindowItem>[]> {
  const days = new Map<string, Partial<Record<Tier, WindowItem>>>();
  for (const tier of tiers) {
    for (const window of await listWindows(deps.table, tenant, tier)) days.set(window.date, { ...days.get(window.date), [tier]: window });
  }
  const missing = (tier: Tier, date: string): WindowItem => ({ tenant, tier, date, segmentShards: 0 });
  return Array.from(days, ([date, found]) => ({
    hot: found.hot ?? missing('hot', date),
    warm: found.warm ?? missing('warm', date),
    cold: found.cold ?? missing('cold', date),
  }));
}

async function readDay(deps: StorageDeps, windows: Record<Tier, WindowItem>): Promise<DayState> {
  const [hot, warm, cold] = await Promise.all(tiers.map((tier) => readWindow(deps.table, windows[tier])));
  return { hot, warm, cold };
}
