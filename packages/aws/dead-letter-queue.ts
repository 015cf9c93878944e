import * as z from 'zod';
import type { DeadLetter } from '#ports/dead-letters.ts';

/** One message as Lambda hands over an SQS queue's. */
export const QueueMessage = z.object({
  messageId: z.string(),
  body: z.string(),
  attributes: z.record(z.string(), z.string()).default({}),
  messageAttributes: z.record(z.string(), z.object({ stringValue: z.string().optional() })).default({}),
});
export type QueueMessage = z.infer<typeof QueueMessage>;

/** A batch of them. */
export const QueueEvent = z.object({ Records: z.array(QueueMessage) });

const FailedInvocation = z.object({
  requestContext: z.object({ functionArn: z.string(), condition: z.string() }),
  requestPayload: z.unknown(),
  responsePayload: z.object({ errorType: z.string().optional(), errorMessage: z.string().optional() }).nullish(),
});

/**
 * Reads what the three senders put into a dead-letter queue: a rule of EventBridge the event with error and rule as attributes, the
 * Scheduler the input likewise, and Lambda, for an event that its function failed at, a record of its own around the event.
 */
export function readDeadLetter({ messageId, body, attributes, messageAttributes }: QueueMessage): DeadLetter {
  const base = { id: messageId, atMs: Number(attributes.SentTimestamp) || 0 };
  const failed = FailedInvocation.safeParse(parseJson(body));
  if (failed.success) {
    const { requestContext, requestPayload, responsePayload } = failed.data;
    const error = [requestContext.condition, responsePayload?.errorType, responsePayload?.errorMessage].filter(Boolean).join(': ');
    return { ...base, from: nameOf(requestContext.functionArn), error, event: JSON.stringify(requestPayload ?? null) };
  }
  const attribute = (name: string) => messageAttributes[name]?.stringValue;
  const from = attribute('RULE_ARN') ?? attribute('SCHEDULE_ARN') ?? attribute('TARGET_ARN') ?? 'unknown';
  const error = [attribute('ERROR_CODE'), attribute('ERROR_MESSAGE')].filter(Boolean).join(': ');
  return { ...base, from: nameOf(from), error: error || 'the sender gave no error', event: body };
}

/** The resource's own part of an ARN, without region and account: `function:name`, `rule/name`. */
function nameOf(arn: string): string {
  return arn.startsWith('arn:') ? arn.split(':').slice(5).join(':') : arn;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
