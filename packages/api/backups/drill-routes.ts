import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { DrillReport, publicKeyOf, type SignedReport, verifyReport } from '#backups/drills/drill-report.ts';
import { findReport, listReports } from '#backups/drills/report-store.ts';
import { isOpsError } from '#core/errors.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { ofInstallation } from './installation.ts';
import { readLimit } from './query-fields.ts';

/** GET /api/drills and /api/drills/{id}: the evidence. */
export function drillRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(
    '/api/drills',
    ofInstallation(deps, async (c) => {
      const { reports, next } = await listReports(deps.table, readLimit(c), c.req.query('after') || undefined);
      return c.json({ drills: reports.map(summarize), next });
    }),
  );
  app.get(
    '/api/drills/:id',
    ofInstallation(deps, async (c) => {
      const signed = await findReport(deps.table, c.req.param('id') as string);
      return c.json({ ...signed, report: DrillReport.parse(JSON.parse(signed.text)), signatureIs: await judge(deps, signed) });
    }),
  );
  return app;
}

function summarize({ text }: SignedReport): object {
  const report = DrillReport.parse(JSON.parse(text));
  const { id, drill, snapshot, source, status, sentence, startedAt, endedAt, recoveryTimeMs, recoveryPointMs, objectives } = report;
  return { id, drill, snapshot, source, status, sentence, startedAt, endedAt, recoveryTimeMs, recoveryPointMs, objectives };
}

/**
 * Whether the report is as it was signed, and by whom: a report that was replaced together with its key bears a right signature of another's. The
 * repository's own key is known where the configuration has the repository and it can be opened.
 */
async function judge(deps: BackupApiDeps, signed: SignedReport): Promise<{ readonly right: boolean; readonly by: string }> {
  let repositoryId: string;
  try {
    repositoryId = verifyReport(signed).repository;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return { right: false, by: error.message };
  }
  const problems: string[] = [];
  for (const name of Object.keys((await deps.backupsFile()).repositories)) {
    try {
      const { repository } = await deps.openBackupRepository(name);
      if (repository.id !== repositoryId) continue;
      if (publicKeyOf(repository.secrets) === signed.publicKey) return { right: true, by: `the repository ${name}` };
      return { right: false, by: `a key that is not the one of the repository ${name}` };
    } catch (error) {
      if (!isOpsError(error)) throw error;
      problems.push(error.message);
    }
  }
  const why = problems.length > 0 ? `: ${problems.join('; ')}` : '';
  return { right: true, by: `a repository that cannot be asked for its key${why}` };
}
