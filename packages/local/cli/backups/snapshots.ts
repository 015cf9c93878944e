import { parseArgs } from 'node:util';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { drawTable } from '#local/cli/text-table.ts';
import { snapshotJson } from './backup.ts';
import { formatBytes, formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';
import { placeName } from './place-name.ts';

/** `quarterdeck snapshots --repo REPO`: what there is to restore. */
export const snapshotsCommand: Command = {
  help: `Usage: quarterdeck snapshots --repo REPO [--source SOURCE] [--host NAME] [--tag TAG]... [--json]

Lists snapshots, the oldest first, by source, host and tags where they are given.
Ends with 0 when done, 1 when it failed, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        source: { type: 'string' },
        host: { type: 'string' },
        tag: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    });
    const { repo, source, host, tag } = values;
    if (repo === undefined || positionals.length > 0) {
      console.error('quarterdeck snapshots takes --repo REPO; --help tells more');
      return 2;
    }
    const { repository } = await openNamedRepository(openLocalPlaces(), repo);
    const isMeant = (each: Snapshot) =>
      (source === undefined || each.source.name === placeName(source)) &&
      (host === undefined || each.host === host) &&
      tag.every((wanted) => each.tags.includes(wanted));
    const snapshots = (await listSnapshots(repository, (error) => console.error(error.message))).filter(isMeant);
    if (values.json) console.log(JSON.stringify(snapshots.map(snapshotJson), null, 2));
    else console.log(snapshots.length === 0 ? 'no snapshots' : draw(snapshots).join('\n'));
    return 0;
  },
};

function draw(snapshots: readonly Snapshot[]): string[] {
  const column = (title: string, align: 'left' | 'right', cellOf: (snapshot: Snapshot) => string) => ({
    ...{ title, align },
    cells: snapshots.map(cellOf),
  });
  return drawTable(
    [
      column('ID', 'left', ({ id }) => id.slice(0, 12)),
      column('TAKEN', 'left', ({ at }) => at.slice(0, 19).replace('T', ' ')),
      column('SOURCE', 'left', ({ source }) => source.name),
      column('HOST', 'left', ({ host }) => host),
      column('KIND', 'left', ({ kind }) => kind),
      column('ITEMS', 'right', ({ counts }) => formatCount(counts.items)),
      column('SIZE', 'right', ({ counts }) => formatBytes(counts.bytes)),
      column('NEW', 'right', ({ counts }) => formatBytes(counts.storedBytes)),
      column('TAGS', 'left', ({ tags }) => tags.join(' ')),
    ],
    process.stdout.columns,
  );
}
