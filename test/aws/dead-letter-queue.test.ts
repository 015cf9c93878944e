import { describe, expect, it } from 'vitest';
import { QueueMessage, readDeadLetter } from '#aws/dead-letter-queue.ts';
import { DEAD_LETTERS, keepDeadLetters } from '#ports/dead-letters.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

const base = { messageId: 'm-1', attributes: { SentTimestamp: '1763978400000' } };
const attributes = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]));

const fromRule = {
  ...base,
  body: '{"detail-type":"Block Committed"}',
  messageAttributes: attributes({
    RULE_ARN: 'arn:aws:events:eu-west-1:123456789012:rule/quarterdeck-bus/downsample',
    TARGET_ARN: 'arn:aws:lambda:eu-west-1:123456789012:function:quarterdeck-test-storage-downsample',
    ERROR_CODE: 'NO_PERMISSIONS',
    ERROR_MESSAGE: 'not authorized',
  }),
};
const fromLambda = {
  ...base,
  body: JSON.stringify({
    version: '1.0',
    timestamp: '2026-11-24T10:00:00.000Z',
    requestContext: {
      requestId: 'r',
      functionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:quarterdeck-test-storage-compact:$LATEST',
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: { force: true },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'OpsError', errorMessage: 'table is away', trace: [] },
  }),
  messageAttributes: {},
};

describe('a dead letter', () => {
  it.each([
    [
      'an EventBridge rule',
      fromRule,
      { from: 'rule/quarterdeck-bus/downsample', error: 'NO_PERMISSIONS: not authorized', event: fromRule.body },
    ],
    [
      'a Lambda function',
      fromLambda,
      {
        from: 'function:quarterdeck-test-storage-compact:$LATEST',
        error: 'RetriesExhausted: OpsError: table is away',
        event: '{"force":true}',
      },
    ],
    ['somebody unknown', { ...base, body: 'not JSON' }, { from: 'unknown', error: 'the sender gave no error', event: 'not JSON' }],
  ])('of %s is read', (_, message, expected) => {
    expect(readDeadLetter(QueueMessage.parse(message))).toEqual({ id: 'm-1', atMs: 1_763_978_400_000, ...expected });
  });

  it('is kept once, for 14 days, within what an item may have', async () => {
    const table = createMemoryTable();
    const letter = readDeadLetter(QueueMessage.parse({ ...base, body: '\ud800'.repeat(500_000) }));
    await keepDeadLetters(table, [letter]);
    await keepDeadLetters(table, [letter]);
    const { items } = await table.query({ pk: DEAD_LETTERS });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ sk: '2025-11-24T10:00:00.000Z/m-1', expiresAtS: 1_763_978_400 + 14 * 86_400 });
  });
});
