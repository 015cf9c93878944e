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
/** An attempt that has not committed within this time never will: functions live 15 minutes. */
const ORPHAN_AGE_MS = DAY_MS;

/** Deletes what crashed and overtaken attempts left of packed state. Objects are listed before the items that may name them are read. */
export async function sweepAlerts(deps: SweepAlertsDeps, input: { dryRun?: boolean | undefined } = {}): Promise<SweepAlertsResult> {
  const { blobs, onlyTenant, now } = deps;
  const listed = await listBlobs(blobs, onlyTenant === undefined ? PREFIX : `${PREFIX}${onlyTenant}/`);
  const old = listed.filter(({ key, modifiedAtMs }) => namedIn.has(kindOf(key)) && now() - modifiedAtMs >= ORPHAN_AGE_MS);
  const tenants = [...new Set(old.map(({ key }) => key.split('/')[1] as string))];
  const known = await listKnown(deps.table, tenants);
  const orphans = old.filter(({ key }) => !known.has(key));
  if (!input.dryRun && orphans.length > 0) await retry(() => blobs.delete(orphans.map(({ key }) => key)));
  return { orphans: orphans.length, orphanBytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

/**
 * By what lies below `alerts/<tenant>/`, the partition whose items name it, in the order in which one takes over what another named.
 * What is not listed here is left alone.
 */
const namedIn = new Map<string, (tenant: string) => string>([
  ['state', (tenant) => `alerts/groups/${tenant}`],
  ['inbox', (tenant) => `alerts/inbox/${tenant}`],
  ['incidents', () => 'alerts/incidents'],
  ['book', () => 'alerts/books'],
  ['batches', () => 'alerts/batches'],
  ['deliveries', (tenant) => `alerts/lanes/${tenant}`],
]);

function kindOf(key: string): string {
  return key.split('/')[2] ?? '';
}

/** The keys that items of these tenants name. */
async function listKnown(table: Table, tenants: readonly string[]): Promise<Set<string>> {
  const partitions = new Set([...namedIn.values()].flatMap((partitionOf) => tenants.map(partitionOf)));
  const known = new Set<string>();
  for (const pk of partitions) {
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
