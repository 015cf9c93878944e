import { OpsError } from '#core/errors.ts';
import type { RolloutState, Rollouts } from '#ports/rollouts.ts';

/** Rollouts of flags in memory, with a look inside. */
export interface MemoryRollouts extends Rollouts {
  readonly flags: Map<string, RolloutState>;
}

/** The Rollouts port over flags by `tenant/key`. */
export function createMemoryRollouts(): MemoryRollouts {
  const flags = new Map<string, RolloutState>();
  const find = (tenant: string, flag: string): RolloutState => {
    const found = flags.get(`${tenant}/${flag}`);
    if (found) return found;
    throw new OpsError('missing', `there is no flag ${flag}`);
  };
  return {
    flags,
    read: async (tenant, flag) => find(tenant, flag),
    async set(tenant, flag, percentage, change) {
      const before = find(tenant, flag);
      const boundTo = change.boundTo === null ? undefined : change.boundTo;
      if (before.percentage === percentage && before.boundTo === boundTo && !change.steps) return before;
      if (change.expectedVersion !== undefined && change.expectedVersion !== before.version)
        throw new OpsError('conflict', `flag ${flag} is at version ${before.version}`);
      const after = { ...before, percentage, boundTo, steps: change.steps ?? [], version: before.version + 1 };
      flags.set(`${tenant}/${flag}`, after);
      return after;
    },
  };
}
