/** Where traffic goes: how much of it the new version gets. */
export interface TrafficState {
  /** The version that takes what the other does not. */
  readonly stable: string;
  /** The version that is being released; absent where all traffic goes to `stable`. */
  readonly canary?: string | undefined;
  /** Share of the canary in percent, 0 to 100, in steps that the driver can take. */
  readonly weight: number;
}

/** One place of an application whose traffic can be shifted; `target` is the driver's own settings, checked when the configuration was read. */
export interface TrafficTarget {
  readonly tenant: string;
  readonly application: string;
  readonly environment: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Shifts traffic: a Lambda alias, API Gateway's canary, CodeDeploy, a flag, somebody's webhook. Every method may fail with `unavailable`
 * (retryable: it may or may not have taken effect), `denied`, `missing` (the target is not there) and `input` (it cannot do that).
 * Setting what is set already is no error and changes nothing: every call may be repeated.
 */
export interface TrafficDriver {
  /** What holds now, read from the world and not from memory. */
  read(target: TrafficTarget): Promise<TrafficState>;
  /**
   * Makes it so and gives what the world then says. `conflict` if the world was at neither `from` nor `to`: somebody else has changed it, and
   * nothing was set.
   */
  shift(target: TrafficTarget, from: TrafficState, to: TrafficState): Promise<TrafficState>;
  /** Puts back exactly what `capture` held, whatever holds now: settings of the place that a release does not know of too. */
  restore(target: TrafficTarget, captured: CapturedTraffic): Promise<TrafficState>;
  /** What there is before a release, in the driver's own words; kept in the release until it ends. At most 32 KB as JSON. */
  capture(target: TrafficTarget): Promise<CapturedTraffic>;
}

/** Opaque to everybody but the driver. */
export type CapturedTraffic = Readonly<Record<string, unknown>>;

/** The one form of states that mean the same: nothing for the canary is no canary, and all of it makes the canary the stable version. */
export function normalizeTraffic({ stable, canary, weight }: TrafficState): TrafficState {
  if (canary === undefined || canary === stable || weight <= 0) return { stable, weight: 0 };
  return weight >= 100 ? { stable: canary, weight: 0 } : { stable, canary, weight };
}

/** True if traffic goes the same way under both. */
export function isSameTraffic(one: TrafficState, other: TrafficState): boolean {
  const [a, b] = [normalizeTraffic(one), normalizeTraffic(other)];
  return a.stable === b.stable && a.canary === b.canary && Math.abs(a.weight - b.weight) < 1e-6;
}

/** In words, for messages: `90 % to 41, 10 % to 42`. */
export function describeTraffic(state: TrafficState): string {
  const { stable, canary, weight } = normalizeTraffic(state);
  return canary === undefined ? `all to ${stable}` : `${100 - weight} % to ${stable}, ${weight} % to ${canary}`;
}
