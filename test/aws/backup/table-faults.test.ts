import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openChangeStream } from '#aws/backup/change-stream.ts';
import { createPacer } from '#aws/backup/pacer.ts';
import { openTableSource, type TableSourceOptions } from '#aws/backup/table-source.ts';
import { openTableTarget } from '#aws/backup/table-target.ts';
import { walkShards } from '#aws/backup/walk-shards.ts';
import { planBatches } from '#aws/backup/write-items.ts';
import { createDynamoClient } from '#aws/clients.ts';
import { type Answer, type ScriptedServer, startScriptedServer } from '#test/aws/scripted-server.ts';
import { credentials, gather, itemLines, quickRetry, takeAll } from './table-fixtures.ts';

const json = (value: object, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify(value),
});
const failure = (name: string, status = 400) => json({ __type: `com.amazonaws.dynamodb#${name}`, message: 'as scripted' }, status);
const described = (more: object = {}) =>
  json({
    Table: {
      TableName: 't',
      TableStatus: 'ACTIVE',
      TableId: 'id-1',
      TableArn: 'arn:aws:dynamodb:us-east-1:1:table/t',
      KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }],
      ...more,
    },
  });
const noTtl = json({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } });
const noTags = json({ Tags: [] });
const opening = [described(), noTtl, noTags, described()];
const page = (keys: string[], more: object = {}) => json({ Items: keys.map((k) => ({ k: { S: k } })), ...more });

