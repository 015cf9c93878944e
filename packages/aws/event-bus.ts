import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { Bus } from '#ports/bus.ts';
import { serializeDetail } from '#ports/event-size.ts';
import { type CallOptions, callAws, pause } from './call.ts';

export interface EventBusDeps {
  readonly client: EventBridgeClient;
  readonly busName: string;
  readonly retry?: RetryOptions | undefined;
}

const MAX_ENTRIES = 10;
// Regions differ in what a request may have in all, 256 KB or 1 MB; billing is by event, so that small requests cost no more.
const MAX_REQUEST_BYTES = 256_000;
// Sending these again changes nothing.
const permanentCodes = new Set([
  'InvalidArgument',
  'MalformedDetail',
  'NotAuthorizedForSourceException',
  'NotAuthorizedForDetailTypeException',
]);

/**
 * The Bus port on one EventBridge bus. Events go in requests of at most ten; of a request whose entries fail in part only those
 * are sent again, a bounded number of times.
 */
export function createEventBus(deps: EventBusDeps): Bus {
  return {
    async publish(events) {
      const entries = events.map((event) => ({
        EventBusName: deps.busName,
        Source: event.source,
        DetailType: event.detailType,
        Detail: serializeDetail(event),
      }));
      for (const request of planRequests(entries)) await sendEntries(deps, request);
    },
  };
}

/** Consecutive entries in requests of at most ten entries and 256 KB. */
export function planRequests(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
  const requests: PutEventsRequestEntry[][] = [];
  let requestBytes = 0;
  for (const entry of entries) {
    const sizeBytes = entrySizeBytes(entry);
    const request = requests.at(-1);
    if (request === undefined || request.length === MAX_ENTRIES || requestBytes + sizeBytes > MAX_REQUEST_BYTES) {
      requests.push([entry]);
      requestBytes = sizeBytes;
    } else {
      request.push(entry);
      requestBytes += sizeBytes;
    }
  }
  return requests;
}

/** An entry's size as EventBridge counts it: UTF-8 bytes of source, type and detail. */
function entrySizeBytes({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);
}

async function sendEntries(deps: EventBusDeps, entries: readonly PutEventsRequestEntry[]): Promise<void> {
  const retry = deps.retry ?? defaultRetry;
  const options: CallOptions = { operation: 'events:PutEvents', resource: `event bus "${deps.busName}"`, repeat: 'always', retry };
  let left = [...entries];
  for (let attempt = 1; ; attempt++) {
    const answer = await callAws(options, () => deps.client.send(new PutEventsCommand({ Entries: left })));
    const results = answer.Entries ?? [];
    const failed = results.filter((result) => result.ErrorCode !== undefined);
    if ((answer.FailedEntryCount ?? failed.length) === 0) return;
    const permanent = failed.find((result) => permanentCodes.has(result.ErrorCode ?? ''));
    if (permanent !== undefined) throw refusal('input', deps, entries.length, failed.length, permanent);
    if (attempt === retry.attempts) throw refusal('unavailable', deps, entries.length, failed.length, failed[0]);
    await pause(retry, attempt);
    left = left.filter((_, index) => results[index]?.ErrorCode !== undefined);
  }
}

function refusal(kind: 'input' | 'unavailable', deps: EventBusDeps, all: number, refused: number, entry?: PutEventsResultEntry): OpsError {
  const why = `${entry?.ErrorCode}: ${entry?.ErrorMessage}`;
  return new OpsError(kind, `event bus "${deps.busName}" refused ${refused} of ${all} events: ${why}`, {
    hint: kind === 'input' ? undefined : 'The same events may be published again; some of them may have been sent.',
  });
}
