import { isOpsError } from '#core/errors.ts';
import type { OutgoingResponse } from '#ports/outgoing.ts';
import { redact } from './redact.ts';
import type { ReceiverKind } from './settings.ts';

/** What one try came to. `reason` tells no secret. */
export type Verdict =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_REASON = 300;
// What Slack's methods answer, with status 200, when it is Slack that cannot just now.
const slackPasses = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/**
 * What an answer means: 2xx is sent; 5xx, 429 (too many) and 408 (too slow) may be tried again, and 403 of PagerDuty's older API, which
 * says "too many" by it; anything else is refused. Alertmanager gives 408 and 429 up but with PagerDuty and Opsgenie.
 */
export function judgeResponse(
  { kind, oldApi = false, secrets, nowMs }: { kind: ReceiverKind; oldApi?: boolean; secrets: readonly string[]; nowMs: number },
  response: OutgoingResponse,
): Verdict {
  const { status, body } = response;
  if (status >= 200 && status <= 299) return kind === 'slack' ? judgeSlack(response, secrets) : { kind: 'sent' };
  const reason = tell(`answered ${status}${body.trim() === '' ? '' : `: ${body.trim()}`}`, secrets);
  const passes = status >= 500 || status === 429 || status === 408 || (oldApi && status === 403);
  if (!passes) return { kind: 'refused', reason };
  return { kind: 'retry', reason, retryAfterMs: readRetryAfter(response.headers['retry-after'], nowMs) };
}

/** Slack says `ok` as text (webhooks) or in JSON (methods), and may refuse with status 200. */
function judgeSlack({ headers, body, truncated }: OutgoingResponse, secrets: readonly string[]): Verdict {
  if (truncated) return { kind: 'retry', reason: 'the answer did not end' };
  if (!headers['content-type']?.startsWith('application/json')) {
    return body === 'ok' ? { kind: 'sent' } : { kind: 'refused', reason: tell(`answered: ${body}`, secrets) };
  }
  const answer = parseAnswer(body);
  if (answer === undefined) return { kind: 'retry', reason: tell(`answered what is no JSON: ${body}`, secrets) };
  if (answer.ok === true) return { kind: 'sent' };
  const error = String(answer.error ?? 'no reason');
  return { kind: slackPasses.has(error) ? 'retry' : 'refused', reason: tell(`answered: ${error}`, secrets) };
}

function parseAnswer(body: string): { ok?: unknown; error?: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** What a port's error means: only what is `unavailable` is tried again. What is no OpsError is a defect, and thrown. */
export function judgeError(error: unknown, secrets: readonly string[]): Verdict {
  if (!isOpsError(error)) throw error;
  const reason = tell(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`, secrets);
  return error.kind === 'unavailable' ? { kind: 'retry', reason, retryAfterMs: error.retryAfterMs } : { kind: 'refused', reason };
}

/** The secrets go first: a cut could leave half of one. */
function tell(text: string, secrets: readonly string[]): string {
  return redact(text, secrets)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_REASON)
    .toWellFormed();
}

/** Milliseconds of a Retry-After header (RFC 9110, section 10.2.3), seconds or a date; undefined for what is neither, or past. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = (value ?? '').trim();
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) || atMs <= nowMs ? undefined : atMs - nowMs;
}
