import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushConfigToAws } from '#functions/aws-config.ts';
import type { Blobs } from '#ports/blobs.ts';
import { drillPermissions, keepPermissions, restorePermissions, sourcePermissions } from '#stacks/backup-targets.ts';
import { S3_START_MS } from '#test/aws/s3-server.ts';
import { type ServiceRequest, startServiceServer } from '#test/aws/service-server.ts';
import { absence, deployedFunctions, openStandIns, type StandIns } from './stand-ins.ts';

/** KMS as far as it is asked: what it wraps is the thing itself behind a mark. */
function answerKms({ headers, body }: ServiceRequest): { status: number; body: string } {
  const { Plaintext = '', CiphertextBlob = '' } = JSON.parse(body) as Record<string, string>;
  const mark = 'wrapped:';
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const answer = String(headers['x-amz-target']).endsWith('Encrypt')
    ? { CiphertextBlob: Buffer.concat([Buffer.from(mark), bytes(Plaintext)]).toString('base64') }
    : { Plaintext: bytes(CiphertextBlob).subarray(mark.length).toString('base64') };
  return { status: 200, body: JSON.stringify(answer) };
}

const text = (bytes: string) => new TextEncoder().encode(bytes);

describe.skipIf(absence !== undefined)(`the functions of backups as they are deployed${absence ? ` (${absence})` : ''}`, () => {
  const [photos, restored] = ['photos', 'restored'].map((name) => `${name}-${randomUUID()}`) as [string, string];
  let standIns: StandIns;
  let kms: Awaited<ReturnType<typeof startServiceServer>>;
  let source: Blobs;
  let key: string;
  let target: Blobs;

  beforeAll(async () => {
    kms = await startServiceServer(answerKms);
    const environment = { AWS_ENDPOINT_URL_KMS: kms.endpoint, QUARTERDECK_EXTERNAL_URL: 'https://ops.example.org' };
    standIns = await openStandIns(environment, ['backups-snapshot', 'backups-copy']);
    const { Backups: backups } = standIns.names;
    source = await standIns.createBucket(photos);
    target = await standIns.createBucket(restored);
    const orders = await standIns.createTable('orders');
    for (let i = 0; i < 20; i++) await orders.put({ pk: 'orders', sk: String(i), pieces: i });
    for (const name of ['a', 'b', 'c']) await source.put(`2026/${name}.jpg`, text(name.repeat(2_000)));
    const file = `repositories:
  main: { at: 's3://${backups}/main', kms: alias/quarterdeck-test-backups }
  second: { at: 's3://${backups}/second', kms: alias/quarterdeck-test-backups }
backups:
  - { name: photos, source: 's3://${photos}/2026', repository: main, schedule: rate(1 hour), copyTo: [second], retention: { last: 1 } }
  - { name: orders, source: 'dynamodb:orders', repository: main, schedule: rate(1 hour) }
drills:
  - { name: orders-come-back, backup: orders, schedule: rate(1 day) }
  - { name: photos-come-back, backup: photos, schedule: rate(1 day) }
`;
    await pushConfigToAws([{ path: 'backups.yaml', text: file }], Date.now);
    const asked = { tenant: 'default', scopes: ['query', 'admin'] };
    key = ((await standIns.lambda.invoke('api-create-key', asked)) as { secret: string }).secret;
  }, S3_START_MS);

  afterAll(async () => {
    await standIns?.close();
    await kms?.close();
  });

  const run = async (name: string, job?: string) =>
    ((await standIns.lambda.invoke(name, job === undefined ? {} : { name: job })) as { jobs: { state: string; sentence: string }[] }).jobs;

  const call = async (method: string, path: string, sent?: unknown) => {
    const body = sent === undefined ? {} : { body: text(JSON.stringify(sent)) };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await standIns.lambda.request('backups-http', path, { method, headers, ...body });
    return { status: answer.status, body: JSON.parse(answer.body) };
  };

  it('take a snapshot of a bucket, copy it, check both repositories, and drill it', async () => {
    expect(await run('backups-snapshot', 'photos')).toMatchObject([{ state: 'done', sentence: expect.stringMatching(/^3 items/) }]);
    expect(await run('backups-copy', 'photos')).toMatchObject([{ state: 'done', sentence: expect.stringContaining('1 snapshots copied') }]);
    for (const repository of ['main', 'second']) expect(await run('backups-check', repository)).toMatchObject([{ state: 'done' }]);
    expect(await run('backups-drill', 'photos-come-back')).toMatchObject([
      { state: 'done', sentence: expect.stringMatching(/^SUCCESSFUL/) },
    ]);
    expect((await source.list('')).entries.map(({ key }) => key)).toEqual(['2026/a.jpg', '2026/b.jpg', '2026/c.jpg']);
    const told = standIns.events.map(({ detailType }) => detailType);
    expect(told).toEqual(expect.arrayContaining(['Snapshot Completed', 'Drill Completed']));
  });

  it('show what there is, and restore where that is asked for by API', async () => {
    expect(await call('GET', '/api/backups')).toMatchObject({ status: 200 });
    const from = standIns.events.length;
    const request = { repository: 'main', snapshot: 'latest', to: `s3://${restored}/back` };
    expect(await call('POST', '/api/restores', request)).toMatchObject({ status: 202 });
    expect(await standIns.followEvents(from)).toEqual(['Job Asked', 'Restore Completed']);
    expect(Buffer.from(await target.get('back/a.jpg')).toString()).toBe('a'.repeat(2_000));
  });

  it('forget what is not kept, and prune', async () => {
    await source.put('2026/d.jpg', text('d'));
    await run('backups-snapshot', 'photos');
    expect(await run('backups-forget', 'main')).toMatchObject([
      { state: 'done', sentence: expect.stringMatching(/^1 of 2 snapshots forgotten/) },
    ]);
  });

  it('take a snapshot of a table, and drill it in a table of its own, which goes', async () => {
    expect(await run('backups-snapshot', 'orders')).toMatchObject([{ state: 'done' }]);
    expect(await run('backups-drill', 'orders-come-back')).toMatchObject([
      { state: 'done', sentence: expect.stringMatching(/^SUCCESSFUL/) },
    ]);
  });

  it('capture nothing where no backup wants changes', async () => {
    expect(await run('backups-capture')).toEqual([]);
  });

  it('do nothing of all this that their roles do not allow, with the source and the restored bucket named', async () => {
    const [sourceArn, restoredArn] = ['arn:aws:s3:::photos', 'arn:aws:s3:::restored'];
    const tableArns = ['arn:aws:dynamodb:eu-west-1:123456789012:table/orders'];
    const settings = { tableArns, bucketArns: [sourceArn], restoreBucketArns: [restoredArn] };
    const permissions = {
      'backups-snapshot': [...sourcePermissions(settings), ...keepPermissions(settings)],
      'backups-drill': drillPermissions(settings),
      'backups-restore': restorePermissions(settings),
    };
    const arns = { [photos]: sourceArn, [restored]: restoredArn };
    expect(await standIns.findRefused({ permissions, arns })).toEqual([]);
    const jobs = (await deployedFunctions()).filter((name) => name.startsWith('backups-'));
    expect(standIns.called()).toEqual(expect.arrayContaining(jobs));
    expect(new Set(kms.received.map(({ headers }) => headers['x-amz-target']))).toEqual(
      new Set(['TrentService.Encrypt', 'TrentService.Decrypt']),
    );
  });
});
