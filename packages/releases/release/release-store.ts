import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Json } from '#model/json.ts';
import type { Judgement } from '#model/judgement.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, Table, Write } from '#ports/table.ts';
import type { HistoryEntry, Phase, Release } from './release.ts';

// No tenant's name begins so: the releases of each lie in releases/NAME.
const ACTIVE = 'releases/_active';
const PAGE = 100;
/** Pages that one list looks through at most: what a filter leaves out costs as much as what it takes. */
const MAX_PAGES = 20;

/** A release as it was read; `rev` is the condition of the next write. */
export interface StoredRelease {
  readonly release: Release;
  readonly rev: number;
  /** Of the write that made it so. */
  readonly stamp: string;
}

export async function findRelease(table: Table, tenant: string, id: string): Promise<StoredRelease | undefined> {
  if (id === '' || id.length > 200) return undefined;
  const item = await retry(() => table.get({ pk: `releases/${tenant}`, sk: id }));
  return item && decode(item);
}

/** A release by its id; `missing` where the tenant has none of that id. */
export async function readRelease(table: Table, tenant: string, id: string): Promise<StoredRelease> {
  const found = await findRelease(table, tenant, id);
  if (found) return found;
  throw new OpsError('missing', `there is no release ${JSON.stringify(id.slice(0, 100))}`, { hint: 'GET /api/releases lists them.' });
}

function decode({ release, rev, stamp }: Item): StoredRelease {
  return { release: JSON.parse(String(release)) as Release, rev: Number(rev), stamp: String(stamp) };
}

/** The write that puts a release in place of the one that was read. */
export function releaseWrite(before: StoredRelease | undefined, release: Release, stamp: string): Write {
  const { tenant, id, application, environment, phase } = release;
  const rev = (before?.rev ?? 0) + 1;
  const item = { pk: `releases/${tenant}`, sk: id, rev, stamp, application, environment, phase, release: JSON.stringify(release) };
  return { kind: 'put', item, condition: before ? { equals: { rev: before.rev } } : { exists: false } };
}

/** Adds to the history of a release; what is there already is never written over. */
export function historyWrites({ tenant, id }: Release, entries: readonly HistoryEntry[]): Write[] {
  return entries.map((entry) => ({
    kind: 'put',
    item: { pk: `releases/history/${tenant}/${id}`, sk: String(entry.number).padStart(6, '0'), entry: JSON.stringify(entry) },
    condition: { exists: false },
  }));
}

/** All of a release's history, the oldest first. */
export async function readHistory(table: Table, tenant: string, id: string): Promise<HistoryEntry[]> {
  const items = await queryItems(table, { pk: `releases/history/${tenant}/${id}` });
  return items.map(({ entry }) => JSON.parse(String(entry)) as HistoryEntry);
}

/**
 * Writes a release and what belongs to it, all or nothing; false where somebody else has changed one of them. A write whose answer got
 * lost is known again by its stamp.
 */
export async function commitRelease(table: Table, { tenant, id }: Release, stamp: string, writes: readonly Write[]): Promise<boolean> {
  try {
    await retry(() => table.transact(writes));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return (await findRelease(table, tenant, id))?.stamp === stamp;
  }
}

/** A release that somebody has to look at. */
export interface ActiveRelease {
  readonly tenant: string;
  readonly id: string;
  /** Of the time when it was last taken up. */
  readonly mark: number;
}

const activeKey = ({ tenant, id }: Pick<ActiveRelease, 'tenant' | 'id'>) => ({ pk: ACTIVE, sk: `${tenant}/${id}` });

/** The write that has a release looked at from now on. */
export function activeWrite({ tenant, id, entries: mark }: Pick<Release, 'tenant' | 'id' | 'entries'>): Write {
  return { kind: 'put', item: { ...activeKey({ tenant, id }), mark } };
}

/** Lets a release rest, unless it has been taken up again meanwhile. */
export async function restRelease(table: Table, active: ActiveRelease): Promise<void> {
  try {
    await retry(() => table.delete(activeKey(active), { equals: { mark: active.mark } }));
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
  }
}

/** All releases of all tenants that are not over and done with: one partition, so that looking costs next to nothing while there are none. */
export async function listActive(table: Table): Promise<ActiveRelease[]> {
  return (await queryItems(table, { pk: ACTIVE })).map(({ sk, mark }) => {
    const slash = sk.indexOf('/');
    return { tenant: sk.slice(0, slash), id: sk.slice(slash + 1), mark: Number(mark) };
  });
}

export interface ReleaseFilter {
  readonly application?: string | undefined;
  readonly environment?: string | undefined;
  readonly phase?: Phase | undefined;
  readonly limit: number;
  /** As the page before has given it. */
  readonly after?: string | undefined;
}

/** Releases of a tenant, the newest first. A page may be short while `next` is given. */
export async function listReleases(
  table: Table,
  tenant: string,
  filter: ReleaseFilter,
): Promise<{ releases: Release[]; next: string | undefined }> {
  const { application, environment, phase, limit } = filter;
  const isWanted = (item: Item) =>
    (application === undefined || item.application === application) &&
    (environment === undefined || item.environment === environment) &&
    (phase === undefined || item.phase === phase);
  const releases: Release[] = [];
  for (let after = filter.after, pages = 1; ; pages++) {
    const from = after;
    const page = await retry(() => table.query({ pk: `releases/${tenant}`, reverse: true, limit: PAGE, to: from }));
    for (const item of page.items) {
      if (!isWanted(item)) continue;
      releases.push(decode(item).release);
      if (releases.length === limit) return { releases, next: item.sk };
    }
    const last = page.items.at(-1)?.sk;
    if (page.next === undefined || last === undefined) return { releases, next: undefined };
    if (pages === MAX_PAGES) return { releases, next: last };
    after = last;
  }
}

interface LookKey {
  readonly tenant: string;
  readonly id: string;
  /** The gate's key. */
  readonly key: string;
  readonly run: number;
}

const looks = ({ tenant, id }: LookKey) => `releases/analyses/${tenant}/${id}`;
const lookKey = ({ key, run }: LookKey, look: number) => `${key}#${String(run).padStart(4, '0')}#${String(look).padStart(6, '0')}`;

/** The write that keeps what a look came to; it belongs in the transaction in which the release takes it. */
export function lookWrite(of: LookKey, look: number, judgement: Judgement, state: Json): Write {
  return {
    kind: 'put',
    item: { pk: looks(of), sk: lookKey(of, look), judgement: JSON.stringify(judgement), state: JSON.stringify(state) },
  };
}

/** What the look before gave to the next. */
export async function readLookState(table: Table, of: LookKey, look: number): Promise<Json | undefined> {
  const item = await retry(() => table.get({ pk: looks(of), sk: lookKey(of, look) }));
  return item && (JSON.parse(String(item.state)) as Json);
}

/** The latest look of an analysis' run. */
export async function readLastLook(table: Table, of: LookKey): Promise<Judgement | undefined> {
  const prefix = lookKey(of, 0).slice(0, -6);
  const { items } = await retry(() => table.query({ pk: looks(of), from: prefix, to: `${prefix}~`, reverse: true, limit: 1 }));
  return items[0] && (JSON.parse(String(items[0].judgement)) as Judgement);
}
