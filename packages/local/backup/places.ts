import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parsePlace } from '#backups/places/place.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { openFolderBlobs } from './folder-blobs.ts';
import { openFolderSource } from './folder-source.ts';
import { openFolderTarget } from './folder-target.ts';
import { isEmptyTarget } from './inside.ts';

/** Places that a process on one machine reaches: folders here, and what is on AWS by its own credentials. The SDK is loaded for the latter alone. */
export function openLocalPlaces(): BackupPlaces {
  const aws = async () => (await import('#functions/aws-places.ts')).openAwsPlaces();
  return {
    async openStore(name, options) {
      const place = parsePlace(name);
      if (place.type === 's3') return (await aws()).openStore(name, options);
      if (place.type !== 'folder')
        throw new OpsError('input', `${name} cannot hold a repository`, { hint: 'It takes a folder or s3://bucket/prefix.' });
      return { blobs: await openFolderBlobs(place.path, options) };
    },
    async openSource(name, options) {
      const place = parsePlace(name);
      if (place.type !== 'folder') return (await aws()).openSource(name, options);
      const { exclude, oneFileSystem } = options;
      const apartFrom = (options.apartFrom ?? []).filter((other) => parsePlace(other).type === 'folder').map((other) => resolve(other));
      return openFolderSource(place.path, { clock: Date.now, exclude, oneFileSystem, apartFrom });
    },
    async openTarget(name, options) {
      const place = parsePlace(name);
      if (place.type !== 'folder') return (await aws()).openTarget(name, options);
      return openFolderTarget(place.path, { sync: 'end' });
    },
    async isEmpty(name) {
      const place = parsePlace(name);
      return place.type === 'folder' ? isEmptyTarget(place.path) : (await aws()).isEmpty(name);
    },
    async openScratch(source, id) {
      if (parsePlace(source).type !== 'folder') return (await aws()).openScratch(source, id);
      const path = join(tmpdir(), `quarterdeck-drill-${id}`);
      return {
        name: path,
        target: await openFolderTarget(path, { sync: 'never' }),
        openSource: () => openFolderSource(path, { clock: Date.now }),
        remove: () => rm(path, { recursive: true, force: true }),
      };
    },
  };
}
