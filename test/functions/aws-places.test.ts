import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDynamoClient, createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createTable } from '#aws/create-table.ts';
import { createDynamoTable } from '#aws/dynamo-table.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { runDrill } from '#backups/drills/run-drill.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { loadConfig } from '#config/load-config.ts';
import { openPushedConfig, pushConfig } from '#config/pushed-config.ts';
import { openAwsPlaces } from '#functions/aws-places.ts';
import { createDeps } from '#functions/deps.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { createOrders, linesOf, order, putAll } from '#test/aws/backup/table-fixtures.ts';
import { dynamoAbsence, type StandIn, startDynamoServer } from '#test/aws/dynamodb-server.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { backUp, createBench } from '#test/backups/kit.ts';
import { batchOf } from '#test/storage/store.ts';

const bin = resolve(import.meta.dirname, '..', '..', 'bin', 'quarterdeck.js');

describe.skipIf((dynamoAbsence ?? s3Absence) !== undefined)('places on AWS', () => {
  let dynamo: DynamoDBClient;
  let s3: S3Client;
  let server: StandIn;
  let dir: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    const [started, endpoint] = await Promise.all([startDynamoServer(), s3Endpoint()]);
    server = started;
    dir = await mkdtemp(join(tmpdir(), 'quarterdeck-places-'));
    env = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: server.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
      QUARTERDECK_BACKUP_PASSPHRASE: 'correct horse',
    };
    const options = { region: 'us-east-1', credentials: s3Credentials };
    dynamo = createDynamoClient({ ...options, endpoint: server.endpoint });
    s3 = createS3Client({ ...options, endpoint });
  }, S3_START_MS);
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const run = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [bin, ...args], { env: { PATH: process.env.PATH, ...env } })).stdout;
  const keysOf = async (Bucket: string, Prefix = '') => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    return Contents.map(({ Key }) => Key);
  };

  it('are reached from the command line where AWS_ENDPOINT_URL says: a table into a repository in a bucket, and a prefix', async () => {
    const bucket = `cli-${process.pid}`;
    await createBucket(s3, bucket);
    await createOrders(dynamo, 'cli-orders');
    await putAll(
      dynamo,
      'cli-orders',
      Array.from({ length: 30 }, (_, i) => order(`c${i % 4}`, i)),
    );
    const repo = `s3://${bucket}/repo`;
    expect(await run('backup', 'dynamodb:cli-orders', '--repo', repo)).toContain('of dynamodb:cli-orders');
    await run('restore', 'latest', '--repo', repo, '--to', 'dynamodb:cli-restored');
    expect(await linesOf(dynamo, 'cli-restored')).toEqual(await linesOf(dynamo, 'cli-orders'));
    const later = [
      'restore',
      'latest',
      '--repo',
      repo,
      '--to',
      'dynamodb:cli-later',
      '--at',
      new Date(Date.now() + 3_600_000).toISOString(),
    ];
    await expect(run(...later)).rejects.toThrow(/change log of "cli-orders" does not reach/);
    expect((await dynamo.send(new ListTablesCommand({}))).TableNames).not.toContain('cli-later');

    for (const name of ['a', 'b/c']) await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `data/${name}`, Body: name }));
    expect(await run('backup', `s3://${bucket}/data`, '--repo', repo)).toContain(`of s3://${bucket}/data`);
    await run('restore', 'latest', '--repo', repo, '--to', `s3://${bucket}/copy`);
    expect(await keysOf(bucket, 'copy/')).toEqual(['copy/a', 'copy/b/c']);
    expect(await run('drill', '--repo', repo)).toContain('SUCCESSFUL');
    expect(await keysOf(bucket, 'quarterdeck-drills/')).toEqual([]);
  }, 180_000);

  it('hold a deployment that is backed up, drilled beside and restored into an empty one', async () => {
    const deploy = async (name: string) => {
      await createTable(dynamo, name);
      await createBucket(s3, name);
      return { table: createDynamoTable({ client: dynamo, tableName: name }), blobs: createS3Blobs({ client: s3, bucket: name }) };
    };
    const stub = (name: string) => {
      for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
      for (const resource of ['Blobs', 'Uploads', 'Table', 'Bus']) vi.stubEnv(`SST_RESOURCE_${resource}`, JSON.stringify({ name }));
    };
    const first = `first-${process.pid}`;
    const ports = await deploy(first);
    const nowMs = Date.now();
    const config = await loadConfig({ readFile: async () => undefined, list: async () => [] });
    const refuse = () => Promise.reject(new Error('not here'));
    const { ingest } = createDeps({ ...ports, bus: { publish: refuse }, uploads: { presign: refuse } }, config, {
      now: () => nowMs,
      observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
      cache: createReadCache(0),
      inlineBytes: 0,
      graceMs: 60_000,
      pause: async () => {},
      externalUrl: '',
      allowPrivateTargets: false,
    });
    const pushed = { path: 'rules/a.yaml', text: 'groups: []' };
    await pushConfig({ ...ports, now: () => nowMs, check: async () => undefined }, [pushed]);
    const batch = batchOf(Array.from({ length: 3 }, (_, i) => ({ series: `up,instance=host-${i}`, ts: nowMs - 1_000, value: i })));
    await ingest.store.append({ tenant: 'default', id: 'ab'.repeat(16), batch });
    stub(first);
    const places = openAwsPlaces({ config: async () => config });
    expect(await places.isEmpty('quarterdeck:')).toBe(false);
    const bench = await createBench();
    bench.tick(nowMs - bench.clock());
    const source = await places.openSource('quarterdeck:', {});
    const snapshot = await backUp(bench, new Map(), { source });
    await source.close();
    expect([snapshot.source, snapshot.guarantee.consistency]).toEqual([{ type: 'quarterdeck', name: 'quarterdeck:' }, 'fuzzy']);

    const scratch = await places.openScratch('quarterdeck:', 'd1');
    const drilled = await runDrill(
      { clock: Date.now, ask: async () => ({ ok: true, sentence: '' }) },
      {
        ...{ id: 'd1', drill: 'weekly', repository: bench.repository, snapshot, scratch, objectives: {}, timeoutMs: 600_000 },
        checks: [{ query: 'count(up)', equals: 3, tenant: 'default' }],
      },
    );
    expect(drilled).toMatchObject({ state: 'done', report: { status: 'SUCCESSFUL', compared: { differenceCount: 0 } } });
    expect((await dynamo.send(new ListTablesCommand({}))).TableNames).not.toContain('quarterdeck-drill-d1');
    expect(await keysOf(first, 'quarterdeck-drills/')).toEqual([]);

    const onto = await places.openTarget('quarterdeck:', { overwrite: true });
    await expect(runRestore({ repository: bench.repository, snapshot, target: onto })).rejects.toThrow(/has data already/);

    const second = `second-${process.pid}`;
    const other = await deploy(second);
    stub(second);
    expect(await places.isEmpty('quarterdeck:')).toBe(true);
    const target = await places.openTarget('quarterdeck:', {});
    expect((await runRestore({ repository: bench.repository, snapshot, target })).missing).toEqual([]);
    expect(await linesOf(dynamo, second)).toEqual(await linesOf(dynamo, first));
    expect(await keysOf(second)).toEqual(await keysOf(first));
    expect(await (await openPushedConfig(other)).files.readFile(pushed.path)).toBe(pushed.text);
    expect(await places.isEmpty('quarterdeck:')).toBe(false);
  }, 180_000);
});
