import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Item, Table } from '#ports/table.ts';
import { DrillReport, type SignedReport } from './drill-report.ts';

const PARTITION = 'backups/drills';
/** Well below the 400 KB of an item. */
const KEPT = 100;
const MAX_TEXT = 500;

/** Keeps a report; it is never changed after, and keeping it twice is keeping it once. */
export async function storeReport(table: Table, signed: SignedReport): Promise<void> {
  const { id, startedAt } = DrillReport.parse(JSON.parse(signed.text));
  try {
    await retry(() => table.put({ pk: PARTITION, sk: `${startedAt}#${id}`, id, ...signed }, { exists: false }));
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
  }
}

/** Reports, the newest first; `after`: where the page before ended. */
export async function listReports(
  table: Table,
  limit: number,
  after?: string,
): Promise<{ readonly reports: SignedReport[]; readonly next?: string | undefined }> {
  const { items, next } = await retry(() => table.query({ pk: PARTITION, reverse: true, limit, after }));
  return { reports: items.map(signedOf), next };
}

/** The report of one drill; `missing` where there is none of that id. */
export async function findReport(table: Table, id: string): Promise<SignedReport> {
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: PARTITION, reverse: true, after }));
    const item = page.items.find((each) => each.id === id);
    if (item) return signedOf(item);
    if (page.next === undefined) throw new OpsError('missing', `there is no report of a drill ${JSON.stringify(id)}`);
    after = page.next;
  }
}

function signedOf({ text, signature, publicKey }: Item): SignedReport {
  return { text: String(text), signature: String(signature), publicKey: String(publicKey) };
}

/** The report as it is kept: of long lists the first, with how many there were beside them. */
export function boundReport(report: DrillReport): DrillReport {
  return {
    ...report,
    sentence: report.sentence.slice(0, 4 * MAX_TEXT),
    restored: { ...report.restored, missing: boundProblems(report.restored.missing) },
    compared: { ...report.compared, differences: boundProblems(report.compared.differences) },
    checks: report.checks.map(({ check, ok, sentence }) => ({
      check: check.slice(0, MAX_TEXT),
      ok,
      sentence: sentence.slice(0, MAX_TEXT),
    })),
  };
}

/** The first of a list of problems, and of each what is worth telling. */
export function boundProblems(problems: readonly { readonly path: string; readonly message: string }[]) {
  return problems.slice(0, KEPT).map(({ path, message }) => ({ path: path.slice(0, MAX_TEXT), message: message.slice(0, MAX_TEXT) }));
}
