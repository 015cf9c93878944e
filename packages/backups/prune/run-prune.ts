import { packKey } from '#backups/format/layout.ts';
import type { Sealing } from '#backups/format/sealed-object.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import type { Retention } from '#ports/object-lock.ts';
import { tidySessions, type WaitingFor } from './await-sessions.ts';
import { carryOut } from './carry-out.ts';
import { condemnPacks } from './condemn.ts';
import { condemnedIds, condemnedPacks } from './condemned.ts';
import { findUsed, measureUse } from './pack-use.ts';
import { type PrunePlan, planPrune } from './plan-prune.ts';

export interface PruneInput {
  readonly repository: Repository;
  /** After how long without a sign of life a session is ended by force; what may be lost by it is that session's work. Default one day. */
  readonly graceMs?: number | undefined;
  /** Default 0.05. */
  readonly maxUnusedRatio?: number | undefined;
  /** Object Lock, where the store has it. */
  readonly retention?: Retention | undefined;
  /** For how long what is in use must stay locked. */
  readonly lockForMs?: number | undefined;
}

export interface PruneResult {
  readonly plan: PrunePlan;
  readonly deletedPacks: number;
  /** Condemned packs that turned out to be needed. */
  readonly sparedPacks: number;
  /** Sessions that keep condemned packs from being deleted; a later prune goes on. */
  readonly waiting: readonly WaitingFor[];
}

const GRACE_MS = 86_400_000;

/** What a prune would do, without doing it. */
export async function readPrunePlan(deps: BackupDeps, input: PruneInput): Promise<PrunePlan> {
  return (await makePlan(deps, input)).plan;
}

/**
 * Frees what no snapshot refers to, in two phases: first it condemns packs, then deletes those that stand condemned, as soon as all sessions have
 * ended that may use them; that is at once where none is open, and else in a later prune. Backups, restores and other prunes may run meanwhile. Called
 * again after a crash it goes on. `conflict` or `input` where the repository is damaged: then nothing is deleted.
 */
export async function runPrune(deps: BackupDeps, input: PruneInput): Promise<PruneResult> {
  const { repository, retention } = input;
  const sealing: Sealing = { secrets: repository.secrets, randomBytes: deps.randomBytes };
  const at = new Date(deps.clock()).toISOString();
  const { plan, used } = await makePlan(deps, input);
  for (const { packId, untilMs } of plan.extend) await retention?.extend(packKey(packId), untilMs);
  await condemnPacks(sealing, repository, plan, used, at);
  const waiting: WaitingFor[] = [];
  let deletedPacks = 0;
  let sparedPacks = 0;
  for (const id of await condemnedIds(repository)) {
    const carried = await carryOut(sealing, repository, id, { at, retention, nowMs: deps.clock(), graceMs: input.graceMs ?? GRACE_MS });
    if (carried?.state === 'waiting') waiting.push(...carried.for);
    if (carried?.state !== 'done') continue;
    deletedPacks += carried.deletedPacks.length;
    sparedPacks += carried.sparedPacks.length;
  }
  await tidySessions(repository);
  return { plan, deletedPacks, sparedPacks, waiting: [...new Map(waiting.map((one) => [one.session, one])).values()] };
}

async function makePlan(deps: BackupDeps, input: PruneInput): Promise<{ plan: PrunePlan; used: ChunkIndex }> {
  const { repository, retention, lockForMs, maxUnusedRatio = 0.05 } = input;
  const condemned = await condemnedPacks(repository);
  const used = await findUsed(repository);
  const packs = await measureUse(repository, used, condemned, retention);
  return { plan: planPrune(packs, { maxUnusedRatio, nowMs: deps.clock(), lockForMs }), used };
}
