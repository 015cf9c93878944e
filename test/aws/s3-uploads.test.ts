import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { createS3Uploads, signForm } from '#aws/s3-uploads.ts';
import { MINUTE_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { UploadTicket } from '#ports/uploads.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from './s3-server.ts';

const region = 'us-east-1';
const bucket = `quarterdeck-${randomUUID()}`;

describe('a signed form', () => {
  const signer = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token', region: 'eu-west-1' };
  const nowMs = Date.UTC(2026, 10, 24, 10, 0, 0, 999);
  const fields = signForm(signer, { bucket: 'uploads', key: 'imports/a', maxBytes: 7, nowMs, expiresAtMs: nowMs + MINUTE_MS });

  it('binds every one of its fields, the size and its end by its policy', () => {
    const { expiration, conditions } = JSON.parse(Buffer.from(fields.Policy, 'base64').toString());
    expect(expiration).toBe('2026-11-24T10:01:00Z');
    const { Policy, 'X-Amz-Signature': signature, ...bound } = fields;
    expect(conditions).toEqual([['content-length-range', 0, 7], ...Object.entries(bound).map(([name, value]) => ({ [name]: value }))]);
    expect(bound).toMatchObject({
      'X-Amz-Credential': 'AKIDEXAMPLE/20261124/eu-west-1/s3/aws4_request',
      'X-Amz-Date': '20261124T100000Z',
      'X-Amz-Security-Token': 'token',
    });
  });

  it('goes to the bucket\u2019s own host on AWS, to its path elsewhere', async () => {
    const urlAt = async (endpoint?: string) => {
      const client = createS3Client({ region: 'eu-west-1', credentials: signer, endpoint });
      const uploads = createS3Uploads({ client, bucket: 'quarterdeck-uploads', clock: () => nowMs });
      return (await uploads.presign({ key: 'imports/a', maxBytes: 7, expiresInMs: MINUTE_MS })).url;
    };
    expect(await urlAt()).toBe('https://quarterdeck-uploads.s3.eu-west-1.amazonaws.com/');
    expect(await urlAt('http://127.0.0.1:7480')).toBe('http://127.0.0.1:7480/quarterdeck-uploads');
  });

  it.each([
    ['a key that is none', { key: '../a', maxBytes: 1, expiresInMs: 1_000 }],
    ['no time', { key: 'a', maxBytes: 1, expiresInMs: 999 }],
    ['more than a week', { key: 'a', maxBytes: 1, expiresInMs: 7 * 86_400_000 + 1 }],
    ['half a byte', { key: 'a', maxBytes: 0.5, expiresInMs: 1_000 }],
  ])('is not made for %s', async (_, input) => {
    const client = createS3Client({ region, credentials: signer });
    await expect(createS3Uploads({ client, bucket, clock: Date.now }).presign(input)).rejects.toMatchObject({ kind: 'input' });
  });
});

describe.skipIf(s3Absence !== undefined)(`a signed form on S3${s3Absence ? ` (${s3Absence})` : ''}`, () => {
  let blobs: Blobs;
  let presign: (key: string, maxBytes: number, sinceMs?: number) => Promise<UploadTicket>;

  beforeAll(async () => {
    const client = createS3Client({ endpoint: await s3Endpoint(), region, credentials: s3Credentials });
    await createBucket(client, bucket);
    blobs = createS3Blobs({ client, bucket });
    presign = (key, maxBytes, sinceMs = 0) =>
      createS3Uploads({ client, bucket, clock: () => Date.now() - sinceMs }).presign({ key, maxBytes, expiresInMs: MINUTE_MS });
  }, S3_START_MS);

  const send = async ({ url, fields }: UploadTicket, body: string, changed: Record<string, string> = {}) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...changed })) form.append(name, value);
    form.append('file', new Blob([body]));
    return (await fetch(url, { method: 'POST', body: form })).status;
  };

  it('takes the file', async () => {
    expect(await send(await presign('imports/a', 5), 'bytes')).toBe(204);
    expect(Buffer.from(await blobs.get('imports/a')).toString()).toBe('bytes');
  });

  it.each([
    ['a file that is larger', 'imports/b', 4, {}, 0],
    ['another key', 'imports/c', 5, { key: 'imports/d' }, 0],
    [
      'another policy',
      'imports/e',
      5,
      { Policy: Buffer.from('{"expiration":"2099-01-01T00:00:00Z","conditions":[]}').toString('base64') },
      0,
    ],
    ['a form whose time is over', 'imports/f', 5, {}, 2 * MINUTE_MS],
  ])('refuses %s', async (_, key, maxBytes, changed, sinceMs) => {
    expect(await send(await presign(key, maxBytes, sinceMs), 'bytes', changed)).toBeGreaterThanOrEqual(400);
    expect((await blobs.list(key)).entries).toEqual([]);
  });
});
