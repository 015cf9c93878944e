import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { Verdict } from './verdict.ts';

/** A delivery as far as its tries are concerned. */
export interface Tried {
  readonly createdAtMs: number;
  /** The one just made included. */
  readonly attempts: number;
}

/** What becomes of a delivery after a try. */
export type DeliveryPlan =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly atMs: number; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

export interface DeliveryLimits {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** What a Retry-After is cut to. */
  readonly maxRetryAfterMs: number;
  /** After this it is of no more use: the group has been told again by then. */
  readonly maxAgeMs: number;
}

/** As old as Alertmanager's usual repeat_interval at most. */
export const defaultDeliveryLimits: DeliveryLimits = {
  baseDelayMs: 5_000,
  maxDelayMs: 5 * MINUTE_MS,
  maxRetryAfterMs: HOUR_MS,
  maxAgeMs: 4 * HOUR_MS,
};

/**
 * Exponential back-off of which half is at random (`random` uniform in [0, 1)), never earlier than the server asked for. A try that
 * would come after the greatest age is not made.
 */
export function planDelivery(
  delivery: Tried,
  verdict: Verdict,
  nowMs: number,
  random: number,
  limits: DeliveryLimits = defaultDeliveryLimits,
): DeliveryPlan {
  if (verdict.kind === 'sent') return { kind: 'sent' };
  if (verdict.kind === 'refused') return { kind: 'give-up', reason: verdict.reason };
  const ceilingMs = Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** (delivery.attempts - 1));
  const askedMs = Math.min(verdict.retryAfterMs ?? 0, limits.maxRetryAfterMs);
  const atMs = nowMs + Math.ceil(Math.max(askedMs, (ceilingMs / 2) * (1 + random)));
  if (atMs > delivery.createdAtMs + limits.maxAgeMs) {
    return { kind: 'give-up', reason: `not delivered in ${delivery.attempts} tries; the last: ${verdict.reason}` };
  }
  return { kind: 'retry', atMs, reason: verdict.reason };
}
