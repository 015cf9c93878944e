import { murmur3 } from '#flags/murmur3.ts';
import type { Compiled, Operation, Run } from './compiled.ts';
import { type Environment, targetingKeyOf } from './environment.ts';
import { readPath, toText } from './values.ts';

const VARIANT_SEED = 86_028_157;

/** Fields that Unleash's context has beside `properties`. */
const FIELDS: ReadonlySet<string> = new Set(['userId', 'sessionId', 'remoteAddress', 'environment', 'appName', 'currentTime']);

/**
 * `{"unleash_field": "name"}`: a field of the context as Unleash looks for it, as text: its own fields, then `properties`, then any other; the
 * targeting key stands for a missing `userId`, the time of evaluation for a missing `currentTime`. Null where there is none.
 */
export const unleashField: Operation = {
  arity: [1, 1],
  build: ([name], refuse) => {
    const field = name!.constant?.value;
    if (typeof field !== 'string') return refuse('takes the name of a field');
    return (env) => readField(env, field);
  },
};

function readField(env: Environment, field: string): string | null {
  const own = readPath(env.context, [field]);
  const value = own ?? (FIELDS.has(field) ? null : readPath(env.context, ['properties', field]));
  if (value !== null) return typeof value === 'object' ? null : String(value);
  if (field === 'userId') return targetingKeyOf(env) ?? null;
  return field === 'currentTime' ? new Date(env.nowMs).toISOString() : null;
}

/** `murmur3(group:id) % total + 1`, from 1 to total. */
function unleashBucket(group: string, id: string, total: number, seed = 0): number {
  return (murmur3(`${group}:${id}`, seed) % total) + 1;
}

/** `{"unleash_stickiness": "default" | "userId" | ...}`: who a split goes by, null for nobody; `random` is another each time. */
export const unleashStickiness: Operation = {
  arity: [1, 1],
  build: ([name], refuse) => {
    const stickiness = name!.constant?.value;
    if (typeof stickiness !== 'string') return refuse('takes the name of a field, default or random');
    const atRandom = (env: Environment) => String(Math.floor(env.random() * 10_000) + 1);
    if (stickiness === 'random') return atRandom;
    if (stickiness !== 'default') return (env) => readField(env, stickiness);
    return (env) => readField(env, 'userId') ?? readField(env, 'sessionId') ?? atRandom(env);
  },
};

/** `{"unleash_rollout": [percentage, group, id]}`: whether `murmur3(group:id) % 100 + 1` is at most the percentage; false without an id. */
export const unleashRollout: Operation = {
  arity: [3, 3],
  build: ([percentage, group, id], refuse) => {
    const share = percentage!.constant?.value;
    if (typeof share !== 'number') return refuse('the percentage is a literal number');
    return (env) => {
      const who = id!.run(env);
      if (who === null || who === '') return false;
      return share > 0 && unleashBucket(toText(group!.run(env)), toText(who), 100) <= share;
    };
  },
};

/** One share of `unleash_split`. */
export interface WeightedRun {
  readonly variant: Run;
  readonly weight: number;
}

/** `{"unleash_split": [group, id, [variant, weight], ...]}`: the variant that `murmur3(group:id, seed 86028157) % total + 1` falls to. */
export function splitAsUnleash(group: Compiled, id: Compiled, shares: readonly WeightedRun[]): Run {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  return (env) => {
    if (total <= 0) return null;
    const target = unleashBucket(
      toText(group.run(env)),
      toText(id.run(env) ?? String(Math.floor(env.random() * 10_000) + 1)),
      total,
      VARIANT_SEED,
    );
    let end = 0;
    for (const { variant, weight } of shares) {
      end += weight;
      if (weight > 0 && end >= target) return variant(env);
    }
    return null;
  };
}
