import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { otlpRoutes } from '#api/ingest/otlp.ts';
import { OpsError } from '#core/errors.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { createReader, readBytes, readTag, readUint } from '#ingest/protobuf.ts';
import { encodeOtlp, type Metric, otlpJson } from '#test/ingest/otlp-writer.ts';
import { createIngestApp, type IngestAppOptions } from './ingest-app.ts';

const T = 1_700_000_000_000;
const gauge: Metric = { name: 'cpu.load', gauge: [{ tsMs: T, double: 0.5 }] };
const appWith = (options: Partial<IngestAppOptions> = {}) => createIngestApp(otlpRoutes, { now: () => T, ...options });
const PROTOBUF = 'application/x-protobuf';

function post(app: ReturnType<typeof appWith>, body: Uint8Array | string, headers: Record<string, string>) {
  return app.request('/v1/metrics', { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
}

/** Field numbers to numbers or text, one level deep. */
function readFields(bytes: Uint8Array): Record<number, number | string> {
  const reader = createReader(bytes);
  const fields: Record<number, number | string> = {};
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    fields[tag >> 3] = (tag & 7) === 0 ? readUint(reader) : Buffer.from(readBytes(reader)).toString('latin1');
  }
  return fields;
}

describe('POST /v1/metrics', () => {
  it.each([
    ['protobuf', PROTOBUF, encodeOtlp([{ metrics: [gauge] }]), ''],
    ['JSON', 'application/json', JSON.stringify(otlpJson([{ metrics: [gauge] }])), '{}'],
  ])('takes %s and answers in the same', async (_, type, body, answer) => {
    const app = appWith();
    const response = await post(app, body, { 'content-type': type });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, type, answer]);
    expect(app.appended.map(({ tenant, batch }) => [tenant, batch.series[0]?.metric, batch.value[0]])).toEqual([
      ['default', 'cpu_load', 0.5],
    ]);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('takes bodies in %s', async (encoding, compress) => {
    const app = appWith();
    const body = compress(encodeOtlp([{ metrics: [gauge] }]));
    const response = await post(app, body, { 'content-type': PROTOBUF, 'content-encoding': encoding });
    expect([response.status, app.appended.length]).toEqual([200, 1]);
  });

  it('keeps names where the tenant does', async () => {
    const app = appWith({ tenant: { keepUtf8Names: true } });
    await post(app, encodeOtlp([{ metrics: [gauge] }]), { 'content-type': PROTOBUF });
    expect(app.appended[0]?.batch.series[0]?.metric).toBe('cpu.load');
  });

  it('gives a request the same identity in both encodings', async () => {
    const app = appWith();
    await post(app, encodeOtlp([{ metrics: [gauge] }]), { 'content-type': PROTOBUF });
    await post(app, JSON.stringify(otlpJson([{ metrics: [gauge] }])), { 'content-type': 'application/json' });
    expect(app.appended[0]?.id).toBe(app.appended[1]?.id);
  });

  it('names what it left out, by decoding and by age, in a partial success', async () => {
    const old: Metric = { name: 'old', gauge: [{ tsMs: T - 30 * 86_400_000, double: 1 }] };
    const metrics = [gauge, { name: 'e', exponential: 2 }, old];
    const json = await post(appWith(), JSON.stringify(otlpJson([{ metrics }])), { 'content-type': 'application/json' });
    const { partialSuccess } = (await json.json()) as { partialSuccess: { rejectedDataPoints: string; errorMessage: string } };
    expect([json.status, partialSuccess.rejectedDataPoints]).toEqual([200, '3']);
    expect(partialSuccess.errorMessage).toMatch(/exponential-histogram \(2\): .*"e".*too-old \(1\): .*"old"/);
    const protobuf = await post(appWith(), encodeOtlp([{ metrics }]), { 'content-type': PROTOBUF });
    const partial = readFields(Buffer.from(String(readFields(new Uint8Array(await protobuf.arrayBuffer()))[1]), 'latin1'));
    expect([protobuf.status, partial[1], partial[2]]).toEqual([200, 3, partialSuccess.errorMessage]);
  });

  const unavailable = new OpsError('unavailable', 'the store is away', { retryAfterMs: 2_500 });
  const limited = new OpsError('limit', 'too fast', { retryAfterMs: 10 });
  const small = { tenant: { limits: { ...defaultIngestLimits, maxBodyBytes: 10, maxCompressedBytes: 10 } } };
  it.each<[string, number, number, string | null, Partial<IngestAppOptions>, Uint8Array]>([
    ['a broken body', 400, 3, null, {}, Uint8Array.of(0xff)],
    ['a body that is too large', 413, 8, null, small, encodeOtlp([{ metrics: [gauge] }])],
    ['too much at once', 429, 8, '1', { failure: limited }, encodeOtlp([{ metrics: [gauge] }])],
    ['a store that is away', 503, 14, '3', { failure: unavailable }, encodeOtlp([{ metrics: [gauge] }])],
  ])('answers %s with a Status in the encoding of the request', async (_, status, code, retryAfter, options, body) => {
    const response = await post(appWith(options), body, { 'content-type': PROTOBUF });
    expect([response.status, response.headers.get('content-type'), response.headers.get('retry-after')]).toEqual([
      status,
      PROTOBUF,
      retryAfter,
    ]);
    const fields = readFields(new Uint8Array(await response.arrayBuffer()));
    expect([fields[1], String(fields[2]).length > 5]).toEqual([code, true]);
  });

  it('answers errors to JSON in JSON', async () => {
    const response = await post(appWith(), '{"resourceMetrics":1}', { 'content-type': 'application/json' });
    expect([response.status, await response.json()]).toEqual([400, { code: 3, message: 'resourceMetrics must be an array and is 1' }]);
  });

  it.each(['text/plain', ''])('refuses the content type "%s"', async (type) => {
    const response = await post(appWith(), new Uint8Array(3), type === '' ? {} : { 'content-type': type });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({ code: 3, message: expect.stringContaining('application/x-protobuf') });
  });

  it('asks for a token where there are some', async () => {
    const app = appWith({ token: 'secret' });
    const body = encodeOtlp([{ metrics: [gauge] }]);
    expect((await post(app, body, { 'content-type': PROTOBUF })).status).toBe(401);
    expect((await post(app, body, { 'content-type': PROTOBUF, authorization: 'Bearer secret' })).status).toBe(200);
    expect(app.appended.length).toBe(1);
  });
});
