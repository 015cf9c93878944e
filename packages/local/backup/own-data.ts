import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFreshSelf } from '#backups/self/self-target.ts';
import type { Config } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { type LazySelf, lazySelf, scratchOfSelf, sourceOfSelf, targetOfSelf } from '#functions/self-places.ts';
import { openLocal } from '#local/open.ts';
import { createSqliteDump } from '#local/sqlite-dump.ts';
import type { Scratch } from '#ports/backup-places.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import { isEmptyTarget } from './inside.ts';

/** The Quarterdeck of a data folder as a source, while a server runs on it too. `missing` where there is none. */
export function openDataSource(folder: string, name: string): Promise<BackupSource> {
  if (existsSync(tableOf(folder))) return sourceOfSelf(openData(folder, Date.now), name);
  throw new OpsError('missing', `${folder} is no data folder of a Quarterdeck`, {
    hint: 'QUARTERDECK_DATA names it, or quarterdeck:PATH.',
  });
}

/** A data folder that is empty, or that an interrupted restore left, as a target; it is made when the first thing is written. */
export function openDataTarget(folder: string, name: string): BackupTarget {
  const target = targetOfSelf(openData(folder, Date.now), name);
  return { ...target, plan: async (item) => (isEmptyTarget(folder) ? 'create' : target.plan(item)) };
}

/** Whether a restore can go there. */
export async function isFreshData(folder: string): Promise<boolean> {
  if (isEmptyTarget(folder)) return true;
  if (!existsSync(tableOf(folder))) return false;
  const self = openData(folder, Date.now);
  try {
    return await isFreshSelf(await self.use());
  } finally {
    await self.close();
  }
}

/** A data folder among the temporary files. */
export function openDataScratch(id: string, config: () => Promise<Config>): Scratch {
  const folder = join(tmpdir(), `quarterdeck-drill-${id}`);
  // At the beginning of time nothing in it has expired.
  const self = openData(folder, () => 0);
  return scratchOfSelf({ self, name: folder, config, remove: () => rm(folder, { recursive: true, force: true }) });
}

function openData(folder: string, clock: Clock): LazySelf {
  return lazySelf(async () => {
    const { table, blobs, close } = await openLocal(folder, clock);
    return { table, blobs, close, dump: createSqliteDump(tableOf(folder), Date.now) };
  });
}

function tableOf(folder: string): string {
  return join(folder, 'table.db');
}
