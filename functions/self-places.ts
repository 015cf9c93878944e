import { openSelfSource } from '#backups/self/self-source.ts';
import { isFreshSelf, openSelfTarget } from '#backups/self/self-target.ts';
import { type Config, tenantSettings } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import type { Scratch } from '#ports/backup-places.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import type { TableDump } from '#ports/table-dump.ts';
import { createQueryPort } from '#query/query-port.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { createDeps } from './deps.ts';

/** The data of a Quarterdeck: a data folder, or table and bucket of a deployment. */
export interface SelfData {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly dump: TableDump;
  close(): Promise<void>;
}

/** Opens the data when it is first asked for, and again after it was closed. */
export interface LazySelf {
  use(): Promise<SelfData>;
  close(): Promise<void>;
}

const CACHE_BYTES = 32 * 1024 * 1024;

export function lazySelf(open: () => Promise<SelfData>): LazySelf {
  let opening: Promise<SelfData> | undefined;
  return {
    use() {
      // What could not be opened is tried again the next time.
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async close() {
      const opened = opening;
      opening = undefined;
      await (await opened)?.close();
    },
  };
}

/** A Quarterdeck as a source; closing it lets go of the data. */
export async function sourceOfSelf(self: LazySelf, name: string, options: { readonly isStill?: boolean } = {}): Promise<BackupSource> {
  const source = openSelfSource({ ...(await self.use()), name, ...options });
  return {
    ...source,
    async close() {
      await source.close();
      await self.close();
    },
  };
}

/** A Quarterdeck as a target: `conflict` where something is in it that no interrupted restore left, unless it is `known` to be ours. */
export function targetOfSelf(self: LazySelf, name: string, known = false): BackupTarget {
  let opening: Promise<BackupTarget> | undefined;
  const open = async () => {
    const data = await self.use();
    if (known || (await isFreshSelf(data))) return openSelfTarget({ ...data, name });
    throw new OpsError('conflict', `${name} has data already, and a Quarterdeck is only restored whole`, {
      hint: 'Restore into an empty data folder, or an empty table and bucket.',
    });
  };
  const use = () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    type: 'quarterdeck',
    name,
    plan: async (item) => (await use()).plan(item),
    write: async (item) => (await use()).write(item),
    finish: async () => (await use()).finish(),
    close: self.close,
  };
}

export interface SelfScratchDeps {
  readonly self: LazySelf;
  readonly name: string;
  /** The configuration that samples are asked under: limits and retention. */
  readonly config: () => Promise<Config>;
  readonly remove: () => Promise<void>;
}

/** A place beside for a Quarterdeck, which can be asked. */
export function scratchOfSelf({ self, name, config, remove }: SelfScratchDeps): Scratch {
  return {
    name,
    target: targetOfSelf(self, name, true),
    async openSource() {
      // What is read back stays open for what follows.
      return openSelfSource({ ...(await self.use()), name, isStill: true });
    },
    query: async (tenant, expr, atMs) => queryAsOf(await self.use(), await config(), { tenant, expr, atMs }),
    close: self.close,
    async remove() {
      await self.close();
      await remove();
    },
  };
}

interface Question {
  readonly tenant: string;
  readonly expr: string;
  readonly atMs: number;
}

/** Asks the samples as if it were that instant: retention counts from there too. */
async function queryAsOf({ table, blobs }: SelfData, config: Config, { tenant, expr, atMs }: Question): Promise<readonly number[]> {
  const { source } = createDeps({ table, blobs, bus: { publish: refuse }, uploads: { presign: refuse } }, config, {
    now: () => atMs,
    observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
    cache: createReadCache(CACHE_BYTES),
    inlineBytes: 0,
    graceMs: 0,
    pause: async () => {},
    externalUrl: '',
    allowPrivateTargets: false,
  });
  const query = createQueryPort({ source, limits: tenantSettings(config, tenant).queryLimits, now: Date.now });
  return (await query.instant({ tenant, expr, atMs })).samples.map(({ value }) => value);
}

function refuse(): Promise<never> {
  return Promise.reject(new OpsError('denied', 'what was restored for a drill is only read'));
}
