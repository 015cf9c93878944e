import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { s3BlobsAt } from '#aws/backup/s3-blobs-at.ts';
import { createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { quickRetry } from './table-fixtures.ts';

describe.skipIf(s3Absence !== undefined)('a place of a repository on S3', () => {
  let client: S3Client;
  let buckets = 0;
  beforeAll(async () => {
    client = createS3Client({ endpoint: await s3Endpoint(), region: 'us-east-1', credentials: s3Credentials });
  }, S3_START_MS);

  const newBucket = async () => {
    const bucket = `place-${process.pid}-${++buckets}`;
    await createBucket(client, bucket);
    return bucket;
  };
  const put = (Bucket: string, Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const body = async (Bucket: string, Key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []).toString();
  };

  it('keeps blobs below its prefix', async () => {
    const bucket = await newBucket();
    await put(bucket, 'repo-other/a', 'not of it');
    const { blobs } = s3BlobsAt(`s3://${bucket}/repo/`, { client, clock: Date.now, retry: quickRetry });
    for (const key of ['a/1', 'a/2', 'b']) expect(await blobs.put(key, Buffer.from(key))).toBe('created');
    expect(await blobs.put('b', Buffer.from('other'))).toBe('exists');
    const page = await blobs.list('', { limit: 2 });
    expect(page).toMatchObject({ entries: [{ key: 'a/1' }, { key: 'a/2' }], next: 'a/2' });
    expect((await blobs.list('', { after: page.next })).entries.map(({ key }) => key)).toEqual(['b']);
    expect(Buffer.from(await blobs.get('a/2', { start: 1, end: 3 })).toString()).toBe('/2');
    await blobs.delete(['a/1']);
    await expect(blobs.get('a/1')).rejects.toMatchObject({ kind: 'missing' });
    expect(await body(bucket, 'repo/b')).toBe('b');
  });

  it.each(['s3:/b', 'http://x/y', 's3://B_/x', 's3://bucket/a//b', 's3://bucket/../x', 's3://'])('is not at %s', (url) => {
    expect(() => s3BlobsAt(url, { client, clock: Date.now })).toThrow(expect.objectContaining({ kind: 'input' }));
  });

  it('reads retention dates and moves them only further away', async () => {
    const bucket = `locked-${process.pid}-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    const { blobs, retention } = s3BlobsAt(`s3://${bucket}/repo`, { client, clock: Date.now, retry: quickRetry });
    await blobs.put('pack', Buffer.from('x'));
    expect(await retention.retainUntilMs('pack')).toBeUndefined();
    const untilMs = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;
    await retention.extend('pack', untilMs);
    expect(await retention.retainUntilMs('pack')).toBe(untilMs);
    await retention.extend('pack', untilMs - 60_000);
    expect(await retention.retainUntilMs('pack')).toBe(untilMs);
    await retention.extend('pack', untilMs + 60_000);
    expect(await retention.retainUntilMs('pack')).toBe(untilMs + 60_000);
    await expect(retention.retainUntilMs('none')).rejects.toMatchObject({ kind: 'missing' });
  });

  it('knows no retention in a bucket without locks', async () => {
    const bucket = await newBucket();
    const { blobs, retention } = s3BlobsAt(`s3://${bucket}`, { client, clock: Date.now, retry: quickRetry });
    await blobs.put('pack', Buffer.from('x'));
    expect(await retention.retainUntilMs('pack')).toBeUndefined();
  });
});
