import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createTable } from '#aws/create-table.ts';
import { unmarshalItem } from '#aws/marshal.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Item } from '#ports/table.ts';
import { startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { bundleFunction } from '#test/stacks/bundle-function.ts';
import { openClock, type SharedClock, setClock } from './clock-file.ts';
import type { ProcessSettings } from './commands.ts';

/** Stand-ins of AWS with an empty table and bucket, and a clock for all who work on them. */
export interface World {
  readonly clock: SharedClock;
  leapTo(shownMs: number): void;
  /** What a process runs: bundled, since it is started again and again. */
  readonly program: string;
  /** What a process needs to work here, its own traits aside. */
  readonly settings: Pick<ProcessSettings, 'endpoints' | 'credentials' | 'bucket' | 'table' | 'clockPath'>;
  /** All there is, as the services have it. */
  items(): Promise<Item[]>;
  objects(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openWorld(startMs: number): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-processes-'));
  const clockPath = join(folder, 'clock');
  setClock(clockPath, startMs);
  const clock = openClock(clockPath);
  const [program, dynamo, s3] = await Promise.all([bundleProgram(join(folder, 'process.mjs')), startDynamoServer(), s3Endpoint()]);
  const [bucket, table] = [`quarterdeck-${randomUUID()}`, 'quarterdeck'];
  const access = { region: 'us-east-1', credentials: s3Credentials };
  const dynamoClient = createDynamoClient({ ...access, endpoint: dynamo.endpoint });
  const s3Client = createS3Client({ ...access, endpoint: s3 });
  await Promise.all([createTable(dynamoClient, table), createBucket(s3Client, bucket)]);
  return {
    clock,
    leapTo: (shownMs) => setClock(clockPath, shownMs),
    program,
    settings: { endpoints: { dynamo: dynamo.endpoint, s3 }, credentials: s3Credentials, bucket, table, clockPath },
    items: () => scan(dynamoClient, table),
    objects: () => listAll(createS3Blobs({ client: s3Client, bucket })),
    async close() {
      clock.close();
      dynamoClient.destroy();
      s3Client.destroy();
      await dynamo.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function bundleProgram(file: string): Promise<string> {
  const { code } = await bundleFunction(join(import.meta.dirname, 'storage-process.ts'));
  await writeFile(file, code);
  return file;
}

async function scan(client: DynamoDBClient, TableName: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let ExclusiveStartKey: Record<string, never> | undefined; ; ) {
    const page = await client.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey }));
    for (const item of page.Items ?? []) items.push(unmarshalItem(item));
    if (page.LastEvaluatedKey === undefined) return items;
    ExclusiveStartKey = page.LastEvaluatedKey as Record<string, never>;
  }
}

async function listAll(blobs: Blobs): Promise<string[]> {
  const keys: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await blobs.list('', { after });
    for (const { key } of page.entries) keys.push(key);
    if (page.next === undefined) return keys;
    after = page.next;
  }
}
