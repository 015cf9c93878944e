import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPrefixSource } from '#aws/backup/prefix-source.ts';
import { openPrefixTarget } from '#aws/backup/prefix-target.ts';
import { openTableSource } from '#aws/backup/table-source.ts';
import { openTableTarget } from '#aws/backup/table-target.ts';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import { dynamoAbsence, type StandIn, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { type Bench, createBench, noise } from '#test/backups/kit.ts';
import { createOrders, credentials, linesOf, order, putAll, quickRetry } from './table-fixtures.ts';

/** Time is up at every n-th look at it. */
function hurried(every: number) {
  let looks = 0;
  return () => (++looks % every === 0 ? 0 : Number.POSITIVE_INFINITY);
}

/** Backs up in as many runs as it takes, each with a source of its own; how many there were. */
async function backUpHurried(bench: Bench, open: () => BackupSource, every: number): Promise<{ snapshot: Snapshot; runs: number }> {
  const remainingMs = hurried(every);
  let session: string | undefined;
  for (let runs = 1; ; runs++) {
    const source = open();
    const { repository } = bench;
    const result = await takeBackup(bench, { repository, source, kind: 'incremental', host: 'here', session, remainingMs });
    await source.close();
    if (result.state === 'done') return { snapshot: result.snapshot, runs };
    session = result.session;
  }
}

async function restoreHurried(bench: Bench, snapshot: Snapshot, open: () => BackupTarget, every: number): Promise<number> {
  const remainingMs = hurried(every);
  const missing: unknown[] = [];
  let after: string | undefined;
  for (let runs = 1; ; runs++) {
    const result = await runRestore({ repository: bench.repository, snapshot, target: open(), after, remainingMs });
    missing.push(...result.missing);
    expect(missing).toEqual([]);
    if (result.state === 'done') return runs;
    after = result.after;
  }
}

describe.skipIf(dynamoAbsence !== undefined)('a DynamoDB table in a repository', () => {
  let server: StandIn;
  let client: DynamoDBClient;
  beforeAll(async () => {
    server = await startDynamoServer();
    client = createDynamoClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  });
  afterAll(() => server?.stop());

  it('is backed up and restored in runs that are stopped and gone on with, and read once', async () => {
    await createOrders(client, 'engine');
    const items = Array.from({ length: 120 }, (_, i) => order(`c${i % 11}`, i, { note: { S: noise(60, i).toString('base64') } }));
    await putAll(client, 'engine', items);
    const bench = await createBench();
    const open = (tableName: string) => () =>
      openTableSource({ client, tableName, clock: bench.clock, retry: quickRetry, segments: 4, partBytes: 1_000, pageItems: 7 });
    const first = await backUpHurried(bench, open('engine'), 4);
    expect(first.runs).toBeGreaterThan(3);
    const second = await backUpHurried(bench, open('engine'), Number.POSITIVE_INFINITY);
    expect(second.snapshot.counts).toMatchObject({ readBytes: 0, newBytes: 0, changedItems: 0, newItems: 0 });
    const target = () => openTableTarget({ client, tableName: 'engine-restored', clock: Date.now, retry: quickRetry });
    expect(await restoreHurried(bench, second.snapshot, target, 4)).toBeGreaterThan(3);
    expect(await linesOf(client, 'engine-restored')).toEqual(await linesOf(client, 'engine'));
  }, 120_000);
});

describe.skipIf(s3Absence !== undefined)('a prefix of a bucket in a repository', () => {
  let client: S3Client;
  beforeAll(async () => {
    client = createS3Client({ endpoint: await s3Endpoint(), region: 'us-east-1', credentials: s3Credentials });
  }, S3_START_MS);

  const contentOf = async (Bucket: string, prefix: string) => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    const objects = Contents.map(async ({ Key = '' }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return [Key.slice(prefix.length), Buffer.from((await Body?.transformToByteArray()) ?? []).toString('base64')];
    });
    return await Promise.all(objects);
  };

  it('is backed up and restored in runs that are stopped and gone on with, and read once', async () => {
    const bucket = `engine-${process.pid}`;
    await createBucket(client, bucket);
    for (let i = 0; i < 12; i++)
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `data/${i % 3}/${i}`, Body: noise(i === 5 ? 40_000 : 500, i) }));
    const bench = await createBench();
    const open = () => openPrefixSource({ client, bucket, prefix: 'data/', clock: bench.clock, retry: quickRetry });
    const first = await backUpHurried(bench, open, 5);
    expect(first.runs).toBeGreaterThan(3);
    const second = await backUpHurried(bench, open, Number.POSITIVE_INFINITY);
    expect(second.snapshot.counts).toMatchObject({ readBytes: 0, newBytes: 0, unchangedItems: 12 });
    const target = () => openPrefixTarget({ client, bucket, prefix: 'copy/', retry: quickRetry });
    expect(await restoreHurried(bench, second.snapshot, target, 4)).toBeGreaterThan(3);
    expect(await contentOf(bucket, 'copy/')).toEqual(await contentOf(bucket, 'data/'));
  }, 120_000);
});
