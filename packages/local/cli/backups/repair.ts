import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type RepairResult, repairRepository } from '#backups/repair/repair-repository.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';

const SHOWN = 50;

/** `quarterdeck repair --repo REPO`: saves what can be saved of a damaged repository. */
export const repairCommand: Command = {
  help: `Usage: quarterdeck repair --repo REPO [--dry-run] [--json]

Reads the whole repository, makes the index anew from the packs, saves sound chunks from damaged packs, and puts in the place of each snapshot that
has lost something one without what is lost, which it lists. Take a backup first, if there still is what it is of: it stores again what is lost.
  --dry-run  says what would be done, and does nothing
Ends with 0 when nothing is lost, 1 when something is, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { repo: { type: 'string' }, 'dry-run': { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    if (values.repo === undefined || positionals.length > 0) {
      console.error('quarterdeck repair takes --repo REPO; --help tells more');
      return 2;
    }
    const { repository } = await openNamedRepository(openLocalPlaces(), values.repo);
    const result = await repairRepository({ clock: Date.now, randomBytes }, { repository, isDryRun: values['dry-run'] });
    console.log(values.json ? JSON.stringify(result, null, 2) : describe(result, values['dry-run']));
    return result.snapshots.length + result.lostSnapshots.length === 0 ? 0 : 1;
  },
};

function describe(result: RepairResult, isDry: boolean): string {
  const { snapshots, lostSnapshots, indexObjects, listedPacks, salvagedPacks } = result;
  const found = [
    [
      salvagedPacks,
      isDry ? 'damaged packs; what is lost with them is known once the rest has been saved' : 'damaged packs, whose sound chunks are saved',
    ],
    [indexObjects, 'damaged parts of the index, made anew from the packs'],
    [listedPacks, 'packs that the index did not name'],
  ] as const;
  const repaired = found.filter(([objects]) => objects.length > 0).map(([objects, what]) => `${formatCount(objects.length)} ${what}`);
  const lines = snapshots.flatMap(({ snapshot, replacedBy, lost, lostCount }) => [
    `snapshot ${snapshot.slice(0, 12)} has lost ${formatCount(lostCount)} items${replacedBy === undefined ? '' : `; the rest is snapshot ${replacedBy.slice(0, 12)}`}`,
    ...lost.slice(0, SHOWN).map(({ path, message }) => `  lost: ${path}: ${message}`),
  ]);
  const gone = lostSnapshots.map(({ snapshot, message }) => `snapshot ${snapshot.slice(0, 12)} is lost: ${message}`);
  const verdict =
    lines.length + gone.length === 0
      ? 'nothing is lost'
      : `${formatCount(snapshots.length + lostSnapshots.length)} snapshots have lost something`;
  return [...repaired, ...lines, ...gone, `${verdict}${isDry ? '; nothing was changed' : ''}`].join('\n');
}
