import {
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeItem } from '#aws/backup/item-lines.ts';
import { describeTable } from '#aws/backup/table-definition.ts';
import { openTableSource, type TableSourceOptions } from '#aws/backup/table-source.ts';
import { openTableTarget } from '#aws/backup/table-target.ts';
import { createDynamoClient } from '#aws/clients.ts';
import { dynamoAbsence, type StandIn, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import {
  createOrders,
  credentials,
  gather,
  itemLines,
  linesOf,
  order,
  putAll,
  quickRetry,
  restoreAll,
  type Taken,
  take,
  takeAll,
} from './table-fixtures.ts';

const oddItem = order('odd', 1, {
  number: { N: '-0.00000000000000000012345678901234567890123456789012345678' },
  long: { N: '12345678901234567890123456789012345678' },
  empty: { S: '' },
  bytes: { B: new Uint8Array([0, 255, 10]) },
  none: { NULL: true },
  sets: { M: { s: { SS: ['b', 'a', 'é', '😀'] }, n: { NS: ['10', '9', '-1.5'] }, b: { BS: [new Uint8Array([2]), new Uint8Array([1])] } } },
  nested: { L: [{ L: [] }, { M: {} }, { M: { '': { BOOL: false }, 'a\nb"\\': { S: '\u0000\n\u2028' } } }] },
});

describe.skipIf(dynamoAbsence !== undefined)('a DynamoDB table as source and target', () => {
  let server: StandIn;
  let client: DynamoDBClient;
  let tables = 0;
  beforeAll(async () => {
    server = await startDynamoServer();
    client = createDynamoClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  });
  afterAll(() => server?.stop());

  const newName = () => `table-${++tables}`;
  const newTable = async (items: readonly Parameters<typeof putAll>[2][number][], more = {}) => {
    const tableName = newName();
    await createOrders(client, tableName, more);
    await putAll(client, tableName, items);
    return tableName;
  };
  const sourceOf = (tableName: string, more: Partial<TableSourceOptions> = {}) =>
    openTableSource({ client, tableName, clock: Date.now, retry: quickRetry, segments: 4, partBytes: 400, pageItems: 3, ...more });
  const targetOf = (tableName: string, more = {}) => openTableTarget({ client, tableName, clock: Date.now, retry: quickRetry, ...more });
  const many = (count: number) => Array.from({ length: count }, (_, i) => order(`c${i % 17}`, i, { note: { S: 'x'.repeat(i % 40) } }));

  it('comes back beside, every item as it was and the definition too', async () => {
    const from = await newTable([...many(60), oddItem]);
    await client.send(new UpdateTimeToLiveCommand({ TableName: from, TimeToLiveSpecification: { Enabled: true, AttributeName: 'until' } }));
    await client.send(new UpdateTableCommand({ TableName: from, DeletionProtectionEnabled: true }));
    const source = sourceOf(from);
    const { items, faults } = await takeAll(source);
    expect(faults).toEqual([]);
    expect(await source.guarantee()).toMatchObject({ consistency: 'fuzzy' });
    const to = newName();
    expect(await restoreAll(targetOf(to), items)).toEqual([]);
    expect(await linesOf(client, to)).toEqual(await linesOf(client, from));
    expect((await describeTable({ client, tableName: to })).definition).toEqual(
      (await describeTable({ client, tableName: from })).definition,
    );
  });

  it('gives its definition first and its paths in order', async () => {
    const { items } = await takeAll(sourceOf(await newTable(many(80))));
    const paths = items.map(({ path }) => path);
    expect(paths[0]).toBe('definition');
    expect(paths).toEqual([...paths].sort());
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths.slice(1)) expect(path).toMatch(/^items\/00000[0-3]\/\d{6}$/);
  });

  it('gives the same bytes again while nothing changes, whatever the pages and how many segments are read at once', async () => {
    const tableName = await newTable(many(80));
    const contents = async (more: Partial<TableSourceOptions>) =>
      (await takeAll(sourceOf(tableName, more))).items.map(({ path, bytes }) => [path, Buffer.from(bytes ?? []).toString()]);
    const once = await contents({});
    expect(await contents({ parallel: 1, pageItems: 1 })).toEqual(once);
    expect(await contents({ parallel: 4, pageItems: 50 })).toEqual(once);
  });

  it('changes few parts where one item is put in', async () => {
    const tableName = await newTable(many(500));
    const contents = async () =>
      (await takeAll(sourceOf(tableName, { segments: 1, partBytes: 3_000, pageItems: 100 }))).items.map(({ bytes }) =>
        Buffer.from(bytes ?? []).toString(),
      );
    const before = new Set(await contents());
    await putAll(client, tableName, [order('c3', 1.5)]);
    const after = await contents();
    expect(after.length).toBeGreaterThan(10);
    expect(after.filter((content) => !before.has(content)).length).toBeLessThanOrEqual(4);
  });

  it('goes on from any of its cursors to the same end', async () => {
    const tableName = await newTable(many(60));
    const { items } = await takeAll(sourceOf(tableName));
    for (const [index, { cursor }] of items.entries()) {
      const rest = await takeAll(sourceOf(tableName), cursor);
      expect(rest.items.map(({ path, bytes }) => [path, bytes])).toEqual(items.slice(index + 1).map(({ path, bytes }) => [path, bytes]));
    }
  });

  it('reads a part from any offset', async () => {
    const source = sourceOf(await newTable(many(5)), { segments: 1 });
    for await (const item of source.list({ onFault: () => undefined })) {
      if (item.open === undefined) continue;
      const whole = (await take(item)).bytes as Uint8Array;
      const rest = await gather(item.open(7));
      expect(Buffer.concat(rest)).toEqual(Buffer.from(whole.subarray(7)));
      expect(await gather(item.open(whole.length))).toEqual([]);
    }
  });

  it('refuses a cursor that is none', async () => {
    const source = sourceOf(await newTable([]));
    await expect(takeAll(source, 'elsewhere')).rejects.toMatchObject({ kind: 'input' });
  });

  it('is missing where there is none', async () => {
    await expect(takeAll(sourceOf('nowhere'))).rejects.toMatchObject({ kind: 'missing', message: expect.stringContaining('"nowhere"') });
  });

  const changes: readonly [string, (tableName: string) => Promise<unknown>][] = [
    ['is deleted', (TableName) => client.send(new DeleteTableCommand({ TableName }))],
    [
      'is deleted and made anew',
      async (TableName) => {
        await client.send(new DeleteTableCommand({ TableName }));
        await createOrders(client, TableName);
        await putAll(client, TableName, many(60));
      },
    ],
    [
      'loses an index',
      (TableName) =>
        client.send(new UpdateTableCommand({ TableName, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-state' } }] })),
    ],
    ['loses its stream', (TableName) => client.send(new UpdateTableCommand({ TableName, StreamSpecification: { StreamEnabled: false } }))],
  ];
  it.each(changes)('is a conflict where it %s in the middle of a pass', async (_case, change) => {
    const tableName = await newTable(many(60));
    const iterator = sourceOf(tableName)
      .list({ onFault: () => undefined })
      [Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await iterator.next();
    await change(tableName);
    const rest = async () => {
      while (!(await iterator.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ kind: 'conflict' });
  });

  it.each(changes.slice(1))('is a conflict where it %s between two runs of a backup', async (_case, change) => {
    const tableName = await newTable(many(60));
    const { items } = await takeAll(sourceOf(tableName));
    await change(tableName);
    await expect(takeAll(sourceOf(tableName), items[2]?.cursor)).rejects.toMatchObject({ kind: 'conflict' });
  });

  describe('when it is restored', () => {
    let taken: Taken[];
    let from: string;
    beforeAll(async () => {
      from = await newTable(many(60));
      taken = (await takeAll(sourceOf(from))).items;
    });

    it('does not touch a table that is there', async () => {
      const to = await newTable([order('mine', 1)]);
      const before = await linesOf(client, to);
      const target = targetOf(to);
      expect(await target.plan({ path: 'definition', kind: 'table', meta: {}, sizeBytes: 0 })).toBe('replace');
      await expect(restoreAll(target, taken)).rejects.toMatchObject({ kind: 'conflict', hint: expect.stringContaining('beside') });
      expect(await linesOf(client, to)).toEqual(before);
    });

    it('is written over in place where that is allowed', async () => {
      const to = await newTable([order('mine', 1), order('c3', 3, { state: { S: 'changed' } })]);
      expect(await restoreAll(targetOf(to, { inPlace: true }), taken)).toEqual([]);
      expect(await linesOf(client, to)).toEqual([...(await linesOf(client, from)), ...itemLinesOf(order('mine', 1))].sort());
    });

    it('does not go into a table with other keys', async () => {
      const to = newName();
      const KeySchema = [{ AttributeName: 'customer', KeyType: 'HASH' as const }];
      const AttributeDefinitions = [{ AttributeName: 'customer', AttributeType: 'S' as const }];
      await createOrders(client, to, { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes: undefined });
      await expect(restoreAll(targetOf(to, { inPlace: true }), taken)).rejects.toMatchObject({ kind: 'conflict' });
    });

    it('goes on in the table that an earlier run made, and only then adds what had to wait', async () => {
      const to = newName();
      const first = targetOf(to);
      for (const item of taken.slice(0, 3)) await restoreItem(first, item);
      const half = (await describeTable({ client, tableName: to })).definition;
      expect(half.globalIndexes).toEqual([]);
      expect(Object.keys(half.tags)[0]).toBe('quarterdeck:restoring/00');
      expect(half.streamViewType).toBeUndefined();
      expect(await targetOf(to).plan({ path: 'definition', kind: 'table', meta: {}, sizeBytes: 0 })).toBe('replace');
      expect(await restoreAll(targetOf(to), taken)).toEqual([]);
      expect(await linesOf(client, to)).toEqual(await linesOf(client, from));
      expect((await describeTable({ client, tableName: to })).definition.tags).toEqual({ team: 'shop' });
    });

    it('adds what had to wait in a run that goes on without the definition', async () => {
      const to = newName();
      await restoreItem(targetOf(to), taken[0] as Taken);
      expect(await restoreAll(targetOf(to), taken.slice(1))).toEqual([]);
      expect(await linesOf(client, to)).toEqual(await linesOf(client, from));
      expect((await describeTable({ client, tableName: to })).definition).toEqual(
        (await describeTable({ client, tableName: from })).definition,
      );
    });

    it('is whole after a finish that was cut short, once it is repeated', async () => {
      for (const failing of ['UpdateTable', 'UpdateTimeToLive', 'TagResource', 'UntagResource']) {
        const to = newName();
        const broken = new Proxy(client, {
          get(target, name) {
            if (name !== 'send') return Reflect.get(target, name);
            return async (command: object) => {
              if (command.constructor.name === `${failing}Command`) throw Object.assign(new Error('gone'), { name: 'TimeoutError' });
              return await target.send(command as DescribeTableCommand);
            };
          },
        });
        await restoreAll(targetOf(to, { client: broken }), taken).catch(() => undefined);
        expect(await targetOf(to).finish()).toEqual([]);
        expect((await describeTable({ client, tableName: to })).definition).toEqual(
          (await describeTable({ client, tableName: from })).definition,
        );
      }
    });

    it('says so where the table has more or fewer items than were written', async () => {
      const to = newName();
      const target = targetOf(to);
      for (const item of taken) await restoreItem(target, item);
      await putAll(client, to, [order('somebody', 1)]);
      expect(await target.finish()).toEqual([{ path: 'items', message: expect.stringContaining('61') }]);
    });

    it('leaves a plain copy without stream and protection', async () => {
      const to = newName();
      await restoreAll(targetOf(to, { plain: true }), taken);
      const { Table } = await client.send(new DescribeTableCommand({ TableName: to }));
      expect(Table?.StreamSpecification?.StreamEnabled ?? false).toBe(false);
      expect(Table?.GlobalSecondaryIndexes).toHaveLength(1);
    });

    it('gets the key of KMS that it had, another one, or none', async () => {
      const encrypted = await newTable([], {
        SSESpecification: { Enabled: true, SSEType: 'KMS' },
        TableClass: 'STANDARD_INFREQUENT_ACCESS',
      });
      const { items } = await takeAll(sourceOf(encrypted));
      const restoredWith = async (more: object) => {
        const to = newName();
        expect(await restoreAll(targetOf(to, more), items)).toEqual([]);
        return (await describeTable({ client, tableName: to })).definition;
      };
      const had = (await describeTable({ client, tableName: encrypted })).definition.kmsKeyArn;
      expect(had).toMatch(/^arn:aws:kms/);
      expect(await restoredWith({})).toMatchObject({ kmsKeyArn: had, tableClass: 'STANDARD_INFREQUENT_ACCESS' });
      expect((await restoredWith({ kmsKeyArn: null })).kmsKeyArn).toBeUndefined();
    });

    it.each<[string, Partial<Taken>]>([
      ['is no part of a table', { kind: 'file' }],
      ['has lines that are no items', { bytes: Buffer.from('{"a":1}\n') }],
      ['has fewer lines than were written', { bytes: Buffer.from('') }],
      ['is cut off', { bytes: Buffer.from('{"a":') }],
    ])('refuses an entry that %s', async (_case, wrong) => {
      const to = newName();
      const target = targetOf(to);
      await restoreItem(target, taken[0] as Taken);
      await expect(restoreItem(target, { ...(taken[1] as Taken), ...wrong })).rejects.toMatchObject({ kind: 'input' });
    });

    it('refuses a definition that is none', async () => {
      await expect(restoreItem(targetOf(newName()), { ...(taken[0] as Taken), meta: { keySchema: [] } })).rejects.toMatchObject({
        kind: 'input',
      });
    });
  });

  it('is what it was after any backup and restore', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }).map((S) => ({ S: S.toWellFormed() })),
      fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map((N) => ({ N: String(N) })),
      fc.uint8Array({ maxLength: 30 }).map((B) => ({ B })),
    );
    const key = fc.record({ customer: fc.constantFrom('a', 'b', 'é', '😀'), number: fc.integer({ min: 0, max: 5 }) });
    const rows = fc.array(fc.tuple(key, fc.dictionary(fc.constantFrom('x', 'y', '1', 'ä'), value)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 50, max: 2_000 }), async (given, segments, partBytes) => {
        const from = await newTable(given.map(([{ customer, number }, more]) => order(customer, number, more)));
        const { items } = await takeAll(sourceOf(from, { segments, partBytes }));
        const to = newName();
        expect(await restoreAll(targetOf(to), items, 37)).toEqual([]);
        expect(await linesOf(client, to)).toEqual(await linesOf(client, from));
      }),
      { numRuns: 15 },
    );
  });

  const restoreItem = async (target: ReturnType<typeof targetOf>, item: Taken) => {
    const { bytes, ...rest } = item;
    const content =
      bytes &&
      (async function* () {
        yield bytes;
      })();
    await target.write({ ...rest, sizeBytes: bytes?.length ?? 0, content });
  };
  const itemLinesOf = (item: ReturnType<typeof order>) =>
    itemLines([{ path: '', kind: 'items', meta: {}, cursor: '', bytes: Buffer.from(`${encodeItem(item)}\n`) }]);
});
