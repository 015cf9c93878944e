import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { retry } from '#core/retry.ts';
import type { WindowExpired } from '#model/events.ts';
import type { Tier } from '#model/tier.ts';
import { tiers } from '#model/tier.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Changes, Write } from '#ports/table.ts';
import {
  headUnchanged,
  listWindows,
  readHead,
  readWindow,
  type WindowHead,
  type WindowItem,
  type WindowState,
  windowKey,
} from './catalog.ts';
import { headKey } from './catalog-entry.ts';
import { emptyWindow } from './clean-window.ts';
import { type DayState, type ExpiryVerdict, holdsLatecomers, isWithinRetention, planExpiry } from './plan-expiry.ts';
import type { StorageDeps } from './storage-deps.ts';
import { listTenants, markWork } from './work-list.ts';

const READS_AT_ONCE = 16;

export interface ExpireInput {
  readonly dryRun?: boolean | undefined;
}

export interface ExpiryReport extends ExpiryVerdict {
  readonly tenant: string;
  readonly date: string;
  readonly entries: number;
}

type DayWindows = Readonly<Record<Tier, WindowItem | undefined>> & { readonly tenant: string; readonly date: string };

/** Deletes what is past its retention and whose successors are committed; says of everything older why it stays. */
export async function expire(deps: StorageDeps, input: ExpireInput = {}): Promise<{ readonly expired: readonly ExpiryReport[] }> {
  const expired: ExpiryReport[] = [];
  await forEachSettled(await listTenants(deps.table, deps.onlyTenant), async (tenant) => {
    await forEachSettled(await listDueDays(deps, tenant), async (windows) => {
      for (const tier of tiers) expired.push(...(await expireTier(deps, windows, tier, input)));
    });
  });
  return { expired };
}

/**
 * The days of which a tier is past its retention, or whose expiry has begun. All others are told by the list and one item each, many
 * at once: there are hundreds of them for each that is due.
 */
async function listDueDays(deps: StorageDeps, tenant: string): Promise<DayWindows[]> {
  const days = await listDays(deps, tenant);
  const { retentionMs } = deps.settings(tenant);
  const isDue = async (window: WindowItem) =>
    !isWithinRetention(window, retentionMs[window.tier], deps.now(), deps.graceMs) || (await readHead(deps.table, window)).expired;
  const due = await mapConcurrent(days, READS_AT_ONCE, async (windows) => {
    const listed = tiers.flatMap((tier) => windows[tier] ?? []);
    return (await Promise.all(listed.map(isDue))).includes(true);
  });
  return days.filter((_, i) => due[i]);
}

/** A day is read anew for each tier, since what became of the one before it matters. */
async function expireTier(deps: StorageDeps, windows: DayWindows, tier: Tier, { dryRun }: ExpireInput): Promise<ExpiryReport[]> {
  if (windows[tier] === undefined) return [];
  const day = await readDay(deps, windows);
  const { tenant, date } = windows;
  const verdicts = planExpiry(day, deps.settings(tenant).retentionMs, deps.now(), deps.graceMs);
  const verdict = verdicts.find((one) => one.tier === tier) as ExpiryVerdict;
  if (!dryRun && !verdict.expire && day[tier].head.closed) await reopen(deps, day[tier]);
  if (verdict.reason === 'within its retention') return [];
  if (!dryRun && verdict.expire) await expireWindow(deps, windows[tier], day);
  if (!dryRun && !verdict.expire) await markWork(deps.table, tenant, date, deps.now());
  return [{ ...verdict, tenant, date, entries: day[tier].entries.length }];
}

/**
 * The head is marked first, on condition that nothing was committed since the plan here or where the successors are: from then on
 * nothing can join or be derived, and a run that is cut off is taken up by the next. The window leaves the list in the same
 * transaction that says so.
 */
async function expireWindow(deps: StorageDeps, window: WindowItem, day: DayState): Promise<void> {
  const planned = day[window.tier];
  if (!planned.head.expired) {
    const last = window.tier === 'hot' ? await closeWindow(deps, window, day) : planned;
    if (!last || !(await markExpired(deps, last, day))) return;
  }
  const marked = await readWindow(deps.table, window);
  if (!marked.head.expired) return;
  await emptyWindow(deps, window, marked.entries);
  await finishExpiry(deps, window, marked, day);
}

