import { isOpsError, isRetryable } from './errors.ts';

export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

export const defaultRetry: RetryOptions = {
  attempts: 5,
  baseDelayMs: 50,
  maxDelayMs: 5_000,
  random: Math.random,
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

/** Repeats `call` while it fails with something retryable, with full-jitter exponential back-off. */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions = defaultRetry): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= options.attempts || !isRetryable(error)) throw error;
      const ceilingMs = Math.min(options.maxDelayMs, options.baseDelayMs * 2 ** (attempt - 1));
      const askedMs = isOpsError(error) ? (error.retryAfterMs ?? 0) : 0;
      await options.sleep(Math.max(askedMs, options.random() * ceilingMs));
    }
  }
}
