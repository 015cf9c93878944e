import { DeleteItemCommand, type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureChanges } from '#aws/backup/capture-changes.ts';
import type { ChangeLogDeps } from '#aws/backup/change-log.ts';
import { openChangeStream } from '#aws/backup/change-stream.ts';
import { encodeItem } from '#aws/backup/item-lines.ts';
import { restoreTableTo } from '#aws/backup/restore-table-to.ts';
import { describeTable } from '#aws/backup/table-definition.ts';
import { openTableSource, type TableSourceOptions } from '#aws/backup/table-source.ts';
import { openTableTarget } from '#aws/backup/table-target.ts';
import { walkShards } from '#aws/backup/walk-shards.ts';
import { createDynamoClient } from '#aws/clients.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { dynamoAbsence, type StandIn, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { createMemoryStream } from './memory-stream.ts';
import { createOrders, credentials, linesOf, order, putAll, quickRetry, restoreAll, takeAll } from './table-fixtures.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 20)));
const plainSeal = { seal: async (plain: Uint8Array) => plain, open: async (sealed: Uint8Array) => sealed };

describe.skipIf(dynamoAbsence !== undefined)('a DynamoDB table at one moment', () => {
  let server: StandIn;
  let client: DynamoDBClient;
  let streams: DynamoDBStreamsClient;
  let tables = 0;
  beforeAll(async () => {
    server = await startDynamoServer();
    const options = { endpoint: server.endpoint, region: 'us-east-1', credentials };
    client = createDynamoClient(options);
    streams = new DynamoDBStreamsClient(options);
  });
  afterAll(() => server?.stop());

  const newTable = async (count: number, more = {}) => {
    const tableName = `moment-${++tables}`;
    await createOrders(client, tableName, more);
    await putAll(
      client,
      tableName,
      Array.from({ length: count }, (_, i) => order(`c${i % 7}`, i)),
    );
    return tableName;
  };
  /** The stand-in's time is this machine's: a moment is the next full second. */
  const sourceOf = (tableName: string, more: Partial<TableSourceOptions> = {}) =>
    openTableSource({
      client,
      tableName,
      clock: Date.now,
      retry: { ...quickRetry, sleep },
      moment: { streams },
      segments: 3,
      partBytes: 500,
      pageItems: 4,
      settleMs: 100,
      clockMarginMs: 0,
      ...more,
    });
  const restore = async (items: Parameters<typeof restoreAll>[1]) => {
    const tableName = `moment-${++tables}`;
    const target = openTableTarget({ client, tableName, clock: Date.now, retry: quickRetry, plain: true });
    expect(await restoreAll(target, items)).toEqual([]);
    return tableName;
  };
  /** What the table's whole stream says it was before an instant. */
  const stateAt = async (tableName: string, atMs: number) => {
    const { streamArn = '' } = await describeTable({ client, tableName });
    const stream = openChangeStream({ client: streams, streamArn });
    const state = new Map<string, string>();
    for await (const { changes } of walkShards({ stream, clock: Date.now, sleep, settleMs: 0 }, new Map(), 0)) {
      for (const { key, item, atS } of changes) {
        if (atS * 1_000 >= atMs) continue;
        if (item === undefined) state.delete(key);
        else state.set(key, item);
      }
    }
    return [...state.values()].sort();
  };
  /** A client that writes something before each page of a scan, and goes on with it. */
  const restless = (tableName: string): DynamoDBClient => {
    let writes = 0;
    const disturb = async () => {
      const n = writes++;
      await client.send(new PutItemCommand({ TableName: tableName, Item: order(`c${n % 9}`, n % 45, { note: { S: `write ${n}` } }) }));
      await client.send(
        new DeleteItemCommand({ TableName: tableName, Key: { customer: { S: `c${(n * 3) % 7}` }, number: { N: String((n * 3) % 40) } } }),
      );
    };
    return new Proxy(client, {
      get(target, name) {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: ScanCommand) => {
          if (command instanceof ScanCommand) await disturb();
          return await target.send(command);
        };
      },
    });
  };

  it('is backed up as it was at an instant, while it is being written to', async () => {
    const tableName = await newTable(40);
    let going = true;
    const writer = (async () => {
      for (let i = 0; going; i++) {
        await client.send(new PutItemCommand({ TableName: tableName, Item: order(`w${i % 5}`, i % 11, { note: { S: String(i) } }) }));
        await sleep(15);
      }
    })();
    const source = sourceOf(tableName, { client: restless(tableName) });
    const { items } = await takeAll(source);
    going = false;
    await writer;
    const guarantee = await source.guarantee();
    expect(guarantee.consistency).toBe('moment');
    expect(items.some(({ kind }) => kind === 'changes')).toBe(true);
    expect(items.map(({ path }) => path)).toEqual(items.map(({ path }) => path).sort());
    const restored = await linesOf(client, await restore(items));
    expect(restored).toEqual(await stateAt(tableName, Date.parse(guarantee.at)));
    expect(restored).not.toEqual(await linesOf(client, tableName));
  });

  it('comes to the same moment from any cursor', async () => {
    const tableName = await newTable(25);
    const source = sourceOf(tableName, { client: restless(tableName) });
    const { items } = await takeAll(source);
    const { at } = await source.guarantee();
    for (const index of [0, 3, items.length - 2, items.length - 1]) {
      const again = sourceOf(tableName);
      const rest = await takeAll(again, items[index]?.cursor);
      const whole = [...items.slice(0, index + 1), ...rest.items];
      const moment = (await again.guarantee()).at;
      if (items[index]?.kind === 'changes') expect(moment).toBe(at);
      expect(await linesOf(client, await restore(whole))).toEqual(await stateAt(tableName, Date.parse(moment)));
    }
  });

  it.each<[string, object]>([
    ['no stream', { StreamSpecification: { StreamEnabled: false } }],
    ['a stream of keys alone', { StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' } }],
  ])('cannot be had from %s', async (_case, more) => {
    const tableName = await newTable(2, more);
    await expect(takeAll(sourceOf(tableName))).rejects.toMatchObject({ kind: 'input', hint: expect.stringContaining('NEW_IMAGE') });
  });

  it('cannot be had without consistent reads', () => {
    expect(() => sourceOf('any', { consistent: false })).toThrow(expect.objectContaining({ kind: 'input' }));
  });

  it('is a conflict where the stream lost what changed meanwhile', async () => {
    const tableName = await newTable(4);
    const stream = createMemoryStream('s');
    stream.write('{}', '{}', Date.now());
    const trimming = {
      ...stream,
      seek: async (id: string, after: string | undefined) => (after === undefined ? await stream.seek(id, after) : ('trimmed' as const)),
      read: async () => 'expired' as const,
    };
    let first = true;
    const read = async (iterator: string) => {
      if (!first) return await trimming.read();
      first = false;
      return await stream.read(iterator);
    };
    const source = sourceOf(tableName, { moment: { streams: { ...trimming, read } } });
    await expect(takeAll(source)).rejects.toMatchObject({ kind: expect.stringMatching(/conflict|unavailable/) });
  });

  it('is restored to each second by its log', async () => {
    const tableName = await newTable(0);
    const { streamArn = '' } = await describeTable({ client, tableName });
    const stream = openChangeStream({ client: streams, streamArn });
    const log: ChangeLogDeps = { blobs: createMemoryBlobs({ clock: Date.now }), seal: plainSeal, name: tableName };
    const capture = () => captureChanges({ stream, log, clock: Date.now, sleep, settleMs: 0 }, { partBytes: 300 });
    await capture();
    await putAll(
      client,
      tableName,
      Array.from({ length: 12 }, (_, i) => order(`c${i % 3}`, i)),
    );
    const source = sourceOf(tableName);
    const { items } = await takeAll(source);
    const base = await source.guarantee();
    // Into the next seconds, which the stream tells apart.
    for (let second = 0; second < 2; second++) {
      await putAll(
        client,
        tableName,
        Array.from({ length: 5 }, (_, i) => order(`c${i}`, second * 3 + i, { second: { N: String(second) } })),
      );
      await client.send(new DeleteItemCommand({ TableName: tableName, Key: { customer: { S: 'c0' }, number: { N: String(second * 3) } } }));
      await capture();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await capture();
    const seen = new Set<string>();
    for (let momentMs = Date.parse(base.at) - 1_000; momentMs + 1_000 <= Date.now() - 1_000; momentMs += 1_000) {
      let to = '';
      await restoreTableTo(
        {
          client,
          get tableName() {
            return to;
          },
          clock: Date.now,
          log,
          retry: quickRetry,
          restoreBase: async () => {
            to = await restore(items);
          },
        },
        { base, baseEndedAtMs: 0, momentMs },
      );
      const lines = await linesOf(client, to);
      expect(lines).toEqual(await stateAt(tableName, momentMs + 1_000));
      seen.add(lines.join('\n'));
    }
    expect(seen.size).toBeGreaterThan(1);
    const before = restoreTableTo(
      { client, tableName, clock: Date.now, log, restoreBase: async () => undefined },
      { base, baseEndedAtMs: 0, momentMs: Date.parse(base.at) - 5_000 },
    );
    await expect(before).rejects.toMatchObject({ kind: 'input' });
  }, 20_000);

  it('has lines that are items', async () => {
    const tableName = await newTable(1);
    expect(await stateAt(tableName, Number.POSITIVE_INFINITY)).toEqual([encodeItem(order('c0', 0))]);
  });
});
