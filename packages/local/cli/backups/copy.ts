import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { copySnapshots } from '#backups/copy/copy-snapshots.ts';
import { findSnapshot } from '#backups/repository/snapshots.ts';
import { readSettings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { snapshotJson } from './backup.ts';
import { formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';

/** `quarterdeck copy --from REPO --to REPO`: snapshots in a second place. */
export const copyCommand: Command = {
  help: `Usage: quarterdeck copy [SNAPSHOT...] --from REPO --to REPO [--json]

Copies snapshots (all, if none is named) without reading what they were taken of. Those that were copied before are not copied again. The other
repository is made where it is not there, and has a key of its own: QUARTERDECK_BACKUP_PASSPHRASE_TO unlocks it, or else
QUARTERDECK_BACKUP_PASSPHRASE.
Ends with 0 when done, 1 when it failed, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { from: { type: 'string' }, to: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (values.from === undefined || values.to === undefined) {
      console.error('quarterdeck copy takes --from REPO and --to REPO; --help tells more');
      return 2;
    }
    const places = openLocalPlaces();
    const from = await openNamedRepository(places, values.from);
    const to = await openNamedRepository(places, values.to, { create: true, passphrase: readSettings().backupPassphraseTo });
    if (to.repository.id === from.repository.id) throw new OpsError('input', `${values.to} is ${values.from} itself`);
    const named = await Promise.all(positionals.map((name) => findSnapshot(from.repository, name)));
    const { copied, there } = await copySnapshots(
      { clock: Date.now, randomBytes },
      {
        ...{ from: from.repository, to: to.repository, snapshots: named.length > 0 ? named : undefined },
        onCopied: ({ id, copyOf }) => {
          if (!values.json) console.log(`copied ${copyOf?.snapshot.slice(0, 12)} as ${id.slice(0, 12)}`);
        },
      },
    );
    if (values.json) console.log(JSON.stringify({ copied: copied.map(snapshotJson), there: there.map(snapshotJson) }, null, 2));
    else console.log(`${formatCount(copied.length)} snapshots copied, ${formatCount(there.length)} were there already`);
    return 0;
  },
};
