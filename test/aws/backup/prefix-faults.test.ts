import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPrefixSource, type PrefixSourceOptions } from '#aws/backup/prefix-source.ts';
import { openPrefixTarget } from '#aws/backup/prefix-target.ts';
import { s3BlobsAt } from '#aws/backup/s3-blobs-at.ts';
import { createS3Client } from '#aws/clients.ts';
import { HOUR_MS } from '#core/time.ts';
import type { SourceFault, SourceItem } from '#ports/backup-source.ts';
import { type Answer, type ScriptedServer, startScriptedServer } from '#test/aws/scripted-server.ts';
import { credentials, quickRetry, take, takeAll } from './table-fixtures.ts';

const xml = (body: string): Answer => ({ headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` });
const failure = (status: number, code: string): Answer => ({
  ...xml(`<Error><Code>${code}</Code><Message>as scripted</Message></Error>`),
  status,
});
const listed = (...keys: string[]) =>
  xml(`<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}</ListBucketResult>`);
const ongoing = { 'x-amz-storage-class': 'GLACIER', 'x-amz-restore': 'ongoing-request="true"' };
const readable = {
  'x-amz-storage-class': 'GLACIER',
  'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"',
};
/** The server cannot say a length without a body in its head, so that heads have that of one they do not send. */
const sized = (sizeBytes: number, headers: Record<string, string> = {}): Answer => ({
  headers: { etag: '"e"', 'content-length': String(sizeBytes), ...headers },
});

describe('a prefix of a bucket when the service fails', () => {
  let server: ScriptedServer;
  let client: S3Client;
  let waitedMs: number[];
  let nowMs: number;
  beforeAll(async () => {
    server = await startScriptedServer();
    client = createS3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    waitedMs = [];
    nowMs = 0;
  });

  const retry = () => ({
    ...quickRetry,
    sleep: async (ms: number) => {
      waitedMs.push(ms);
      nowMs += ms;
    },
  });
  const sourceOf = (more: Partial<PrefixSourceOptions> = {}) =>
    openPrefixSource({ client, bucket: 'b', prefix: '', clock: () => nowMs, retry: retry(), tags: false, parallel: 1, ...more });
  const firstOf = async (more: Partial<PrefixSourceOptions> = {}) => {
    for await (const item of sourceOf(more).list({ onFault: (fault) => expect(fault).toBeUndefined() })) return item;
    throw new Error('nothing is listed');
  };
  const text = async (item: SourceItem) => Buffer.from((await take(item)).bytes ?? []).toString();

  it.each<[string, Answer[]]>([
    ['a list is throttled', [failure(503, 'SlowDown'), listed('a'), sized(4), { body: 'data' }]],
    ['a head fails', [listed('a'), { status: 500 }, sized(4), { body: 'data' }]],
    ['a head is lost', [listed('a'), { drop: 'at once' }, sized(4), { body: 'data' }]],
    ['a get is throttled', [listed('a'), sized(4), failure(503, 'SlowDown'), { body: 'data' }]],
    ['a get breaks off', [listed('a'), sized(4), { body: 'da', drop: 'midway' }, { status: 206, body: 'ta' }]],
    ['a get ends early', [listed('a'), sized(4), { body: 'da' }, { status: 206, body: 'ta' }]],
  ])('is read all the same where %s', async (_case, answers) => {
    server.script(answers);
    expect(await text(await firstOf())).toBe('data');
    const last = server.requests.at(-1);
    expect(last?.headers['if-match']).toBe('"e"');
  });

  it('goes on behind the bytes that it had', async () => {
    server.script([listed('a'), sized(4), { body: 'dat' }, { status: 206, body: 'a' }]);
    expect(await text(await firstOf())).toBe('data');
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=3-');
  });

  it.each<[string, Answer, string]>([
    ['ends early again and again', { body: '' }, 'unavailable'],
    ['gives more than there is', { body: 'data and more' }, 'unavailable'],
    ['is another object by now', failure(412, 'PreconditionFailed'), 'conflict'],
    ['is gone', failure(404, 'NoSuchKey'), 'missing'],
    ['is denied', failure(403, 'AccessDenied'), 'denied'],
  ])('fails for an object that %s', async (_case, answer, kind) => {
    server.script([listed('a'), sized(4), answer]);
    await expect(text(await firstOf())).rejects.toMatchObject({ kind });
  });

  it('tells of one object that may not be looked at, and goes on', async () => {
    server.script([listed('a', 'b'), { status: 403 }, sized(0)]);
    const { items, faults } = await takeAll(sourceOf());
    expect(items.map(({ path }) => path)).toEqual(['objects/b']);
    expect(faults).toEqual([{ path: 'objects/a', message: expect.stringContaining('s3:GetObject') }] satisfies SourceFault[]);
  });

  it('fails as a whole where the bucket may not be listed, and where S3 stays away', async () => {
    server.script([failure(403, 'AccessDenied')]);
    await expect(takeAll(sourceOf())).rejects.toMatchObject({ kind: 'denied', hint: expect.stringContaining('s3:ListBucket') });
    server.script([listed('a'), { status: 503 }]);
    await expect(takeAll(sourceOf())).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('does not bring an object back from an archive unless it may', async () => {
    server.script([listed('a'), sized(4, { 'x-amz-storage-class': 'GLACIER' })]);
    await expect(text(await firstOf())).rejects.toMatchObject({ kind: 'denied', message: expect.stringContaining('needs to be restored') });
    expect(server.requests).toHaveLength(2);
  });

  it.each<[string, Record<string, string>, 'Bulk' | 'Standard', number]>([
    ['Glacier', { 'x-amz-storage-class': 'GLACIER' }, 'Standard', 5 * HOUR_MS],
    ['Deep Archive', { 'x-amz-storage-class': 'DEEP_ARCHIVE' }, 'Bulk', 48 * HOUR_MS],
    [
      'an archive of intelligent tiering',
      { 'x-amz-storage-class': 'INTELLIGENT_TIERING', 'x-amz-archive-status': 'ARCHIVE_ACCESS' },
      'Bulk',
      12 * HOUR_MS,
    ],
  ])('asks once for an object in %s, and says when to come back', async (_case, headers, tier, retryAfterMs) => {
    server.script([listed('a'), sized(4, headers), { status: 202 }]);
    await expect(text(await firstOf({ archive: { tier, keepDays: 3 } }))).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs });
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', body: expect.stringContaining(`<Tier>${tier}</Tier>`) });
    server.script([listed('a'), sized(4, { ...headers, 'x-amz-restore': 'ongoing-request="true"' })]);
    await expect(text(await firstOf({ archive: { tier, keepDays: 3 } }))).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs });
    expect(server.requests.map(({ method }) => method)).not.toContain('POST');
  });

  it('takes it well that somebody else has asked', async () => {
    server.script([listed('a'), sized(4, { 'x-amz-storage-class': 'GLACIER' }), failure(409, 'RestoreAlreadyInProgress')]);
    await expect(text(await firstOf({ archive: { tier: 'Bulk', keepDays: 1 } }))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('waits for an archived object where it may, and reads it', async () => {
    server.script([
      listed('a'),
      sized(4, { 'x-amz-storage-class': 'GLACIER' }),
      { status: 202 },
      sized(4, ongoing),
      sized(4, ongoing),
      sized(4, readable),
      { body: 'data' },
    ]);
    expect(await text(await firstOf({ archive: { tier: 'Standard', keepDays: 1, waitMs: 6 * HOUR_MS, pollMs: HOUR_MS } }))).toBe('data');
    expect(waitedMs).toEqual([HOUR_MS, HOUR_MS, HOUR_MS]);
  });

  it('reads an archived object that is back without asking', async () => {
    server.script([listed('a'), sized(4, readable), { body: 'data' }]);
    expect(await text(await firstOf())).toBe('data');
  });

  it('brings a pack of a repository back in the same way', async () => {
    const { blobs } = s3BlobsAt('s3://bucket/repo', { client, clock: () => nowMs, retry: retry(), archive: { tier: 'Bulk', keepDays: 2 } });
    server.script([failure(403, 'InvalidObjectState'), sized(4, { 'x-amz-storage-class': 'DEEP_ARCHIVE' }), { status: 202 }]);
    await expect(blobs.get('packs/1')).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 48 * HOUR_MS });
  });

  it('sends MD5s, and does not believe an answer of other bytes', async () => {
    const write = () => {
      const content = (async function* () {
        yield Buffer.from('data');
      })();
      return openPrefixTarget({ client, bucket: 'b', prefix: '', retry: retry() }).write({
        path: 'a',
        kind: 'object',
        meta: { key: 'a' },
        sizeBytes: 4,
        content,
      });
    };
    server.script([{ status: 404 }, { headers: { etag: '"8d777f385d3dfec8815d20f7496026dc"' } }, sized(4)]);
    await write();
    expect(server.requests[1]?.headers).toMatchObject({ 'content-md5': 'jXd/OF09/siBXSD3SWAm3A==', 'if-none-match': '*' });
    server.script([{ status: 404 }, { headers: { etag: '"00000000000000000000000000000000"' } }, sized(4)]);
    await expect(write()).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('not what was sent') });
    server.script([{ status: 404 }, { headers: { etag: '"8d777f385d3dfec8815d20f7496026dc"' } }, sized(3)]);
    await expect(write()).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('3 bytes') });
  });

  it.each<[string, Answer[], string]>([
    ['somebody was faster', [{ status: 404 }, failure(412, 'PreconditionFailed')], 'conflict'],
    ['it may not be written', [{ status: 404 }, failure(403, 'AccessDenied')], 'denied'],
    ['the answer is lost', [{ status: 404 }, { drop: 'at once' }], 'unavailable'],
  ])('fails to restore where %s', async (_case, answers, kind) => {
    server.script(answers);
    const target = openPrefixTarget({ client, bucket: 'b', prefix: '', retry: retry() });
    await expect(target.write({ path: 'a', kind: 'object', meta: { key: 'a' }, sizeBytes: 0 })).rejects.toMatchObject({ kind });
    expect(server.requests).toHaveLength(2);
  });

  it('takes back the parts of an object that could not be completed', async () => {
    const begun = xml('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
    server.script([{ status: 404 }, begun, { headers: { etag: '"x"' } }, failure(403, 'AccessDenied'), { status: 204 }]);
    const content = (async function* () {
      yield Buffer.alloc(6 * 1024 * 1024);
    })();
    const target = openPrefixTarget({ client, bucket: 'b', prefix: '', retry: retry(), partBytes: 5 * 1024 * 1024 });
    await expect(
      target.write({ path: 'a', kind: 'object', meta: { key: 'a' }, sizeBytes: 6 * 1024 * 1024, content }),
    ).rejects.toMatchObject({ kind: 'denied' });
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', url: expect.stringContaining('uploadId=u') });
  });
});