/**
 * Raw samples join without the head, so some may have come since the plan. The window is closed before it is marked, while what it
 * holds still counts, and opened again where there are any. Gives the window as it then stays; undefined where it may not go.
 */
async function closeWindow(deps: StorageDeps, window: WindowItem, day: DayState): Promise<WindowState | undefined> {
  await changeHead(deps, day.hot, { set: { closed: true } });
  const closed = await readWindow(deps.table, window);
  if (!closed.head.closed || closed.head.version !== day.hot.head.version + 1) return undefined;
  if (!holdsLatecomers(closed)) return closed;
  await reopen(deps, closed);
  await markWork(deps.table, window.tenant, window.date, deps.now());
  return undefined;
}

async function reopen(deps: StorageDeps, state: WindowState): Promise<void> {
  await changeHead(deps, state, { remove: ['closed'] });
}

async function markExpired(deps: StorageDeps, state: WindowState, day: DayState): Promise<boolean> {
  const { window } = state;
  const others = tiers.filter((tier) => tier !== window.tier);
  const checks = others.map((tier): Write => ({ kind: 'check', key: headKey(day[tier].window), condition: headUnchanged(day[tier].head) }));
  const isMarked = await changeHead(deps, state, { set: { expired: true }, remove: ['closed'] }, checks);
  return isMarked || (await readHead(deps.table, window)).expired; // perhaps by this very write, whose answer got lost
}

/**
 * A day of which no tier holds anything any more takes raw samples again. The mark of a coarse tier stays: it says that what was
 * there went by its age.
 */
async function finishExpiry(deps: StorageDeps, window: WindowItem, marked: WindowState, day: DayState): Promise<void> {
  const isEmpty = tiers.every((tier) => tier === window.tier || day[tier].entries.length === 0);
  const detail: WindowExpired = {
    id: deps.newId(),
    tenant: window.tenant,
    at: new Date(deps.now()).toISOString(),
    signal: 'metrics',
    tier: window.tier,
    date: window.date,
    blocks: marked.entries.length,
  };
  const alongside: Write[] = [
    { kind: 'delete', key: windowKey(window) },
    outboxWrite({ source: 'quarterdeck.storage', detailType: 'Window Expired', detail }),
  ];
  if (isEmpty && window.tier !== 'hot' && day.hot.head.expired) alongside.push(headWrite(deps, day.hot, { remove: ['expired'] }));
  await changeHead(deps, marked, isEmpty && window.tier === 'hot' ? { remove: ['expired'] } : {}, alongside);
}

/** False if the head is not as it was read: somebody else was at the window, and the next run plans anew. */
async function changeHead(deps: StorageDeps, state: WindowState, changes: Changes, alongside: readonly Write[] = []): Promise<boolean> {
  try {
    await retry(() => deps.table.transact([headWrite(deps, state, changes), ...alongside]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return false;
  }
}

function headWrite(deps: StorageDeps, { window, head }: { window: WindowState['window']; head: WindowHead }, changes: Changes): Write {
  const set = { ...changes.set, version: head.version + 1, committedAtMs: deps.now() };
  return { kind: 'update', key: headKey(window), changes: { ...changes, set }, condition: headUnchanged(head) };
}

/** Every day of a tenant that any tier lists. */
async function listDays(deps: StorageDeps, tenant: string): Promise<DayWindows[]> {
  const days = new Map<string, Partial<Record<Tier, WindowItem>>>();
  for (const tier of tiers) {
    for (const window of await listWindows(deps.table, tenant, tier)) days.set(window.date, { ...days.get(window.date), [tier]: window });
  }
  return Array.from(days, ([date, { hot, warm, cold }]) => ({ tenant, date, hot, warm, cold }));
}

async function readDay(deps: StorageDeps, windows: DayWindows): Promise<DayState> {
  const { tenant, date } = windows;
  const read = async (tier: Tier) => {
    const state = await readWindow(deps.table, windows[tier] ?? { tenant, tier, date, segmentShards: 0 });
    return { ...state, listed: windows[tier] !== undefined };
  };
  return { hot: await read('hot'), warm: await read('warm'), cold: await read('cold') };
}
