import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { browseFolder } from '#backups/browse/browse-folder.ts';
import { pageDifferences } from '#backups/browse/diff-snapshots.ts';
import { findSnapshot, listSnapshots } from '#backups/repository/snapshots.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { findNamedSnapshot, namedRepositories } from './find-snapshot.ts';
import { ofInstallation } from './installation.ts';
import { encodePlace, readLimit, readPath, readPlace, readSwitch } from './query-fields.ts';
import { backupOf, describeDifference, describeEntry, describeSnapshot, summarizeSnapshot } from './snapshot-view.ts';

/** Things that one page of differences compares at most. */
const MAX_COMPARED = 200_000;

/** GET /api/snapshots, /api/snapshots/{id}, and what is in one: /entries and /diff/{other}. */
export function snapshotRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(
    '/api/snapshots',
    ofInstallation(deps, (c) => listAll(deps, c)),
  );
  app.get(
    '/api/snapshots/:id',
    ofInstallation(deps, async (c) => {
      const { name, snapshot } = await findNamedSnapshot(deps, c, c.req.param('id') as string);
      return c.json(describeSnapshot(await deps.backupsFile(), deps.backupHost, name, snapshot));
    }),
  );
  app.get(
    '/api/snapshots/:id/entries',
    ofInstallation(deps, (c) => browse(deps, c)),
  );
  app.get(
    '/api/snapshots/:id/diff/:other',
    ofInstallation(deps, (c) => compare(deps, c)),
  );
  return app;
}

/** The newest first. A repository that cannot be opened is named with the reason; where it alone was asked for, that is the answer. */
async function listAll(deps: BackupApiDeps, c: ApiContext): Promise<Response> {
  const [limit, after, isMeant] = [readLimit(c), c.req.query('after'), await readFilter(deps, c)];
  const file = await deps.backupsFile();
  const problems: { repository: string; snapshot?: string; message: string }[] = [];
  const found: { readonly at: string; readonly id: string; readonly json: object }[] = [];
  for (const repository of await namedRepositories(deps, c)) {
    try {
      const opened = await deps.openBackupRepository(repository);
      const snapshots = await listSnapshots(opened.repository, ({ message }, snapshot) => problems.push({ repository, snapshot, message }));
      for (const snapshot of snapshots.filter((each) => isMeant(repository, each)))
        found.push({ at: snapshot.at, id: snapshot.id, json: summarizeSnapshot(file, deps.backupHost, repository, snapshot) });
    } catch (error) {
      if (!isOpsError(error) || c.req.query('repository') !== undefined) throw error;
      problems.push({ repository, message: error.message });
    }
  }
  found.sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
  const page = found.filter((each) => after === undefined || placeOf(each) < after).slice(0, limit + 1);
  const next = page.length > limit ? placeOf(page[limit - 1] as { at: string; id: string }) : undefined;
  return c.json({ snapshots: page.slice(0, limit).map(({ json }) => json), problems, next });
}

const placeOf = ({ at, id }: { readonly at: string; readonly id: string }) => `${at}_${id}`;

async function readFilter(deps: BackupApiDeps, c: ApiContext) {
  const file = await deps.backupsFile();
  const { backup } = c.req.query();
  const tags = c.req.queries('tag') ?? [];
  if (backup !== undefined && !file.backups.some(({ name }) => name === backup))
    throw new OpsError('missing', `backups.yaml has no backup ${JSON.stringify(backup.slice(0, 100))}`);
  return (repository: string, snapshot: Parameters<typeof backupOf>[3]) =>
    tags.every((tag) => snapshot.tags.includes(tag)) &&
    (backup === undefined || backupOf(file, deps.backupHost, repository, snapshot)?.name === backup);
}

async function browse(deps: BackupApiDeps, c: ApiContext): Promise<Response> {
  const input = { path: readPath(c), isRecursive: readSwitch(c, 'recursive'), from: readPlace(c), limit: readLimit(c) };
  const { name, opened, snapshot } = await findNamedSnapshot(deps, c, c.req.param('id') as string);
  const { self, entries, next } = await browseFolder(deps.snapshotReader(opened, [snapshot.id]), snapshot, input);
  return c.json({
    ...{ snapshot: snapshot.id, repository: name, path: input.path, self: self && describeEntry(self) },
    ...{ entries: entries.map(describeEntry), next: encodePlace(next) },
  });
}

/** From the first snapshot to the other, in the repository of the first. */
async function compare(deps: BackupApiDeps, c: ApiContext): Promise<Response> {
  const input = { start: readPlace(c), limit: readLimit(c), maxCompared: MAX_COMPARED };
  const { name, opened, snapshot: from } = await findNamedSnapshot(deps, c, c.req.param('id') as string);
  const to = await findSnapshot(opened.repository, c.req.param('other') as string);
  const { differences, next } = await pageDifferences(deps.snapshotReader(opened, [from.id, to.id]), { from, to }, input);
  return c.json({
    ...{ from: from.id, to: to.id, repository: name },
    ...{ differences: differences.map(describeDifference), next: encodePlace(next) },
  });
}
