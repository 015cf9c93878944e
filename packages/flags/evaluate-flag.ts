import { isOpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import type { CompiledFlag, CompiledRollout } from './compile-flag.ts';
import { type Environment, startFlag, targetingKeyOf } from './logic/environment.ts';
import { bucketOf } from './logic/fractional.ts';
import { readPath } from './logic/values.ts';
import { murmur3 } from './murmur3.ts';

/** OpenFeature's reasons, as far as a flag here has them. */
export type Reason = 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED';

/** What a flag comes to. Without a variant there is no value either: the code's own default holds. */
export type Evaluation =
  | { readonly reason: Reason; readonly variant?: string | undefined; readonly value?: Json | undefined }
  | { readonly errorCode: 'GENERAL' | 'TARGETING_KEY_MISSING'; readonly errorDetails: string };

/** Thousandths of a percent. */
const PARTS = 100_000;

/**
 * What a flag gives in this environment. Turned off comes before everything, then the time that the flag has, then targeting; where that decides
 * nothing, the rollout, and last the default variant. Only a defect throws.
 */
export function evaluateFlag(flag: CompiledFlag, env: Environment): Evaluation {
  if (!flag.isEnabled) return { reason: 'DISABLED' };
  if (flag.kill) return give(flag, flag.kill.variant, 'DISABLED');
  if (env.nowMs < flag.activeFromMs || env.nowMs >= flag.activeUntilMs) return give(flag, flag.defaultVariant, 'DEFAULT');
  startFlag(env, flag.key);
  if (flag.targeting) {
    const decided = target(flag, flag.targeting, env);
    if (decided) return decided;
  }
  if (flag.rollout) return evaluateRollout(flag, flag.rollout, env);
  return give(flag, flag.defaultVariant, flag.targeting ? 'DEFAULT' : flag.defaultVariant === undefined ? 'DEFAULT' : 'STATIC');
}

function give(flag: CompiledFlag, variant: string | undefined, reason: Reason): Evaluation {
  // A flag may have been turned off to a variant that it has no more.
  return variant === undefined || !flag.variants.has(variant) ? { reason } : { reason, variant, value: flag.variants.get(variant) };
}

function target(flag: CompiledFlag, targeting: (env: Environment) => unknown, env: Environment): Evaluation | undefined {
  let result: unknown;
  try {
    result = targeting(env);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return { errorCode: 'GENERAL', errorDetails: error.message };
  }
  if (result === null || result === undefined) return env.lacksTargetingKey ? lacksKey(flag) : undefined;
  const variant = typeof result === 'object' ? undefined : String(result);
  if (variant !== undefined && flag.variants.has(variant)) return give(flag, variant, 'TARGETING_MATCH');
  const got = typeof result === 'object' ? 'a list or an object' : JSON.stringify(String(result).slice(0, 100));
  return { errorCode: 'GENERAL', errorDetails: `targeting of ${flag.key} gave ${got}, which is no variant` };
}

function lacksKey({ key }: CompiledFlag): Evaluation {
  return { errorCode: 'TARGETING_KEY_MISSING', errorDetails: `${key} is split by targetingKey, and the context has none` };
}

/** The percentage that holds at a time: of the last step that holds then, else the rollout's own. */
export function percentageAt({ percentage, steps }: Pick<CompiledRollout, 'percentage' | 'steps'>, nowMs: number): number {
  return steps.findLast(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs)?.percentage ?? percentage;
}

/**
 * Whether somebody is in at a percentage: `(murmur3(salt + key) * 100000) >> 32` is below a thousand times the percentage. That place does not
 * depend on the percentage, so that who is in at one is in at every larger one; and it is where flagd's `fractional` over two shares puts them.
 */
export function isRolledOut(salt: string, key: string, percentage: number): boolean {
  return bucketOf(murmur3(salt + key), PARTS) < Math.round(percentage * 1_000);
}

function evaluateRollout(flag: CompiledFlag, rollout: CompiledRollout, env: Environment): Evaluation {
  const percentage = percentageAt(rollout, env.nowMs);
  if (percentage <= 0) return give(flag, flag.defaultVariant, 'SPLIT');
  if (percentage >= 100) return give(flag, rollout.variant, 'SPLIT');
  const key = rollout.by ? readPath(env.context, rollout.by) : targetingKeyOf(env);
  if (key === undefined || key === null || key === '' || typeof key === 'object') {
    return rollout.by ? give(flag, flag.defaultVariant, 'SPLIT') : lacksKey(flag);
  }
  return give(flag, isRolledOut(rollout.salt, String(key), percentage) ? rollout.variant : flag.defaultVariant, 'SPLIT');
}
