import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient } from '#aws/clients.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { defaultRetry } from '#core/retry.ts';
import type { Table } from '#ports/table.ts';
import { type Answer, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const json = (status: number, value: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify(value),
});
const failure = (name: string, status = 400, more: object = {}) =>
  json(status, { __type: `com.amazonaws.dynamodb#${name}`, message: 'as scripted', ...more });
const done = json(200, {});
const lost: Answer = { drop: 'at once' };
const cancelled = (...codes: readonly string[]) =>
  failure('TransactionCanceledException', 400, { CancellationReasons: codes.map((Code) => ({ Code })) });

const key = { pk: 'p', sk: 's' };
const item = { ...key, n: 1 };

describe('a DynamoDB table when the service fails', () => {
  let server: ScriptedServer;
  let table: Table;
  beforeAll(async () => {
    server = await startScriptedServer();
    const client = createDynamoClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    table = createDynamoTable({ client, tableName: 'catalog', retry: { ...defaultRetry, attempts: 3, baseDelayMs: 1 } });
  });
  afterAll(() => server.stop());

  const runs: readonly [string, (table: Table) => Promise<unknown>][] = [
    ['a get', (t) => t.get(key)],
    ['a query', (t) => t.query({ pk: 'p' })],
    ['a plain put', (t) => t.put(item)],
    ['a plain delete', (t) => t.delete(key)],
    ['an update that only sets', (t) => t.update(key, { set: { n: 2 } })],
    ['a transaction', (t) => t.transact([{ kind: 'put', item, condition: { exists: false } }])],
    ['a batch', (t) => t.batch([{ kind: 'put', item }])],
  ];
  it.each(runs)('repeats %s after an internal error and a lost answer', async (_case, run) => {
    server.script([failure('InternalServerError', 500), lost, done]);
    await run(table);
    expect(server.requests).toHaveLength(3);
  });

  const once: readonly [string, (table: Table) => Promise<unknown>][] = [
    ['a conditional put', (t) => t.put(item, { exists: false })],
    ['a conditional delete', (t) => t.delete(key, { exists: true })],
    ['an update that adds', (t) => t.update(key, { add: { n: 1 } })],
    ['a conditional update', (t) => t.update(key, { set: { n: 1 } }, { equals: { n: 0 } })],
  ];
  it.each(once)('does not repeat %s after a lost answer', async (_case, run) => {
    server.script([lost, done]);
    await expect(run(table)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(server.requests).toHaveLength(1);
  });

  it.each(once)('repeats %s that was throttled', async (_case, run) => {
    server.script([failure('ProvisionedThroughputExceededException'), failure('ThrottlingException'), done]);
    await run(table);
    expect(server.requests).toHaveLength(3);
  });

  it('repeats a transaction under the same token, so that it takes effect once', async () => {
    server.script([lost, failure('TransactionInProgressException'), done]);
    await table.transact([{ kind: 'put', item, condition: { exists: false } }]);
    const tokens = server.requests.map((request) => JSON.parse(request.body).ClientRequestToken);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each<[string, Answer[], object, number]>([
    [
      'conflict where a condition fails',
      [cancelled('None', 'ConditionalCheckFailed')],
      { kind: 'conflict', message: expect.stringContaining('put p / t') },
      1,
    ],
    [
      'conflict where a condition fails beside a clash',
      [cancelled('TransactionConflict', 'ConditionalCheckFailed')],
      { kind: 'conflict' },
      1,
    ],
    ['unavailable where it goes on clashing', [cancelled('TransactionConflict', 'None')], { kind: 'unavailable' }, 3],
    ['unavailable where it is throttled', [cancelled('ThrottlingError', 'None')], { kind: 'unavailable' }, 3],
    ['input where a write is invalid', [cancelled('ValidationError', 'None')], { kind: 'input' }, 1],
    ['a success where the clash passes', [cancelled('TransactionConflict', 'None'), done], {}, 2],
  ])('a transaction is %s', async (_case, answers, error, requests) => {
    server.script(answers);
    const writes = [item, { ...item, sk: 't' }].map((put) => ({ kind: 'put', item: put }) as const);
    const outcome = await table.transact(writes).catch((caught: unknown) => caught);
    expect(outcome ?? {}).toMatchObject(error);
    expect(server.requests).toHaveLength(requests);
  });

  it('sends again what a batch leaves undone, and only that', async () => {
    const undone = { UnprocessedItems: { catalog: [{ PutRequest: { Item: { pk: { S: 'p' }, sk: { S: '3' } } } }] } };
    server.script([json(200, undone), done]);
    await table.batch(Array.from({ length: 5 }, (_, i) => ({ kind: 'put', item: { pk: 'p', sk: `${i}` } })));
    const sent = server.requests.map((request) => JSON.parse(request.body).RequestItems.catalog.length);
    expect(sent).toEqual([5, 1]);
  });

  it('fails when a batch makes no progress', async () => {
    server.script([json(200, { UnprocessedItems: { catalog: [{ PutRequest: { Item: { pk: { S: 'p' }, sk: { S: 's' } } } }] } })]);
    await expect(table.batch([{ kind: 'put', item }])).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('"catalog"'),
    });
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });

  it('sends the later of two writes on one key', async () => {
    server.script([done]);
    await table.batch([
      { kind: 'put', item },
      { kind: 'delete', key },
    ]);
    expect(JSON.parse(server.requests[0].body).RequestItems.catalog).toEqual([
      { DeleteRequest: { Key: { pk: { S: 'p' }, sk: { S: 's' } } } },
    ]);
  });

  it.each<[string, Answer, object]>([
    ['no table', failure('ResourceNotFoundException'), { kind: 'missing', message: expect.stringContaining('table "catalog"') }],
    ['no permission', failure('AccessDeniedException'), { kind: 'denied', hint: expect.stringContaining('dynamodb:GetItem') }],
    ['expired credentials', failure('ExpiredTokenException'), { kind: 'denied' }],
    ['an invalid request', failure('ValidationException'), { kind: 'input' }],
  ])('says what is wrong where there is %s', async (_case, answer, error) => {
    server.script([answer]);
    await expect(table.get(key)).rejects.toMatchObject(error);
    expect(server.requests).toHaveLength(1);
  });

  it('reads consistently', async () => {
    server.script([done]);
    await table.get(key);
    await table.query({ pk: 'p' });
    for (const request of server.requests) expect(JSON.parse(request.body).ConsistentRead).toBe(true);
  });
});
