import { OpsError } from '#core/errors.ts';
import type { RolloutState, Rollouts } from '#ports/rollouts.ts';

/** A flag as the fake has it. */
export interface MemoryRollout {
  readonly tenant: string;
  readonly flag: string;
  readonly variant: string;
  readonly percentage?: number | undefined;
  readonly isKilled?: boolean | undefined;
}

/** Rollouts in memory, with a look inside. */
export interface MemoryRollouts extends Rollouts {
  /** By `tenant/flag`. */
  readonly states: Map<string, RolloutState>;
}

/** Rollouts of these flags, in memory. */
export function createMemoryRollouts(flags: readonly MemoryRollout[]): MemoryRollouts {
  const states = new Map<string, RolloutState>();
  const idOf = (tenant: string, flag: string) => `${tenant}/${flag}`;
  for (const { tenant, flag, variant, percentage = 0, isKilled = false } of flags)
    states.set(idOf(tenant, flag), { variant, percentage, steps: [], version: 1, boundTo: undefined, isKilled });
  const find = (tenant: string, flag: string): RolloutState => {
    const state = states.get(idOf(tenant, flag));
    if (!state) throw new OpsError('missing', `there is no flag ${JSON.stringify(flag)}`);
    return state;
  };
  return {
    states,
    read: async (tenant, flag) => find(tenant, flag),
    async set(tenant, flag, percentage, { expectedVersion, boundTo, steps = [], variant, isForced = false }) {
      const before = find(tenant, flag);
      if (!(percentage >= 0 && percentage <= 100)) throw new OpsError('input', `a percentage is from 0 to 100; got ${percentage}`);
      const bound = boundTo === undefined ? before.boundTo : (boundTo ?? undefined);
      const rounded = Math.round(percentage * 1_000) / 1_000;
      const wanted = { ...before, variant: variant ?? before.variant, percentage: rounded, steps: [...steps], boundTo: bound };
      if (JSON.stringify(wanted) === JSON.stringify(before)) return before;
      if (expectedVersion !== undefined && expectedVersion !== before.version)
        throw new OpsError(
          'conflict',
          `flag ${JSON.stringify(flag)} is at version ${before.version}, and version ${expectedVersion} was to be changed`,
        );
      if (before.boundTo !== undefined && boundTo !== null && boundTo !== before.boundTo && !isForced)
        throw new OpsError('conflict', `the rollout of flag ${JSON.stringify(flag)} is driven by release ${before.boundTo}`);
      const after = { ...wanted, version: before.version + 1 };
      states.set(idOf(tenant, flag), after);
      return after;
    },
  };
}
