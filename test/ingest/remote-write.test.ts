import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { answerRemoteWrite, answerRemoteWriteError, readRemoteWrite } from '#ingest/remote-write.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { encodeWriteRequest, encodeWriteRequestV2 } from './proto-writer.ts';

const one = [{ labels: [['__name__', 'up']] as [string, string][], samples: [{ value: 1, ts: 1 }] }];
const v1 = compressSync(Buffer.from(encodeWriteRequest(one)));
const v2 = compressSync(Buffer.from(encodeWriteRequestV2(one)));
const read = (headers: Record<string, string>, body: Uint8Array) =>
  readRemoteWrite({ series: createSeriesCache({ maxSeries: 10, limits: defaultIngestLimits }) }, { headers: new Headers(headers), body });

describe('readRemoteWrite', () => {
  it.each<[string, Record<string, string>, Uint8Array, 1 | 2]>([
    ['no headers at all', {}, v1, 1],
    ['the plain type', { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' }, v1, 1],
    ['the message of 1.0 by name', { 'Content-Type': 'application/x-protobuf;proto=prometheus.WriteRequest' }, v1, 1],
    ['the message of 2.0 by name', { 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request' }, v2, 2],
    ['blanks, capitals and quotes', { 'Content-Type': 'Application/X-Protobuf ; proto="io.prometheus.write.v2.Request"' }, v2, 2],
    ['another parameter beside', { 'Content-Type': 'application/x-protobuf; charset=utf-8' }, v1, 1],
  ])('takes %s', (_name, headers, body, version) => {
    const reading = read(headers, body);
    expect(reading.refused).toBeUndefined();
    expect(!reading.refused && [reading.version, reading.decoded.batch.ts.length]).toEqual([version, 1]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['another type', { 'Content-Type': 'application/json' }, /^content type "application\/json" is not supported: .*x-protobuf/],
    ['another message', { 'Content-Type': 'application/x-protobuf;proto=foo.Bar' }, /proto=prometheus.WriteRequest or proto=io/],
    ['another encoding', { 'Content-Encoding': 'zstd' }, /^content encoding "zstd" is not supported: .*snappy/],
  ])('refuses %s with 415', (_name, headers, message) => {
    const { refused } = read(headers, v1);
    expect(refused?.status).toBe(415);
    expect(refused?.body).toMatch(message);
  });

  it('refuses a broken body with 400 and an over-large one with 413', () => {
    expect(read({}, Buffer.from('no snappy here')).refused?.status).toBe(400);
    expect(read({}, compressSync(Buffer.alloc(defaultIngestLimits.maxBodyBytes + 1))).refused?.status).toBe(413);
  });
});

describe('answerRemoteWrite', () => {
  it('names what was left out and how often', () => {
    const reading = read(
      {},
      compressSync(Buffer.from(encodeWriteRequest([...one, { ...one[0], labels: [['a', 'b']] }, { ...one[0], labels: [] }]))),
    );
    const answer = !reading.refused && answerRemoteWrite(reading.version, reading.decoded);
    expect(answer).toMatchObject({
      status: 400,
      body: '2 samples were left out, the rest is stored; missing-metric-name (2): a series has no metric name (label __name__): {"a"="b"}\n',
    });
  });
});

describe('answerRemoteWriteError', () => {
  it.each([
    [new OpsError('input', 'broken'), 400, undefined],
    [new OpsError('limit', 'large'), 413, undefined],
    [new OpsError('limit', 'too fast', { retryAfterMs: 1_500 }), 429, '2'],
    [new OpsError('unavailable', 'no table', { retryAfterMs: 5_000 }), 503, '5'],
    [new OpsError('denied', 'no'), 403, undefined],
  ])('maps %s to %i', (error, status, retryAfter) => {
    const answer = answerRemoteWriteError(2, error);
    expect(answer.status).toBe(status);
    expect(answer.headers['Retry-After']).toBe(retryAfter);
    expect(answer.headers['X-Prometheus-Remote-Write-Samples-Written']).toBe('0');
  });
});
