import type { PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { createCache } from '#core/bounded-cache.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import type { AwsAccess } from '#ports/aws-access.ts';
import type { TopicMessage, Topics } from '#ports/topics.ts';
import { callAws } from './call.ts';
import { type ClientOptions, commonOptions } from './clients.ts';

export interface SnsTopicsDeps extends ClientOptions {
  /** Lets messages name an endpoint that is not AWS's own. */
  readonly allowPrivate: boolean;
  readonly retry?: RetryOptions | undefined;
}

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CLIENTS = 16;
// Who chooses the endpoint chooses where signed requests go.
const ownEndpoint = /^https:\/\/sns(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/?$/;

/** The Topics port on SNS. The SDK is loaded with the first message; there is a client for each place and credentials, the latest kept. */
export function createSnsTopics(deps: SnsTopicsDeps): Topics {
  const clients = createCache<SNSClient>({ maxEntries: MAX_CLIENTS });
  return {
    async publish(message) {
      checkEndpoint(deps, message.access);
      const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
      const access = chooseAccess(deps, message);
      const key = JSON.stringify(access);
      const client = clients.get(key) ?? new SNSClient(commonOptions(access, REQUEST_TIMEOUT_MS));
      clients.set(key, client);
      const options = { operation: 'sns:Publish', resource: describeTarget(message), repeat: 'refused', retry: deps.retry } as const;
      await callAws(options, () => client.send(new PublishCommand(toInput(message))));
    },
  };
}

function checkEndpoint({ allowPrivate }: SnsTopicsDeps, { endpoint }: AwsAccess): void {
  if (endpoint === undefined || allowPrivate || ownEndpoint.test(endpoint)) return;
  throw new OpsError('denied', 'the api_url of an SNS receiver is not an endpoint of SNS', {
    hint: 'QUARTERDECK_ALLOW_PRIVATE_TARGETS=on allows others.',
  });
}

/** The message's own access, or ours; a topic's region is in its name, and its endpoint has to be there. */
function chooseAccess(deps: SnsTopicsDeps, { access, topicArn, targetArn }: TopicMessage): ClientOptions {
  const [, , , arnRegion] = (topicArn ?? targetArn ?? '').split(':');
  return {
    region: access.region ?? (arnRegion || deps.region),
    endpoint: access.endpoint ?? deps.endpoint,
    credentials: access.credentials ?? deps.credentials,
  };
}

function describeTarget({ topicArn, targetArn, phoneNumber }: TopicMessage): string {
  return phoneNumber === undefined ? `topic "${topicArn ?? targetArn}"` : 'a telephone';
}

function toInput({ topicArn, targetArn, phoneNumber, subject, message, attributes, fifo }: TopicMessage): PublishCommandInput {
  return {
    ...(topicArn === undefined ? {} : { TopicArn: topicArn }),
    ...(targetArn === undefined ? {} : { TargetArn: targetArn }),
    ...(phoneNumber === undefined ? {} : { PhoneNumber: phoneNumber }),
    ...(subject === '' ? {} : { Subject: subject }),
    Message: message,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
    ...(fifo === undefined ? {} : { MessageGroupId: fifo.groupId, MessageDeduplicationId: fifo.deduplicationId }),
  };
}
