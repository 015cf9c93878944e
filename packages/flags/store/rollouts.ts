import type { Rollouts } from '#ports/rollouts.ts';
import { type ChangeDeps, changeFlag, readCurrent } from './change-flag.ts';
import { planRollout, rolloutState } from './plan-change.ts';

/** The port by which releases drive the rollouts of flags. */
export function createRollouts(deps: ChangeDeps): Rollouts {
  return {
    async read(tenant, flag) {
      return rolloutState(await readCurrent(deps, tenant, flag));
    },
    async set(tenant, flag, percentage, change) {
      const { by, reason } = change;
      const changed = await changeFlag(deps, { tenant, key: flag, by, reason }, (current) => planRollout(current, percentage, change));
      return rolloutState(changed, change.variant);
    },
  };
}
