import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { CiReport } from '#model/ci-report.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';

/** A check of a commit, as CI last reported it. */
export interface Check {
  readonly name: string;
  readonly kind: NonNullable<CiReport['check']>['kind'];
  readonly state: 'pending' | 'success' | 'failure';
  readonly url?: string | undefined;
  /** When it came to that, by the sender's clock if it told. */
  readonly atMs: number;
}

interface CheckKey {
  readonly tenant: string;
  readonly application: string;
  readonly commit: string;
}

const partition = ({ tenant, application }: CheckKey) => `releases/checks/${tenant}/${application}`;
const RANK = { pending: 0, success: 1, failure: 2 } as const;

/** Of two reports of one check the later counts; of two of one time the one that is over, and the worse. The order in which they come is none. */
export function laterCheck(known: Check | undefined, told: Check): Check {
  if (!known || told.atMs > known.atMs) return told;
  if (told.atMs < known.atMs) return known;
  return RANK[told.state] > RANK[known.state] ? told : known;
}

/** Takes a report of a check; true if it changed how the check stands. */
export async function recordCheck(table: Table, of: CheckKey, told: Check): Promise<boolean> {
  const key = { pk: partition(of), sk: `${of.commit}#${told.name}` };
  for (;;) {
    const item = await retry(() => table.get(key));
    const known = item && (JSON.parse(String(item.check)) as Check);
    const check = laterCheck(known, told);
    if (check === known) return false;
    const rev = Number(item?.rev ?? 0);
    try {
      await retry(() => table.put({ ...key, rev: rev + 1, check: JSON.stringify(check) }, item ? { equals: { rev } } : { exists: false }));
      return true;
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
    }
  }
}

/** All checks of a commit. */
export async function readChecks(table: Table, of: CheckKey): Promise<Check[]> {
  const items = await queryItems(table, { pk: partition(of), from: `${of.commit}#`, to: `${of.commit}$` });
  return items.map(({ check }) => JSON.parse(String(check)) as Check);
}
