import { type ErrorKind, OpsError } from '#core/errors.ts';
import type { HistoryEntry, Release, ReleaseRequest } from '#releases/release/release.ts';
import { type Command, takeCommand } from './command.ts';
import { change, type Draft, note, openDraft, type Told } from './draft.ts';
import { type Look, listActions, type ReleaseActions, takeLook } from './look.ts';
import {
  type Answered,
  type AskFailed,
  type Judged,
  type TrafficOutcome,
  takeAnswer,
  takeAskFailure,
  takeJudgement,
  takeTraffic,
  takeTrafficFailure,
} from './outcomes.ts';

/** Requests that one release answers. */
const MAX_DELIVERIES = 10;

/** What can happen to a release. */
export type ReleaseEvent =
  | Look
  | TrafficOutcome
  | { readonly kind: 'traffic-failed'; readonly intent: number; readonly error: ErrorKind; readonly message: string }
  | Judged
  | Answered
  | AskFailed
  | Command
  | { readonly kind: 'joined'; readonly request: Pick<ReleaseRequest, 'delivery' | 'reply' | 'actor'> };

export interface PlannedRelease {
  readonly release: Release;
  /** What is to be done, once this is stored. */
  readonly actions: ReleaseActions;
  /** To be added to its history. */
  readonly history: readonly HistoryEntry[];
  readonly told: readonly Told[];
  /** Whether there is anything to store. */
  readonly isChanged: boolean;
}

/**
 * What an event makes of a release: its next state, what is to be done, what is told, and what its history gets. Pure: the same release,
 * event and time give the same plan. Events may come twice, late, or in any order: those that do not belong to what the release waits
 * for change nothing. A command that cannot be obeyed is `conflict` or `denied`; nothing else throws.
 */
export function planRelease(release: Release, event: ReleaseEvent, nowMs: number): PlannedRelease {
  const draft = openDraft(release, nowMs);
  take(draft, event);
  const { isChanged, history, told } = draft;
  const after = isChanged ? draft.release : release;
  return { release: after, actions: listActions(after, nowMs), history, told, isChanged };
}

function take(draft: Draft, event: ReleaseEvent): void {
  switch (event.kind) {
    case 'look':
      takeLook(draft, event);
      break;
    case 'traffic':
      takeTraffic(draft, event);
      break;
    case 'traffic-failed':
      takeTrafficFailure(draft, event.intent, event.error, event.message);
      break;
    case 'judged':
      takeJudgement(draft, event);
      break;
    case 'answered':
      takeAnswer(draft, event);
      break;
    case 'ask-failed':
      takeAskFailure(draft, event);
      break;
    case 'command':
      takeCommand(draft, event);
      break;
    case 'joined':
      join(draft, event.request);
      break;
  }
}

/** Somebody else asked for the same version while it is under way: one release answers both. */
function join(draft: Draft, { delivery, reply, actor }: Pick<ReleaseRequest, 'delivery' | 'reply' | 'actor'>): void {
  const { deliveries, replies } = draft.release;
  if (deliveries.includes(delivery)) return;
  if (deliveries.length >= MAX_DELIVERIES)
    throw new OpsError('limit', `release ${draft.release.id} was asked for ${MAX_DELIVERIES} times already`);
  change(draft, { deliveries: [...deliveries, delivery], replies: reply ? [...replies, reply] : replies });
  note(draft, 'requested', `${actor} asked for the same (${delivery})`, { actor });
}
