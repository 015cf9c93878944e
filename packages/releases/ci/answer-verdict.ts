import { isOpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { OutgoingResponse } from '#ports/outgoing.ts';

/** What one try came to. `reason` tells no secret. */
export type AnswerVerdict =
  | { readonly kind: 'sent' }
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
      /** Nothing is taken from this sender until then. */
      readonly isLimited?: boolean | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_REASON = 300;
/** What GitHub asks for where a limit is met that names no time. */
const LIMITED_MS = MINUTE_MS;

/**
 * What an answer of GitHub's or GitLab's API means. Limits come as 429, or as 403 (GitHub), with `Retry-After` in seconds, or with
 * `x-ratelimit-remaining: 0` and the end of the window in seconds since 1970; a 403 that speaks of no limit lacks a permission. 401 may be a
 * token that was withdrawn: the next try gets a new one.
 */
export function judgeAnswer(response: OutgoingResponse, nowMs: number): AnswerVerdict {
  const { status } = response;
  if (status >= 200 && status <= 299) return { kind: 'sent' };
  const reason = tell(response);
  if (isLimit(response)) return { kind: 'retry', reason, retryAfterMs: readWaitMs(response, nowMs), isLimited: true };
  if (status >= 500 || status === 408 || status === 401) return { kind: 'retry', reason };
  return { kind: 'refused', reason };
}

/** What a port's error means: only what is `unavailable` is tried again. */
export function judgeAnswerError(error: unknown): AnswerVerdict {
  if (!isOpsError(error)) throw error;
  const reason = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  return error.kind === 'unavailable' ? { kind: 'retry', reason, retryAfterMs: error.retryAfterMs } : { kind: 'refused', reason };
}

function isLimit({ status, headers, body }: OutgoingResponse): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0' || /rate limit|abuse detection/i.test(body);
}

/** Milliseconds until the limit is over, an hour at most: no window is longer. */
function readWaitMs({ headers }: OutgoingResponse, nowMs: number): number {
  const after = readSeconds(headers['retry-after']);
  const reset = readSeconds(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']);
  if (after !== undefined) return Math.min(after * 1_000, HOUR_MS);
  if (reset === undefined || headers['x-ratelimit-remaining'] !== '0') return LIMITED_MS;
  return Math.min(Math.max(reset * 1_000 - nowMs, 1_000), HOUR_MS);
}

function readSeconds(value: string | undefined): number | undefined {
  return /^\d{1,12}$/.test(value ?? '') ? Number(value) : undefined;
}

function tell({ status, body }: OutgoingResponse): string {
  const words = body.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return `answered ${status}${words === '' ? '' : `: ${words}`}`.slice(0, MAX_REASON).toWellFormed();
}
