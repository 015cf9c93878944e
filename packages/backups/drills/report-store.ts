import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Table } from '#ports/table.ts';
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

/** Reports, the newest first. */
export async function listReports(table: Table, limit: number): Promise<SignedReport[]> {
  const { items } = await retry(() => table.query({ pk: PARTITION, reverse: true, limit }));
  return items.map(({ text, signature, publicKey }) => ({
    text: String(text),
    signature: String(signature),
    publicKey: String(publicKey),
  }));
}

/** The report as it is kept: of long lists the first, with how many there were beside them. */
export function boundReport(report: DrillReport): DrillReport {
  const bound = (problems: readonly { path: string; message: string }[]) =>
    problems.slice(0, KEPT).map(({ path, message }) => ({ path: path.slice(0, MAX_TEXT), message: message.slice(0, MAX_TEXT) }));
  return {
    ...report,
    sentence: report.sentence.slice(0, 4 * MAX_TEXT),
    restored: { ...report.restored, missing: bound(report.restored.missing) },
    compared: { ...report.compared, differences: bound(report.compared.differences) },
    checks: report.checks.map(({ check, ok, sentence }) => ({
      check: check.slice(0, MAX_TEXT),
      ok,
      sentence: sentence.slice(0, MAX_TEXT),
    })),
  };
}
