import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Place, parsePlace } from '#backups/places/place.ts';
import { openConfigFolder } from '#config/config-folder.ts';
import type { Config } from '#config/load-config.ts';
import { readSettings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import type { BackupPlaces, Scratch, SourceOptions } from '#ports/backup-places.ts';
import { openFolderBlobs } from './folder-blobs.ts';
import { openFolderSource } from './folder-source.ts';
import { openFolderTarget } from './folder-target.ts';
import { isEmptyTarget } from './inside.ts';
import { isFreshData, openDataScratch, openDataSource, openDataTarget } from './own-data.ts';

/** This Quarterdeck, where another is meant than the one of the environment. */
export interface OwnQuarterdeck {
  readonly dataDir: string;
  readonly config: Config;
}

type QuarterdeckPlace = Extract<Place, { type: 'quarterdeck' }>;

/** Places that a process on one machine reaches: folders here, and what is on AWS by its own credentials. The SDK is loaded for the latter alone. */
export function openLocalPlaces(own?: OwnQuarterdeck): BackupPlaces {
  const config = async () => own?.config ?? loadWholeConfig(await openConfigFolder(readSettings().config));
  const aws = async () => (await import('#functions/aws-places.ts')).openAwsPlaces({ config });
  /** Where a name is of this machine; undefined for what is on AWS. */
  const hereOf = (name: string) => {
    const place = parsePlace(name);
    if (place.type === 'folder') return place;
    if (place.type !== 'quarterdeck' || isDeployment(place, own)) return undefined;
    return { ...place, path: place.path || (own?.dataDir ?? readSettings().dataDir) };
  };
  return {
    async openStore(name, options) {
      const place = parsePlace(name);
      if (place.type === 's3') return (await aws()).openStore(name, options);
      if (place.type !== 'folder')
        throw new OpsError('input', `${name} cannot hold a repository`, { hint: 'It takes a folder or s3://bucket/prefix.' });
      return { blobs: await openFolderBlobs(place.path, options) };
    },
    async openSource(name, options) {
      const here = hereOf(name);
      if (!here) return (await aws()).openSource(name, options);
      return here.type === 'folder' ? openFolder(here.path, options) : openDataSource(here.path, name);
    },
    async openTarget(name, options) {
      const here = hereOf(name);
      if (!here) return (await aws()).openTarget(name, options);
      return here.type === 'folder' ? openFolderTarget(here.path, { sync: 'end' }) : openDataTarget(here.path, name);
    },
    async isEmpty(name) {
      const here = hereOf(name);
      if (!here) return (await aws()).isEmpty(name);
      return here.type === 'folder' ? isEmptyTarget(here.path) : isFreshData(here.path);
    },
    async openScratch(source, id) {
      const here = hereOf(source);
      if (!here) return (await aws()).openScratch(source, id);
      return here.type === 'folder' ? openFolderScratch(id) : openDataScratch(id, config);
    },
    openChangeLog: async (source, store) => (await aws()).openChangeLog(source, store),
  };
}

/** `quarterdeck:` alone is the deployment on AWS where that is what the environment says. */
function isDeployment({ path }: QuarterdeckPlace, own: OwnQuarterdeck | undefined): boolean {
  return path === '' && own === undefined && readSettings().backend === 'aws';
}

function openFolder(path: string, { exclude, oneFileSystem, apartFrom = [] }: SourceOptions) {
  const folders = apartFrom.filter((other) => parsePlace(other).type === 'folder').map((other) => resolve(other));
  return openFolderSource(path, { clock: Date.now, exclude, oneFileSystem, apartFrom: folders });
}

async function openFolderScratch(id: string): Promise<Scratch> {
  const path = join(tmpdir(), `quarterdeck-drill-${id}`);
  return {
    name: path,
    target: await openFolderTarget(path, { sync: 'never' }),
    openSource: () => openFolderSource(path, { clock: Date.now }),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
