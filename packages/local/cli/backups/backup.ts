import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { BackupKind, type Snapshot } from '#backups/repository/snapshots.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { createJobDisplay, formatBytes, formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';
import { placeName } from './place-name.ts';

const FAULTS_SHOWN = 20;

/** `quarterdeck backup SOURCE --repo REPO`: takes a snapshot. */
export const backupCommand: Command = {
  help: `Usage: quarterdeck backup SOURCE --repo REPO [--kind KIND] [--tag TAG]... [--exclude PATTERN]... [--one-file-system]
                          [--host NAME] [--parent SNAPSHOT] [--session ID] [--json]

SOURCE is a folder, dynamodb:TABLE, s3://bucket/prefix, or quarterdeck: for the data of this Quarterdeck. REPO is a folder or
s3://bucket/prefix; the first backup makes it. QUARTERDECK_BACKUP_PASSPHRASE unlocks it: without it nobody can read what is there.
  --kind KIND       ${BackupKind.options.join(', ')}. full reads every byte again, incremental (the default) what changed since the last
                    snapshot, differential since the last full one; snapshot is of one moment, at what that costs
  --tag TAG         words to find it by; may be repeated
  --exclude PATTERN what is left out of a folder, as in a .gitignore; may be repeated
  --one-file-system does not go into folders that are mounts
  --host NAME       whose snapshots it belongs to; default: this machine's name
  --parent SNAPSHOT compares with this one instead
  --session ID      goes on with a backup that was interrupted
Interrupted by Ctrl-C it stops at a good place and says how to go on. Ends with 0 when done, 1 when it failed or something could not be
read, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        kind: { type: 'string', default: 'incremental' },
        tag: { type: 'string', multiple: true, default: [] },
        exclude: { type: 'string', multiple: true, default: [] },
        'one-file-system': { type: 'boolean', default: false },
        host: { type: 'string', default: hostname() },
        parent: { type: 'string' },
        session: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const kind = BackupKind.safeParse(values.kind);
    const [name] = positionals;
    const { repo } = values;
    if (name === undefined || positionals.length > 1 || repo === undefined || !kind.success) {
      const problem = kind.success ? 'takes one SOURCE and --repo REPO' : `--kind takes ${BackupKind.options.join(', ')}`;
      console.error(`quarterdeck backup ${problem}; --help tells more`);
      return 2;
    }
    const places = openLocalPlaces();
    const { repository } = await openNamedRepository(places, repo, { create: true });
    const options = {
      exclude: values.exclude,
      oneFileSystem: values['one-file-system'],
      moment: kind.data === 'snapshot',
      apartFrom: [repo],
    };
    const source = await places.openSource(placeName(name), options);
    const display = createJobDisplay(process.stderr, Date.now);
    const stop = stopOnInterrupt();
    try {
      const result = await takeBackup(
        { clock: Date.now, randomBytes },
        {
          ...{ repository, source, kind: kind.data, host: values.host, tags: values.tag, parent: values.parent, session: values.session },
          remainingMs: stop.remainingMs,
          onProgress: ({ path, items, readBytes, newBytes }) =>
            display.show(path, () => `${formatCount(items)} items, ${formatBytes(readBytes)} read, ${formatBytes(newBytes)} new`),
        },
      );
      display.clear();
      if (result.state === 'continued') return tellInterrupted(result.session, args);
      console.log(values.json ? JSON.stringify(snapshotJson(result.snapshot), null, 2) : describe(result.snapshot));
      return result.snapshot.faultCount === 0 ? 0 : 1;
    } finally {
      display.clear();
      stop.end();
      await source.close();
    }
  },
};

/** From the first Ctrl-C on there is no time left; the second ends the process as ever. */
function stopOnInterrupt() {
  let isOver = false;
  const onInterrupt = () => {
    isOver = true;
  };
  process.once('SIGINT', onInterrupt);
  return { remainingMs: () => (isOver ? 0 : Number.POSITIVE_INFINITY), end: () => process.off('SIGINT', onInterrupt) };
}

function tellInterrupted(session: string, args: readonly string[]): number {
  const again = args.includes('--session') ? args : [...args, '--session', session];
  console.error(`Interrupted. What is there is kept; go on with\n  quarterdeck backup ${again.map(quote).join(' ')}`);
  return 1;
}

function quote(argument: string): string {
  return /^[\w./:=@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A snapshot as commands print it for machines. */
export function snapshotJson({ entries: _, ...rest }: Snapshot) {
  return rest;
}

function describe({ id, source, kind, counts, guarantee, faults, faultCount }: Snapshot): string {
  const { items, bytes, newItems, changedItems, unchangedItems, newBytes, storedBytes } = counts;
  return [
    `snapshot ${id.slice(0, 12)} of ${source.name} (${kind})`,
    `  ${formatCount(items)} items, ${formatBytes(bytes)}: ${formatCount(newItems)} new, ${formatCount(changedItems)} changed, ${formatCount(unchangedItems)} as before`,
    `  ${formatBytes(newBytes)} were new, ${formatBytes(storedBytes)} stored`,
    `  ${guarantee.sentence}`,
    ...faults.slice(0, FAULTS_SHOWN).map(({ path, message }) => `  not read: ${path}: ${message}`),
    ...(faultCount > FAULTS_SHOWN ? [`  and ${formatCount(faultCount - FAULTS_SHOWN)} more that could not be read`] : []),
  ].join('\n');
}
