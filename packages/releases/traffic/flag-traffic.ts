import { OpsError } from '#core/errors.ts';
import { FlagSettings } from '#model/traffic-settings.ts';
import type { RolloutState, Rollouts } from '#ports/rollouts.ts';
import { describeTraffic, normalizeTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';

/** What has all traffic while nobody is in the rollout, and when everybody is and no release drives it. */
const OFF = 'off';
const ON = 'on';

/**
 * A flag's rollout as traffic: its percentage is the weight of the version that is released, which the flag is bound to meanwhile, so that nobody
 * moves it by hand without saying so. A flag that is killed has no traffic. One with planned shares is not driven: they would go on beside the
 * release. At the end, either way, it is bound to nobody.
 */
export function createFlagTraffic(rollouts: Rollouts): TrafficDriver {
  return {
    read: async (target) => stateOf(await readRollout(rollouts, target)),
    async shift(target, from, to) {
      const { tenant } = target;
      const { flag } = FlagSettings.parse(target.settings);
      const state = await rollouts.read(tenant, flag);
      const boundTo = boundOf(to);
      if (isThere(state, to)) return to;
      refuseShift(flag, state, from, to);
      const reason = `a release shifts traffic: ${describeTraffic(to)}`;
      const by = `release of ${boundOf(to) ?? boundOf(from) ?? target.application}`;
      await rollouts.set(tenant, flag, percentageOf(to), { expectedVersion: state.version, by, reason, boundTo: boundTo ?? null });
      return to;
    },
    async capture(target) {
      const { percentage, steps, variant } = await readRollout(rollouts, target);
      if (steps.length > 0) throw hasPlans(target);
      return { percentage, variant };
    },
    async restore(target, captured) {
      const { percentage } = captured as { percentage: number };
      const { flag } = FlagSettings.parse(target.settings);
      const change = { by: `release of ${target.application}`, reason: 'a release has failed', boundTo: null, isForced: true };
      return stateOf(await rollouts.set(target.tenant, flag, percentage, change));
    },
  };
}

/** Put back after a failure, they would give the failed version traffic when their time comes. */
function hasPlans({ settings }: TrafficTarget): OpsError {
  return new OpsError(
    'conflict',
    `flag ${FlagSettings.parse(settings).flag} has planned shares of its own, beside which no release can drive it`,
    {
      hint: 'Take them away: set the rollout without steps. The release goes on then.',
    },
  );
}

function readRollout(rollouts: Rollouts, { tenant, settings }: TrafficTarget): Promise<RolloutState> {
  return rollouts.read(tenant, FlagSettings.parse(settings).flag);
}

function stateOf({ percentage, boundTo, isKilled }: RolloutState): TrafficState {
  return normalizeTraffic({ stable: OFF, canary: boundTo ?? ON, weight: isKilled ? 0 : percentage });
}

/** Percent of people that are in under a state of traffic. */
function percentageOf(state: TrafficState): number {
  const { stable, canary, weight } = normalizeTraffic(state);
  if (canary !== undefined) return weight;
  return stable === OFF ? 0 : 100;
}

/** The version whose rollout it is; undefined once all or nothing is out. */
function boundOf(state: TrafficState): string | undefined {
  return normalizeTraffic(state).canary;
}

function isThere(state: RolloutState, to: TrafficState): boolean {
  return !state.isKilled && state.percentage === percentageOf(to) && state.boundTo === boundOf(to);
}

function refuseShift(flag: string, state: RolloutState, from: TrafficState, to: TrafficState): void {
  const refuse = (why: string) => {
    throw new OpsError('conflict', `flag ${flag} ${why}; nothing was changed`);
  };
  if (state.isKilled && percentageOf(to) > 0) refuse('was turned off for everybody');
  if (percentageOf(from) === 100 && boundOf(to) !== undefined) refuse('is at 100 % already: there is nobody left to roll out to');
  if (state.boundTo !== undefined && state.boundTo !== boundOf(from) && state.boundTo !== boundOf(to))
    refuse(`is driven by ${state.boundTo}`);
  if (!state.isKilled && state.percentage !== percentageOf(from))
    refuse(`is at ${state.percentage} %, and ${percentageOf(from)} % was expected`);
}
