import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { EventTargets } from '#ports/event-targets.ts';
import type { Mail } from '#ports/mail.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import type { Topics } from '#ports/topics.ts';
import type { Composed } from './compose.ts';
import type { Sending } from './composing.ts';
import { judgeError, judgeResponse, type Verdict } from './verdict.ts';

/** What a receiver is reached by. What is absent this installation cannot do, and says so. */
export interface SendDeps {
  readonly outgoing: Outgoing;
  readonly mail?: Mail | undefined;
  readonly topics?: Topics | undefined;
  readonly events?: EventTargets | undefined;
  readonly clock: Clock;
}

/** Sends what was composed, in order, up to the first that is not taken: all of it is sent again then. */
export async function sendComposed(deps: SendDeps, composed: Composed): Promise<Verdict> {
  for (const sending of composed.sendings) {
    const verdict = await sendOne(deps, composed, sending);
    if (verdict.kind !== 'sent') return verdict;
  }
  return { kind: 'sent' };
}

async function sendOne(deps: SendDeps, { kind, secrets }: Composed, sending: Sending): Promise<Verdict> {
  try {
    if (sending.via === 'outgoing') {
      const response = await deps.outgoing.send(sending.request);
      const oldApi = kind === 'pagerduty' && sending.request.url.endsWith('/create_event.json');
      return judgeResponse({ kind, oldApi, secrets, nowMs: deps.clock() }, response);
    }
    if (sending.via === 'mail') await present(deps.mail, 'mail').send(sending.message);
    else if (sending.via === 'topics') await present(deps.topics, 'SNS').publish(sending.message);
    else await present(deps.events, 'EventBridge').publish(sending.event);
    return { kind: 'sent' };
  } catch (error) {
    return judgeError(error, secrets);
  }
}

function present<T>(port: T | undefined, what: string): T {
  if (port === undefined) throw new OpsError('input', `this installation cannot send by ${what}`);
  return port;
}
