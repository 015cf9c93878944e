import { createCache } from '#core/bounded-cache.ts';
import type { Clock } from '#core/time.ts';

/** Lets a tenant's requests through, or says in how many milliseconds the next one may come. */
export type RateLimit = (tenant: string) => number | undefined;

/** A token bucket for each tenant of this process: so many requests a second on the long run, and so many at once. */
export function createRateLimit(now: Clock, { perSecond, burst }: { readonly perSecond: number; readonly burst: number }): RateLimit {
  const buckets = createCache<{ tokens: number; atMs: number }>({ maxEntries: 1_000 });
  return (tenant) => {
    const nowMs = now();
    const bucket = buckets.get(tenant) ?? { tokens: burst, atMs: nowMs };
    // A clock that goes back gives nothing and takes nothing.
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1_000);
    bucket.atMs = nowMs;
    buckets.set(tenant, bucket);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1_000) / perSecond);
    bucket.tokens--;
    return undefined;
  };
}
