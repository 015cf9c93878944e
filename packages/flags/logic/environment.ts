import { OpsError } from '#core/errors.ts';

/** What one evaluation sees; made once for a request and handed from flag to flag. */
export interface Environment {
  readonly context: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
  /** Uniform in [0, 1), for what cannot be sticky: a split of somebody without an identity. */
  readonly random: () => number;
  flagKey: string;
  /** What `var` reads: the context, or the element that `map` and the like are at. */
  data: unknown;
  /** Steps that are left of this flag's. */
  steps: number;
  /** Steps that were given to this flag. */
  given: number;
  /** Steps that are left of the request's, those given taken off. */
  left: number;
  /** A split needed the targeting key, and there was none. */
  lacksTargetingKey: boolean;
}

/** Steps of one flag: about two milliseconds where every one is spent. */
const MAX_STEPS = 200_000;
/** Steps of all flags of a request. */
const MAX_REQUEST_STEPS = 4_000_000;

/** The environment of a request. */
export function createEnvironment(context: Readonly<Record<string, unknown>>, nowMs: number, random: () => number): Environment {
  return {
    context,
    nowMs,
    random,
    flagKey: '',
    data: context,
    steps: MAX_STEPS,
    given: MAX_STEPS,
    left: MAX_REQUEST_STEPS - MAX_STEPS,
    lacksTargetingKey: false,
  };
}

/** Makes it ready for the next flag. */
export function startFlag(env: Environment, flagKey: string): void {
  env.flagKey = flagKey;
  env.data = env.context;
  env.left += Math.max(0, env.steps);
  env.given = Math.min(MAX_STEPS, env.left);
  env.left -= env.given;
  env.steps = env.given;
  env.lacksTargetingKey = false;
}

/** Takes steps; `limit` when there are no more. What is paid for is whatever a context can make long. */
export function spend(env: Environment, steps: number): void {
  env.steps -= steps;
  if (env.steps < 0) throw new OpsError('limit', `targeting of ${env.flagKey} takes more than ${env.given} steps with this context`);
}

/** The targeting key; undefined where there is none, or an empty one. */
export function targetingKeyOf({ context }: Environment): string | undefined {
  const key = Object.hasOwn(context, 'targetingKey') ? context.targetingKey : undefined;
  return typeof key === 'string' && key !== '' ? key : undefined;
}
