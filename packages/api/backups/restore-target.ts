import { basename, dirname, resolve } from 'node:path';
import type { BackupsFile } from '#backups/jobs/backups-file.ts';
import { type Place, parsePlace } from '#backups/places/place.ts';
import { OpsError } from '#core/errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Where a restore that is asked for by API goes, as it is kept. A folder is one right below the folder that the setting names: what an archive puts
 * into one such folder, links above all, never leads the way into another. `denied` for other folders, `input` for this installation itself, which
 * does not survive being written over while it runs, and for places of repositories.
 */
export function restoreTarget(to: string, file: BackupsFile, restoreFolder: string | undefined): string {
  const place = parsePlace(to);
  if (place.type === 'quarterdeck') {
    throw new OpsError('input', 'a running Quarterdeck is not restored into itself', {
      hint: 'Stop it, and run: quarterdeck restore SNAPSHOT --repo REPO --to quarterdeck:',
    });
  }
  const target: Place = place.type === 'folder' ? { type: 'folder', path: allowedFolder(place.path, restoreFolder) } : place;
  for (const [name, { at }] of Object.entries(file.repositories)) {
    if (!overlap(target, parsePlace(at))) continue;
    throw new OpsError('input', `${to} is where the repository ${name} lies`, { hint: 'Restore to another place.' });
  }
  return target.type === 'folder' ? target.path : to;
}

function allowedFolder(path: string, restoreFolder: string | undefined): string {
  if (restoreFolder === undefined) {
    throw new OpsError('denied', 'this server restores to no folder that is named by API', {
      hint: 'QUARTERDECK_RESTORE_FOLDER names the folder that it may restore below; the command line restores anywhere.',
    });
  }
  const full = resolve(restoreFolder, path);
  if (dirname(full) === resolve(restoreFolder) && NAME.test(basename(full))) return full;
  throw new OpsError('denied', `${path} is no folder right below QUARTERDECK_RESTORE_FOLDER`, {
    hint: 'Give one name of letters, digits, dots, dashes and underscores.',
  });
}

/** Whether one place lies in the other. */
function overlap(a: Place, b: Place): boolean {
  if (a.type === 'folder' && b.type === 'folder') return isOneInOther(resolve(a.path), resolve(b.path));
  return a.type === 's3' && b.type === 's3' && a.bucket === b.bucket && isOneInOther(a.prefix, b.prefix);
}

function isOneInOther(a: string, b: string): boolean {
  const within = (inner: string, outer: string) => outer === '' || inner === outer || inner.startsWith(`${outer.replace(/\/$/, '')}/`);
  return within(a, b) || within(b, a);
}
