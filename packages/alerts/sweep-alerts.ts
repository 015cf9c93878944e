import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS } from '#core/time.ts';
import type { BlobEntry, Blobs } from '#ports/blobs.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';
import { packedIn } from './packed-bytes.ts';

export interface SweepAlertsDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  /** The one tenant whose objects are looked at; absent, those of all. */
  readonly onlyTenant?: string | undefined;
}

export interface SweepAlertsResult {
  /** Objects that no item names, a day old or more: deleted. */
  readonly orphans: number;
  readonly orphanBytes: number;
}

const PREFIX = 'alerts/';
/**
 * Which partitions name the objects of a kind (`alerts/<tenant>/<kind>/...`). Objects of a kind that does not stand here are never deleted.
 */
const HOLDERS: Readonly<Record<string, (tenant: string) => readonly string[]>> = {
  state: (tenant) => [`alerts/groups/${tenant}`],
  inbox: (tenant) => [`alerts/inbox/${tenant}`],
  book: () => ['alerts/books'],
  batches: (tenant) => ['alerts/batches', `alerts/lanes/${tenant}`],
  deliveries: (tenant) => [`alerts/lanes/${tenant}`],
  incidents: () => ['alerts/incidents'],
};
/** An attempt that has not committed within this time never will: functions live 15 minutes. */
const ORPHAN_AGE_MS = DAY_MS;

/** Deletes what crashed and overtaken attempts left of packed state. Objects are listed before the items that may name them are read. */
export async function sweepAlerts(deps: SweepAlertsDeps, input: { dryRun?: boolean | undefined } = {}): Promise<SweepAlertsResult> {
  const { blobs, onlyTenant, now } = deps;
  const listed = await listBlobs(blobs, onlyTenant === undefined ? PREFIX : `${PREFIX}${onlyTenant}/`);
  const old = listed.filter(({ key, modifiedAtMs }) => now() - modifiedAtMs >= ORPHAN_AGE_MS && holdersOf(key) !== undefined);
  const known = await listKnown(deps.table, new Set(old.flatMap(({ key }) => holdersOf(key) ?? [])));
  const orphans = old.filter(({ key }) => !known.has(key));
  if (!input.dryRun && orphans.length > 0) await retry(() => blobs.delete(orphans.map(({ key }) => key)));
  return { orphans: orphans.length, orphanBytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

/** The partitions that may name an object; undefined for one that is none of ours. */
function holdersOf(key: string): readonly string[] | undefined {
  const [, tenant = '', kind = ''] = key.split('/');
  return Object.hasOwn(HOLDERS, kind) ? HOLDERS[kind]?.(tenant) : undefined;
}

/** The keys that items of these partitions name. Batches come before the lanes that take their objects over. */
async function listKnown(table: Table, partitions: ReadonlySet<string>): Promise<Set<string>> {
  const known = new Set<string>();
  for (const pk of [...partitions].sort()) {
    for (const item of await queryItems(table, { pk })) {
      const { key } = packedIn(item);
      if (key !== undefined) known.add(key);
    }
  }
  return known;
}

async function listBlobs(blobs: Blobs, prefix: string): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => blobs.list(prefix, { after }));
    for (const entry of page.entries) entries.push(entry);
    if (page.next === undefined) return entries;
    after = page.next;
  }
}
