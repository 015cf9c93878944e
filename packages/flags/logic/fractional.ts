import { murmur3 } from '#flags/murmur3.ts';
import type { Compiled, Run } from './compiled.ts';
import { type Environment, spend, targetingKeyOf } from './environment.ts';

/** Weights of one `fractional` may come to as much. */
export const MAX_TOTAL_WEIGHT = 2_147_483_647;

/** One share: what it gives, and its weight, 1 if none is said. */
export interface Share {
  readonly variant: Run;
  readonly weight: Compiled | undefined;
}

/**
 * flagd's `fractional`: `(murmur3(key) * totalWeight) >> 32` falls into the shares in their order. The key is what `bucketBy` gives where that
 * is text, the flag's key and the targeting key where it gives null or is left out, and anything else gives null. Computed weights below 0
 * count as 0; weights that are not whole or come to more than 2^31 - 1 give null, as in flagd.
 */
export function splitFractionally(bucketBy: Run | undefined, shares: readonly Share[]): Run {
  const fixed = shares.map(({ weight }) => (weight ? weight.constant?.value : 1));
  const weights = fixed.every((weight) => typeof weight === 'number') ? fixed : undefined;
  return (env) => {
    const key = bucketKey(env, bucketBy?.(env));
    if (key === undefined) return null;
    const found = pickShare(murmur3(key), weights ?? computeWeights(env, shares));
    return found === undefined ? null : shares[found]!.variant(env);
  };
}

function bucketKey(env: Environment, bucketBy: unknown): string | undefined {
  if (typeof bucketBy === 'string') {
    spend(env, bucketBy.length >> 6);
    return bucketBy;
  }
  if (bucketBy !== undefined && bucketBy !== null) return undefined;
  const targetingKey = targetingKeyOf(env);
  if (targetingKey === undefined) env.lacksTargetingKey = true;
  return targetingKey === undefined ? undefined : env.flagKey + targetingKey;
}

function computeWeights(env: Environment, shares: readonly Share[]): number[] | undefined {
  const weights: number[] = [];
  for (const { weight } of shares) {
    const value = weight ? (weight.run(env) ?? 1) : 1;
    if (typeof value !== 'number' || !Number.isInteger(value) || value > MAX_TOTAL_WEIGHT) return undefined;
    weights.push(Math.max(0, value));
  }
  return weights;
}

/** The share that a hash falls into; undefined where the weights are none or too many. */
function pickShare(hash: number, weights: readonly number[] | undefined): number | undefined {
  if (!weights) return undefined;
  let total = 0;
  for (const weight of weights) total += weight;
  if (total > MAX_TOTAL_WEIGHT) return undefined;
  const bucket = bucketOf(hash, total);
  let end = 0;
  for (let i = 0; i < weights.length; i++) {
    end += weights[i]!;
    if (bucket < end) return i;
  }
  return undefined;
}

/** `(hash * total) >> 32` without loss: the product has up to 63 bits, a double 53, so the upper and lower halves are multiplied apart. */
export function bucketOf(hash: number, total: number): number {
  const low = (hash & 0xffff) * total;
  return Math.floor(((hash >>> 16) * total + Math.floor(low / 65_536)) / 65_536);
}
