import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { encodeItem } from '#aws/backup/item-lines.ts';
import { defaultRetry } from '#core/retry.ts';
import type { BackupSource, SourceFault, SourceItem } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';

export const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
export const quickRetry = { ...defaultRetry, attempts: 3, baseDelayMs: 1, sleep: (ms: number) => defaultRetry.sleep(Math.min(ms, 2)) };

/** A source's item with its bytes. */
export type Taken = Omit<SourceItem, 'open'> & { readonly bytes?: Uint8Array };

const orders: CreateTableCommandInput = {
  TableName: 'orders',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'customer', AttributeType: 'S' },
    { AttributeName: 'number', AttributeType: 'N' },
    { AttributeName: 'state', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'customer', KeyType: 'HASH' },
    { AttributeName: 'number', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    { IndexName: 'by-state', KeySchema: [{ AttributeName: 'state', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  Tags: [{ Key: 'team', Value: 'shop' }],
};

export async function createOrders(client: DynamoDBClient, TableName: string, more: Partial<CreateTableCommandInput> = {}): Promise<void> {
  await client.send(new CreateTableCommand({ ...orders, ...more, TableName }));
}

export function order(customer: string, number: number, more: Record<string, AttributeValue> = {}): Record<string, AttributeValue> {
  return { customer: { S: customer }, number: { N: String(number) }, state: { S: 'open' }, ...more };
}

export async function putAll(client: DynamoDBClient, TableName: string, items: readonly Record<string, AttributeValue>[]): Promise<void> {
  for (const Item of items) await client.send(new PutItemCommand({ TableName, Item }));
}

/** Every item of a table as a line, in the order of lines. */
export async function linesOf(client: DynamoDBClient, TableName: string): Promise<string[]> {
  const lines: string[] = [];
  for (let start: Record<string, AttributeValue> | undefined; ; ) {
    const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey: start }));
    lines.push(...(page.Items ?? []).map(encodeItem));
    if (page.LastEvaluatedKey === undefined) return lines.sort();
    start = page.LastEvaluatedKey;
  }
}

/** A pass over a source, all of it in memory. */
export async function takeAll(source: BackupSource, after?: string): Promise<{ items: Taken[]; faults: SourceFault[] }> {
  const items: Taken[] = [];
  const faults: SourceFault[] = [];
  for await (const item of source.list({ after, onFault: (fault) => faults.push(fault) })) items.push(await take(item));
  return { items, faults };
}

export async function take({ open, ...item }: SourceItem): Promise<Taken> {
  if (open === undefined) return item;
  const pieces: Uint8Array[] = [];
  for await (const piece of open(0)) pieces.push(piece);
  return { ...item, bytes: Buffer.concat(pieces) };
}

/** Hands the items to a target in pieces of odd sizes. */
export async function restoreAll(target: BackupTarget, items: readonly Taken[], pieceBytes = 1_000) {
  for (const { bytes, ...item } of items) {
    const content = bytes === undefined ? undefined : inPieces(bytes, pieceBytes);
    await target.write({ ...item, sizeBytes: bytes?.length ?? 0, content });
  }
  return await target.finish();
}

export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** The lines of entries of items, in the order of lines. */
export function itemLines(items: readonly Taken[]): string[] {
  return items
    .filter(({ kind }) => kind === 'items')
    .flatMap(({ bytes }) =>
      Buffer.from(bytes ?? [])
        .toString()
        .split('\n')
        .slice(0, -1),
    )
    .sort();
}

export async function gather<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
