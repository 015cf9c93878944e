import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';

/** What is known of a version of an application. */
export interface Version {
  readonly version: string;
  readonly commit: string;
  readonly ref?: string | undefined;
  readonly artifactDigest?: string | undefined;
  readonly sbomUrl?: string | undefined;
  readonly seenAtMs: number;
}

interface VersionKey {
  readonly tenant: string;
  readonly application: string;
}

const partition = ({ tenant, application }: VersionKey) => `releases/versions/${tenant}/${application}`;

/**
 * Registers a version, or adds to what is known of it. What a version is never changes: `conflict` for another commit or another artifact
 * under the name of one that is known.
 */
export async function registerVersion(table: Table, of: VersionKey, told: Version): Promise<Version> {
  const key = { pk: partition(of), sk: told.version };
  for (;;) {
    const item = await retry(() => table.get(key));
    const known = item && (JSON.parse(String(item.known)) as Version);
    const merged = known ? mergeVersion(known, told) : told;
    if (known && JSON.stringify(merged) === JSON.stringify(known)) return known;
    const rev = Number(item?.rev ?? 0);
    try {
      await retry(() => table.put({ ...key, rev: rev + 1, known: JSON.stringify(merged) }, item ? { equals: { rev } } : { exists: false }));
      return merged;
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
    }
  }
}

function mergeVersion(known: Version, told: Version): Version {
  for (const field of ['commit', 'artifactDigest'] as const) {
    const [is, was] = [told[field], known[field]];
    if (is && was && is !== was)
      throw new OpsError('conflict', `version ${known.version} has the ${field} ${was} and cannot have ${is}`, {
        hint: 'Give what was built anew a name of its own.',
      });
  }
  return {
    ...known,
    commit: known.commit || told.commit,
    ref: known.ref ?? told.ref,
    artifactDigest: known.artifactDigest ?? told.artifactDigest,
    sbomUrl: known.sbomUrl ?? told.sbomUrl,
  };
}

export async function findVersion(table: Table, of: VersionKey, version: string): Promise<Version | undefined> {
  const item = await retry(() => table.get({ pk: partition(of), sk: version }));
  return item && (JSON.parse(String(item.known)) as Version);
}

/** Versions of an application, as many as are asked for. */
export async function listVersions(table: Table, of: VersionKey, limit: number): Promise<Version[]> {
  const items = await queryItems(table, { pk: partition(of), reverse: true }, { limit });
  return items.map(({ known }) => JSON.parse(String(known)) as Version);
}

interface PromotionKey {
  readonly tenant: string;
  readonly application: string;
  readonly environment: string;
  readonly version: string;
}

/** Where it is written that a version was promoted in an environment. */
export function promotionKey({ tenant, application, environment, version }: PromotionKey) {
  return { pk: `releases/promoted/${tenant}/${application}`, sk: `${environment}/${version}` };
}

/** Whether a version was promoted in an environment, and not returned since. */
export async function wasPromoted(table: Table, of: PromotionKey): Promise<boolean> {
  return (await retry(() => table.get(promotionKey(of)))) !== undefined;
}
