import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '#aws/clients.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { defaultRetry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import { type Answer, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const failure = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as scripted</Message></Error>`,
});
const deleted = (...failures: readonly [key: string, code: string][]): Answer => ({
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><DeleteResult>${failures
    .map(([key, code]) => `<Error><Key>${key}</Key><Code>${code}</Code><Message>as scripted</Message></Error>`)
    .join('')}</DeleteResult>`,
});
const body = new TextEncoder().encode('body');

describe('S3 blobs when the service fails', () => {
  let server: ScriptedServer;
  let blobs: Blobs;
  beforeAll(async () => {
    server = await startScriptedServer();
    const client = createS3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    blobs = createS3Blobs({ client, bucket: 'blocks', retry: { ...defaultRetry, attempts: 3, baseDelayMs: 1 } });
  });
  afterAll(() => server.stop());

  it.each<[string, Answer[], 'created' | 'exists', number]>([
    ['is created at once', [{}], 'created', 1],
    ['exists when the precondition fails', [failure(412, 'PreconditionFailed')], 'exists', 1],
    ['is sent again when S3 left a race undecided', [failure(409, 'ConditionalRequestConflict'), {}], 'created', 2],
    ['exists when the race was lost', [failure(409, 'ConditionalRequestConflict'), failure(412, 'PreconditionFailed')], 'exists', 2],
    ['is sent again when S3 asks to slow down', [failure(503, 'SlowDown'), failure(503, 'SlowDown'), {}], 'created', 3],
  ])('a put %s', async (_case, answers, outcome, requests) => {
    server.script(answers);
    expect(await blobs.put('a/b', body)).toBe(outcome);
    expect(server.requests).toHaveLength(requests);
    for (const request of server.requests)
      expect(request).toMatchObject({ method: 'PUT', body: 'body', headers: { 'if-none-match': '*' } });
  });

  it.each<[string, Answer, object, number]>([
    ['S3 has an internal error', failure(500, 'InternalError'), { kind: 'unavailable' }, 1],
    ['the answer is lost', { drop: 'at once' }, { kind: 'unavailable' }, 1],
    ['S3 goes on asking to slow down', failure(503, 'SlowDown'), { kind: 'unavailable' }, 3],
    ['the role may not', failure(403, 'AccessDenied'), { kind: 'denied', hint: expect.stringContaining('s3:PutObject') }, 1],
    ['there is no bucket', failure(404, 'NoSuchBucket'), { kind: 'missing', message: expect.stringContaining('"blocks"') }, 1],
  ])('a put fails when %s, and is not repeated where it may have taken effect', async (_case, answer, error, requests) => {
    server.script([answer]);
    await expect(blobs.put('a/b', body)).rejects.toMatchObject(error);
    expect(server.requests).toHaveLength(requests);
  });

  it.each([
    ['standard', 'STANDARD'],
    ['infrequent', 'STANDARD_IA'],
    ['archive-instant', 'GLACIER_IR'],
  ] as const)('a put into %s asks for %s', async (storageClass, name) => {
    server.script([{}]);
    await blobs.put('a', body, { storageClass });
    expect(server.requests[0].headers['x-amz-storage-class']).toBe(name);
  });

  it.each<[string, Answer[]]>([
    ['an internal error', [failure(500, 'InternalError'), { body: 'body' }]],
    ['a lost answer', [{ drop: 'at once' }, { body: 'body' }]],
    ['an answer that breaks off', [{ body: 'bo', drop: 'midway' }, { body: 'body' }]],
  ])('a get is repeated after %s', async (_case, answers) => {
    server.script(answers);
    expect(new TextDecoder().decode(await blobs.get('a'))).toBe('body');
    expect(server.requests).toHaveLength(2);
  });

  it('a get gives up in the end', async () => {
    server.script([failure(500, 'InternalError')]);
    await expect(blobs.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(server.requests).toHaveLength(3);
  });

  it('a delete sends again only the keys that failed', async () => {
    server.script([deleted(['b', 'InternalError']), deleted()]);
    await blobs.delete(['a', 'b', 'c']);
    expect(server.requests.map((request) => [...request.body.matchAll(/<Key>(\w)/g)].map((match) => match[1]))).toEqual([
      ['a', 'b', 'c'],
      ['b'],
    ]);
  });

  it('a delete of many keys goes on past a part that fails, then fails', async () => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `k${i}`);
    server.script([deleted(['k0', 'InternalError'])]);
    await expect(blobs.delete(keys)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('"k0"') });
    const sent = server.requests.map((request) => request.body.split('<Key>').length - 1);
    expect(sent.filter((count) => count > 1).sort()).toEqual([1_000, 1_000, 500]);
  });

  it('a delete that is forbidden is denied without a repeat', async () => {
    server.script([deleted(['a', 'AccessDenied'])]);
    await expect(blobs.delete(['a'])).rejects.toMatchObject({ kind: 'denied' });
    expect(server.requests).toHaveLength(1);
  });

  it('fails with unavailable when nobody listens', async () => {
    const client = createS3Client({
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const nowhere = createS3Blobs({ client, bucket: 'blocks', retry: { ...defaultRetry, attempts: 2, baseDelayMs: 1 } });
    await expect(nowhere.put('a', body)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('bucket "blocks"'),
    });
  });
});
