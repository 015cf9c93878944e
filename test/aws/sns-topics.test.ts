import { afterEach, describe, expect, it } from 'vitest';
import { createSnsTopics } from '#aws/sns-topics.ts';
import { defaultRetry } from '#core/retry.ts';
import type { TopicMessage } from '#ports/topics.ts';
import { startServiceServer } from './service-server.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'key-secret' };
const retry = { ...defaultRetry, attempts: 2, sleep: async () => undefined };
const arn = 'arn:aws:sns:eu-central-1:123456789012:ops';

const started: { close(): Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(started.splice(0).map((server) => server.close()))));

async function start(answers: readonly { status: number; body: string }[] = []) {
  const left = [...answers];
  const ok = { status: 200, body: '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>' };
  const server = await startServiceServer(() => ({ headers: { 'content-type': 'text/xml' }, ...(left.shift() ?? ok) }));
  started.push(server);
  const topics = createSnsTopics({ region: 'us-east-1', endpoint: server.endpoint, credentials, allowPrivate: false, retry });
  return { server, topics, forms: () => server.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body))) };
}
const failure = (status: number, code: string) => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
});
const messageOf = (given: Partial<TopicMessage> = {}): TopicMessage => ({
  topicArn: arn,
  subject: '',
  message: 'hello',
  attributes: {},
  access: {},
  ...given,
});

describe('messages to SNS', () => {
  it('carry subject, attributes and what a FIFO topic needs', async () => {
    const { topics, forms, server } = await start();
    await topics.publish(
      messageOf({ topicArn: `${arn}.fifo`, subject: 'S', attributes: { a: 'b' }, fifo: { groupId: 'g', deduplicationId: 'd' } }),
    );
    expect(forms()).toMatchObject([
      {
        Action: 'Publish',
        TopicArn: `${arn}.fifo`,
        Subject: 'S',
        Message: 'hello',
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
        'MessageAttributes.entry.1.Name': 'a',
        'MessageAttributes.entry.1.Value.DataType': 'String',
        'MessageAttributes.entry.1.Value.StringValue': 'b',
      },
    ]);
    expect(server.received[0]?.headers.authorization).toContain('/eu-central-1/sns/');
  });

  it('go to a telephone or an endpoint, with nothing that is not set', async () => {
    const { topics, forms } = await start();
    await topics.publish(messageOf({ topicArn: undefined, phoneNumber: '+491234' }));
    await topics.publish(messageOf({ topicArn: undefined, targetArn: `${arn}:x` }));
    expect(forms()).toEqual([
      { Action: 'Publish', Version: '2010-03-31', PhoneNumber: '+491234', Message: 'hello' },
      { Action: 'Publish', Version: '2010-03-31', TargetArn: `${arn}:x`, Message: 'hello' },
    ]);
  });

  it('are signed by the credentials and for the region of the receiver', async () => {
    const { topics, server } = await start();
    await topics.publish(messageOf({ access: { region: 'eu-west-1', credentials: { accessKeyId: 'AKOTHER', secretAccessKey: 'other' } } }));
    expect(server.received[0]?.headers.authorization).toMatch(/Credential=AKOTHER\/\d+\/eu-west-1\/sns/);
  });

  it.each([
    ['unavailable', failure(500, 'InternalError'), 1],
    ['unavailable', failure(429, 'Throttled'), 2],
    ['denied', failure(403, 'AuthorizationError'), 1],
    ['input', failure(400, 'InvalidParameter'), 1],
    ['missing', failure(404, 'NotFound'), 1],
  ])('are %s after %j', async (kind, answer, requests) => {
    const { topics, server } = await start([answer, answer]);
    await expect(topics.publish(messageOf())).rejects.toMatchObject({ name: 'OpsError', kind });
    expect(server.received).toHaveLength(requests);
  });

  it.each([
    'http://169.254.169.254/',
    'https://sns.evil.test/',
    'https://sns.us-east-1.amazonaws.com.evil.test/',
    'https://sns.us-east-1.amazonaws.com@evil.test/',
  ])('are not sent to an endpoint that is not of SNS: %s', async (endpoint) => {
    const { topics, server } = await start();
    await expect(topics.publish(messageOf({ access: { endpoint } }))).rejects.toMatchObject({ kind: 'denied' });
    expect(server.received).toEqual([]);
  });
});
