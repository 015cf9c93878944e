import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import { type AwsTarget, toOpsError, wasRefused } from './errors.ts';

export interface CallOptions extends AwsTarget {
  /**
   * `always`: doing it twice is the same as once, so every `unavailable` is tried again. `refused`: tried again only where the
   * service certainly did nothing; after a lost answer the caller learns `unavailable` and decides.
   */
  readonly repeat: 'always' | 'refused';
  readonly retry?: RetryOptions | undefined;
}

/** Runs one SDK call with bounded, jittered repeats, and fails with the mapped OpsError. */
export async function callAws<T>(options: CallOptions, call: () => Promise<T>): Promise<T> {
  const retry = options.retry ?? defaultRetry;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (raw) {
      const error = toOpsError(raw, options);
      if (attempt >= retry.attempts || !mayRepeat(options.repeat, raw, error)) throw error;
      await pause(retry, attempt);
    }
  }
}

function mayRepeat(repeat: CallOptions['repeat'], raw: unknown, error: unknown): boolean {
  if (!(error instanceof OpsError) || error.kind !== 'unavailable') return false;
  return repeat === 'always' || wasRefused(raw);
}

/** Full-jitter exponential back-off before attempt `attempt + 1`. */
export async function pause(retry: RetryOptions, attempt: number): Promise<void> {
  await retry.sleep(retry.random() * Math.min(retry.maxDelayMs, retry.baseDelayMs * 2 ** (attempt - 1)));
}