describe('a DynamoDB table when the service fails', () => {
  let server: ScriptedServer;
  let client: DynamoDBClient;
  let streams: DynamoDBStreamsClient;
  let waitedMs: number[];
  let nowMs = 0;
  beforeAll(async () => {
    server = await startScriptedServer();
    const options = { endpoint: server.endpoint, region: 'us-east-1', credentials };
    client = createDynamoClient(options);
    streams = new DynamoDBStreamsClient({ ...options, maxAttempts: 1 });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    waitedMs = [];
    nowMs = 1_000_000;
  });
  const retry = {
    ...quickRetry,
    attempts: 4,
    sleep: async (ms: number) => {
      waitedMs.push(ms);
      nowMs += ms;
    },
  };
  const sourceOf = (more: Partial<TableSourceOptions> = {}) =>
    openTableSource({ client, tableName: 't', clock: () => nowMs, retry, segments: 1, ...more });

  it.each<[string, Answer[]]>([
    ['is throttled', [failure('ProvisionedThroughputExceededException'), failure('ThrottlingException'), failure('RequestLimitExceeded')]],
    ['fails', [failure('InternalServerError', 500)]],
    ['is lost', [{ drop: 'at once' }]],
    ['breaks off', [{ ...page(['a']), drop: 'midway' }]],
  ])('is scanned all the same where a page %s', async (_case, faults) => {
    server.script([...opening, ...faults, page(['a', 'b']), described()]);
    const { items } = await takeAll(sourceOf());
    expect(itemLines(items)).toEqual(['{"k":{"S":"a"}}', '{"k":{"S":"b"}}']);
  });

  it.each<[string, Answer, string]>([
    ['stays throttled', failure('ProvisionedThroughputExceededException'), 'unavailable'],
    ['may not be scanned', failure('AccessDeniedException'), 'denied'],
    ['is gone', failure('ResourceNotFoundException'), 'conflict'],
  ])('fails where it %s', async (_case, answer, kind) => {
    server.script([...opening, answer]);
    await expect(takeAll(sourceOf())).rejects.toMatchObject({ kind });
  });

  it('loses no attribute by its name: what the SDK cannot read is refused', async () => {
    const nested = '{"k":{"S":"a"},"m":{"M":{"__proto__":{"N":"1"}}}}';
    server.script([...opening, { ...json({}), body: `{"Items":[${nested}]}` }, described()]);
    expect(itemLines((await takeAll(sourceOf())).items)).toEqual([nested]);
    server.script([...opening, { ...json({}), body: '{"Items":[{"__proto__":{"S":"x"},"k":{"S":"a"}}]}' }, described()]);
    await expect(takeAll(sourceOf())).rejects.toMatchObject({ kind: 'input' });
  });

  it('names the action that the role lacks', async () => {
    server.script([described(), noTtl, failure('AccessDeniedException')]);
    await expect(takeAll(sourceOf())).rejects.toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('dynamodb:ListTagsOfResource'),
    });
  });

  it('reads no faster than it is allowed to', async () => {
    const used = { ConsumedCapacity: { CapacityUnits: 50 } };
    const next = (k: string) => ({ ...used, LastEvaluatedKey: { k: { S: k } } });
    server.script([...opening, page(['a'], next('a')), page([], next('b')), page(['c'], used), described()]);
    await takeAll(sourceOf({ readUnitsPerSecond: 25 }));
    expect(waitedMs).toEqual([2_000, 2_000]);
    const scans = server.requests
      .filter(({ headers }) => String(headers['x-amz-target']).endsWith('.Scan'))
      .map(({ body }) => JSON.parse(body));
    expect(scans).toHaveLength(3);
    for (const scan of scans) expect(scan).toMatchObject({ ConsistentRead: true, ReturnConsumedCapacity: 'TOTAL', TotalSegments: 1 });
    expect(scans[2]?.ExclusiveStartKey).toEqual({ k: { S: 'b' } });
  });

  it('a pacer lets calls through while there is no limit, and saves nothing up', async () => {
    const free = createPacer({ clock: () => nowMs, sleep: retry.sleep });
    free.used(1_000_000);
    await free.ready();
    expect(waitedMs).toEqual([]);
    const paced = createPacer({ clock: () => nowMs, sleep: retry.sleep }, 10);
    nowMs += 60_000;
    paced.used(10);
    await paced.ready();
    expect(waitedMs).toEqual([1_000]);
  });

  it('plans batches of at most 25 writes and 4 MB', () => {
    const item = (length: number) => ({ item: 'x'.repeat(length) });
    expect(planBatches(Array.from({ length: 60 }, () => item(10))).map((batch) => batch.length)).toEqual([25, 25, 10]);
    expect(planBatches(Array.from({ length: 5 }, () => item(1_500_000))).map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  const write = async (bytes: string, more = {}) => {
    const content = (async function* () {
      yield Buffer.from(bytes);
    })();
    const target = openTableTarget({ client, tableName: 't', clock: () => nowMs, retry, ...more });
    await target.write({ path: 'items/000000/000000', kind: 'items', meta: {}, sizeBytes: bytes.length, content });
  };
  const undone = (...keys: string[]) => json({ UnprocessedItems: { t: keys.map((k) => ({ PutRequest: { Item: { k: { S: k } } } })) } });

  it('sends again what a batch leaves undone, and only that', async () => {
    server.script([undone('b', 'c'), undone('c'), json({})]);
    await write('{"k":{"S":"a"}}\n{"k":{"S":"b"}}\n{"k":{"S":"c"}}\n');
    expect(server.requests.map(({ body }) => JSON.parse(body).RequestItems.t.length)).toEqual([3, 2, 1]);
  });

  it('fails where a batch makes no progress', async () => {
    server.script([undone('a')]);
    await expect(write('{"k":{"S":"a"}}\n')).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('1 of 1') });
    expect(server.requests).toHaveLength(retry.attempts);
  });

  it('writes no faster than it is allowed to', async () => {
    server.script([json({ ConsumedCapacity: [{ CapacityUnits: 30 }] })]);
    await write(Array.from({ length: 50 }, (_, i) => `{"k":{"S":"${i}"}}\n`).join(''), { writeUnitsPerSecond: 10, parallel: 1 });
    expect(waitedMs).toEqual([3_000]);
  });

  const streamArn = 'arn:aws:dynamodb:us-east-1:1:table/t/stream/2026-11-27T05:00:00.000';
  const stream = () => openChangeStream({ client: streams, streamArn, retry });
  const shards = (...ids: string[]) =>
    json({ StreamDescription: { StreamViewType: 'NEW_IMAGE', Shards: ids.map((ShardId, i) => ({ ShardId, ParentShardId: ids[i - 1] })) } });
  const iterator = json({ ShardIterator: 'i' });
  const record = (sequence: string, k: string, more: object = { NewImage: { k: { S: k }, b: { B: 'AQ==' } } }, eventName = 'MODIFY') => ({
    eventName,
    dynamodb: { SequenceNumber: sequence, ApproximateCreationDateTime: 5, Keys: { k: { S: k } }, ...more },
  });
  const walk = () =>
    gather(walkShards({ stream: stream(), clock: () => nowMs, sleep: retry.sleep, settleMs: 0, emptyAnswers: 2 }, new Map(), nowMs));

  it('a stream reads on after an iterator that expired, from the last change that it had', async () => {
    const end = json({ Records: [record('2', 'b', {}, 'REMOVE')] });
    server.script([
      shards('s1'),
      iterator,
      json({ Records: [record('1', 'a')], NextShardIterator: 'j' }),
      failure('ExpiredIteratorException'),
      iterator,
      end,
      shards('s1'),
    ]);
    const pages = await walk();
    expect(pages.flatMap(({ changes }) => changes)).toEqual([
      { sequence: '1', atS: 5, key: '{"k":{"S":"a"}}', item: '{"b":{"B":"AQ=="},"k":{"S":"a"}}' },
      { sequence: '2', atS: 5, key: '{"k":{"S":"b"}}' },
    ]);
    expect(JSON.parse(server.requests[4]?.body ?? '')).toMatchObject({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '1' });
  });

  it('a stream says where changes were trimmed, and goes on from the oldest', async () => {
    server.script([
      shards('s1'),
      iterator,
      json({ Records: [record('1', 'a')], NextShardIterator: 'j' }),
      failure('TrimmedDataAccessException'),
      iterator,
      json({ Records: [record('9', 'b')] }),
      shards('s1'),
    ]);
    expect((await walk()).map(({ changes, trimmed, closed }) => [changes[0]?.sequence, trimmed, closed])).toEqual([
      ['1', false, false],
      ['9', true, true],
    ]);
    expect(JSON.parse(server.requests[4]?.body ?? '')).toMatchObject({ ShardIteratorType: 'TRIM_HORIZON' });
  });

  it('a stream is read parents first, in whatever order its shards are listed, and through pages of them', async () => {
    const part = json({ StreamDescription: { Shards: [{ ShardId: 'child', ParentShardId: 'parent' }], LastEvaluatedShardId: 'child' } });
    const rest = json({ StreamDescription: { Shards: [{ ShardId: 'parent', ParentShardId: 'long gone' }] } });
    server.script([
      part,
      rest,
      iterator,
      json({ Records: [record('1', 'a')] }),
      iterator,
      json({ Records: [record('2', 'a')] }),
      part,
      rest,
    ]);
    expect((await walk()).map(({ shard }) => shard.id)).toEqual(['parent', 'child']);
  });

  it('a stream is read again where it is throttled or an answer is lost', async () => {
    server.script([
      failure('ThrottlingException'),
      shards('s1'),
      failure('LimitExceededException'),
      iterator,
      { drop: 'at once' },
      failure('InternalServerError', 500),
      json({ Records: [record('1', 'a')] }),
      shards('s1'),
    ]);
    expect(await walk()).toHaveLength(1);
  });

  it('a stream gives up where iterators always expire', async () => {
    let asked = 0;
    const expiring = {
      ...stream(),
      shards: async () => [{ id: 's' }],
      seek: async () => ({ iterator: String(asked++) }),
      read: async () => 'expired' as const,
    };
    const pages = gather(walkShards({ stream: expiring, clock: () => nowMs, sleep: retry.sleep, settleMs: 0 }, new Map(), nowMs));
    await expect(pages).rejects.toMatchObject({ kind: 'unavailable' });
    expect(asked).toBe(20);
  });

  it.each<[string, Answer, string]>([
    ['has keys alone', json({ StreamDescription: { StreamViewType: 'KEYS_ONLY', Shards: [] } }), 'input'],
    ['is gone', failure('ResourceNotFoundException'), 'missing'],
    ['may not be read', failure('AccessDeniedException'), 'denied'],
  ])('a stream that %s is told', async (_case, answer, kind) => {
    server.script([answer]);
    await expect(stream().shards()).rejects.toMatchObject({ kind });
  });

  it('a stream has a label that can be part of a key', () => {
    expect(stream().label).toBe('2026-11-27T05.00.00.000');
  });
});
