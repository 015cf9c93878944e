import { createChangeSeal } from '#backups/format/change-seal.ts';
import { idOfKey, SNAPSHOTS } from '#backups/format/layout.ts';
import { listAll, type Repository } from '#backups/repository/repository.ts';
import { findSnapshot, listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlaces } from '#ports/backup-places.ts';
import { type ChangeLog, endOfSecond, planReplay, type ReplayMoment } from '#ports/change-log.ts';

export interface PointInTimeDeps {
  readonly repository: Repository;
  readonly places: Pick<BackupPlaces, 'openChangeLog'>;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface PointInTimeInput {
  /** A base, or `latest`: the newest before the moment. */
  readonly snapshot: string;
  /** Where it is restored to: a table, whole. */
  readonly to: string;
  /** To the end of this second. */
  readonly atMs: number;
}

/** A base that is to be restored, and then brought to its moment. */
export interface PointInTime {
  readonly base: Snapshot;
  /** After the base is restored, whole; from its beginning each time. Gives how many changes there were. */
  replay(): Promise<number>;
}

/** Opens the change log of a source in its repository. */
export function openLogOf({ repository, places, randomBytes }: PointInTimeDeps, source: string): Promise<ChangeLog> {
  return places.openChangeLog(source, {
    blobs: repository.blobs,
    seal: createChangeSeal({ secrets: repository.secrets, randomBytes }),
  });
}

/**
 * The base from which a table is restored to a second. Checked before anything is restored: `input` where no snapshot is early enough, or where
 * `latest` could be of several tables; `missing` and `conflict` where the change log does not reach to the moment.
 */
export async function openPointInTime(deps: PointInTimeDeps, { snapshot, to, atMs }: PointInTimeInput): Promise<PointInTime> {
  if (!to.startsWith('dynamodb:')) throw new OpsError('input', `only tables are restored to a moment in between, and ${to} is none`);
  const { base, endedAtMs } = await findBase(deps.repository, snapshot, atMs);
  const log = await openLogOf(deps, base.source.name);
  const moment: ReplayMoment = { base: base.guarantee, baseEndedAtMs: endedAtMs, momentMs: atMs };
  await log.assertReaches(moment);
  return { base, replay: async () => (await log.replay(to, moment)).changes };
}

interface Base {
  readonly base: Snapshot;
  /** When it was put, by the store's clock: all had been read then. */
  readonly endedAtMs: number;
}

async function findBase(repository: Repository, name: string, atMs: number): Promise<Base> {
  const putAtMs = new Map((await listAll(repository.blobs, SNAPSHOTS)).map(({ key, modifiedAtMs }) => [idOfKey(key), modifiedAtMs]));
  const asBase = (base: Snapshot): Base => ({ base, endedAtMs: putAtMs.get(base.id) ?? Number.POSITIVE_INFINITY });
  if (name !== 'latest') return asBase(await findSnapshot(repository, name));
  const tables = (await listSnapshots(repository, () => undefined)).filter(({ source }) => source.type === 'dynamodb');
  const names = [...new Set(tables.map(({ source }) => source.name))];
  if (names.length > 1) {
    throw new OpsError('input', `the latest snapshot before then could be of any of ${names.join(', ')}`, {
      hint: 'Name the snapshot to start from: the last one of the table before the moment.',
    });
  }
  const early = tables.map(asBase).filter(({ base, endedAtMs }) => {
    const { earliestMs } = planReplay({ base: base.guarantee, baseEndedAtMs: endedAtMs, momentMs: atMs });
    return earliestMs <= endOfSecond(atMs);
  });
  const newest = early.sort((a, b) => Date.parse(a.base.guarantee.at) - Date.parse(b.base.guarantee.at)).at(-1);
  if (newest) return newest;
  throw new OpsError('input', `no snapshot of a table is from before ${new Date(atMs).toISOString()}`, {
    hint: 'A snapshot counts once all of it has been read.',
  });
}
