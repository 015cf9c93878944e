import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { WebhookTrafficSettings } from '#model/traffic-settings.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import { shiftByStep, type TrafficStep } from '#ports/shift-traffic.ts';
import type { CapturedTraffic, TrafficDriver, TrafficState, TrafficTarget } from '#ports/traffic.ts';

export interface WebhookTrafficDeps {
  readonly outgoing: Outgoing;
  readonly now: Clock;
  /** What requests of a tenant are signed with; undefined: they are not. */
  readonly secretOf: (tenant: string) => string | undefined;
}

/** What is asked: `read`, `capture`, `shift` (with `from` and `to`), `restore` (with `captured`). */
interface Question {
  readonly action: 'read' | 'capture' | 'shift' | 'restore';
  readonly from?: TrafficState | undefined;
  readonly to?: TrafficState | undefined;
  readonly captured?: CapturedTraffic | undefined;
}

const Answer = z.object({
  stable: z.string().min(1).max(200),
  canary: z.string().min(1).max(200).optional(),
  weight: z.number().min(0).max(100),
});
const Captured = z.record(z.string(), z.json());

const MAX_ANSWER_BYTES = 32 * 1024;

/**
 * Somebody's own traffic control: one URL that takes a JSON question by POST and answers `{"stable", "canary", "weight"}`, and for `capture` any
 * JSON object, which it gets back for `restore`. Signed as docs/releases/traffic.md says. 409 is `conflict`, other 4xx `input`, the rest `unavailable`.
 */
export function createWebhookTraffic(deps: WebhookTrafficDeps): TrafficDriver {
  const ask = async (target: TrafficTarget, question: Question) => parse(Answer, target, await post(deps, target, question));
  return {
    read: (target) => ask(target, { action: 'read' }),
    shift: (target, from, to) => shiftByStep(stepOf(target, ask, from), from, to),
    restore: (target, captured) => ask(target, { action: 'restore', captured }),
    capture: async (target) => parse(Captured, target, await post(deps, target, { action: 'capture' })),
  };
}

function stepOf(
  target: TrafficTarget,
  ask: (target: TrafficTarget, question: Question) => Promise<TrafficState>,
  from: TrafficState,
): TrafficStep<undefined> {
  return {
    place: placeOf(target),
    read: async () => ({ world: undefined, state: await ask(target, { action: 'read' }) }),
    set: async (to) => void (await ask(target, { action: 'shift', from, to })),
  };
}

function placeOf({ application, environment }: TrafficTarget): string {
  return `the traffic webhook of ${application} in ${environment}`;
}

function parse<T extends z.ZodType>(schema: T, target: TrafficTarget, body: string): z.infer<T> {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new OpsError('unavailable', `${placeOf(target)} answered what is not in its form`, { cause });
  }
}

async function post({ outgoing, now, secretOf }: WebhookTrafficDeps, target: TrafficTarget, question: Question): Promise<string> {
  const { url, timeoutMs, parameters } = WebhookTrafficSettings.parse(target.settings);
  const { tenant, application, environment } = target;
  const body = JSON.stringify({ ...question, application, environment, parameters });
  const answer = await outgoing.send({
    ...{ method: 'POST', url, body, timeoutMs, maxResponseBytes: MAX_ANSWER_BYTES, followRedirects: false },
    headers: { 'content-type': 'application/json', ...sign(secretOf(tenant), body, now()) },
  });
  if (answer.status >= 200 && answer.status < 300 && !answer.truncated) return answer.body;
  const kind = answer.status === 409 ? 'conflict' : answer.status === 429 || answer.status >= 500 ? 'unavailable' : 'input';
  throw new OpsError(answer.truncated ? 'unavailable' : kind, `${placeOf(target)} answered ${answer.status}`);
}

function sign(secret: string | undefined, body: string, nowMs: number): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-quarterdeck-timestamp': timestamp, 'x-quarterdeck-signature': `sha256=${signature}` };
}
