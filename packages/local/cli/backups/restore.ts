import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import type { EntryFilter } from '#backups/entries/entry-filter.ts';
import { BEFORE_RESTORE, findSnapshot, type Snapshot } from '#backups/repository/snapshots.ts';
import { assertSaved } from '#backups/restore/assert-saved.ts';
import { planRestore } from '#backups/restore/plan-restore.ts';
import { openPointInTime, type PointInTime } from '#backups/restore/point-in-time.ts';
import { type RestoreResult, runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { OpsError } from '#core/errors.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { usEast1 } from '#model/prices.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { createJobDisplay, formatBytes, formatCount, type JobDisplay } from './job-display.ts';
import { type OpenedRepository, openNamedRepository } from './open-repository.ts';
import { placeName } from './place-name.ts';

const SHOWN = 50;

interface Request {
  readonly places: BackupPlaces;
  readonly opened: OpenedRepository;
  readonly snapshot: Snapshot;
  /** What follows the snapshot, where it is to be as of a moment. */
  readonly moment: PointInTime | undefined;
  readonly to: string;
  readonly filter: EntryFilter;
  readonly isJson: boolean;
}

/** `quarterdeck restore SNAPSHOT|latest --repo REPO --to TARGET`. */
export const restoreCommand: Command = {
  help: `Usage: quarterdeck restore SNAPSHOT|latest --repo REPO --to TARGET [--at TIME] [--include PATH]... [--exclude PATH]... [--dry-run]
                           [--yes] [--json]

TARGET is a folder, dynamodb:TABLE (which is made), s3://bucket/prefix or quarterdeck: (an empty data folder). What is there already as the
snapshot has it is kept, so that a restore that was interrupted is simply started again. All content is verified before it is written.
  --at TIME       as at the end of that second, such as 2026-11-27T12:00:00Z, of a table whose changes are kept; latest is then the
                  newest snapshot before it
  --include PATH  only this and what is below it; may be repeated
  --exclude PATH  but not this
  --dry-run       says what it would do, and how much it would read
  --yes           writes into a TARGET that is not empty; first a snapshot of the TARGET is taken into REPO, with the tag before-restore
Ends with 0 when all is restored, 1 when something is missing, each named, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        to: { type: 'string' },
        at: { type: 'string' },
        include: { type: 'string', multiple: true, default: [] },
        exclude: { type: 'string', multiple: true, default: [] },
        'dry-run': { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [name] = positionals;
    const { repo, to } = values;
    const atMs = values.at === undefined ? undefined : Date.parse(values.at);
    if (name === undefined || positionals.length > 1 || repo === undefined || to === undefined || Number.isNaN(atMs)) {
      console.error('quarterdeck restore takes one SNAPSHOT or latest, --repo REPO, --to TARGET and a time in --at; --help tells more');
      return 2;
    }
    const places = openLocalPlaces();
    const opened = await openNamedRepository(places, repo);
    const { repository } = opened;
    const moment =
      atMs === undefined ? undefined : await openPointInTime({ repository, places, randomBytes }, { snapshot: name, to, atMs });
    const snapshot = moment?.base ?? (await findSnapshot(repository, name));
    const filter = { include: values.include.length > 0 ? values.include : undefined, exclude: values.exclude };
    const request: Request = { places, opened, snapshot, moment, to, filter, isJson: values.json };
    if (values['dry-run']) return tellPlan(request);
    if (!(await places.isEmpty(to))) await secureTarget(request, values.yes);
    return restore(request);
  },
};

async function tellPlan({ places, opened, snapshot, to, filter, isJson }: Request): Promise<number> {
  const target = await places.openTarget(to, { overwrite: true });
  const plan = await planRestore({ repository: opened.repository, snapshot, target, filter }).finally(() => target.close?.());
  if (isJson) console.log(JSON.stringify(plan, null, 2));
  else {
    const { create, replace, keep, bytes, storedBytes, requests, lostPaths } = plan;
    console.log(
      `would create ${formatCount(create)}, replace ${formatCount(replace)} and keep ${formatCount(keep)} items, ${formatBytes(bytes)},`,
    );
    console.log(`reading ${formatBytes(storedBytes)} by at most ${formatCount(requests)} requests, ${dollarsOf(requests)} on S3`);
    for (const path of lostPaths.slice(0, SHOWN)) console.log(`  cannot be restored: ${path}`);
  }
  return 0;
}

/** Requests alone: reading from the same region costs nothing more. */
function dollarsOf(requests: number): string {
  return `$${(requests * usEast1.blobGet.standard).toFixed(4)}`;
}

/** Nothing is replaced that has not been saved before. */
async function secureTarget({ places, opened, to, filter }: Request, isAllowed: boolean): Promise<void> {
  if (!isAllowed) {
    throw new OpsError('conflict', `${to} is not empty`, {
      hint: 'Restore beside it, or say --yes: what is there is then backed up first, and what the snapshot has is put in its place.',
    });
  }
  const source = await places.openSource(placeName(to), { apartFrom: [opened.name] });
  try {
    const input = { repository: opened.repository, source, kind: 'incremental', host: hostname(), tags: [BEFORE_RESTORE] } as const;
    const result = await takeBackup({ clock: Date.now, randomBytes }, input);
    if (result.state !== 'done') throw new RangeError('a backup without an end of time was interrupted');
    await assertSaved(opened.repository, result.snapshot, filter);
    console.error(`${to} as it was is snapshot ${result.snapshot.id.slice(0, 12)}`);
  } finally {
    await source.close();
  }
}

async function restore({ places, opened, snapshot, moment, to, filter, isJson }: Request): Promise<number> {
  const target = await places.openTarget(to, { overwrite: true });
  const display: JobDisplay = createJobDisplay(process.stderr, Date.now);
  try {
    const result = await runRestore({
      ...{ repository: opened.repository, snapshot, target, filter },
      onProgress: ({ path, items, bytes }) => display.show(path, () => `${formatCount(items)} items, ${formatBytes(bytes)}`),
    });
    const changes = await moment?.replay();
    display.clear();
    console.log(isJson ? JSON.stringify({ snapshot: snapshot.id, to, ...result, changes }, null, 2) : describe(result, snapshot, to));
    if (changes !== undefined && !isJson) console.log(`and brought it on by ${formatCount(changes)} changes`);
    return result.missing.length === 0 ? 0 : 1;
  } finally {
    display.clear();
    await target.close?.();
  }
}

function describe({ created, replaced, kept, bytes, missing }: RestoreResult, { id }: Snapshot, to: string): string {
  return [
    `restored ${id.slice(0, 12)} to ${to}: ${formatCount(created)} created, ${formatCount(replaced)} replaced, ${formatCount(kept)} kept, ${formatBytes(bytes)}`,
    ...missing.slice(0, SHOWN).map(({ path, message }) => `  missing: ${path}: ${message}`),
    ...(missing.length > SHOWN ? [`  and ${formatCount(missing.length - SHOWN)} more; --json lists them all`] : []),
  ].join('\n');
}
