import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync } from 'snappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeOtlp, otlpJson } from '#test/ingest/otlp-writer.ts';
import { encodeWriteRequest, encodeWriteRequestV2 } from '#test/ingest/proto-writer.ts';
import { delivery } from './deliveries.ts';
import { times } from './refusals.ts';
import { createWholeApi, NOW, type Told, type WholeApi } from './whole-api.ts';

const MAX_BODY = 64 * 1024 * 1024;

let api: WholeApi;
beforeAll(async () => {
  api = await createWholeApi();
});

/** One way in: how `good 1` is sent by it, and what its refusals look like. */
interface Way {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The plain message of one sample of that metric, now. */
  readonly message: (metric: string) => Uint8Array;
  /** The name under which the sample is found. */
  readonly name: (metric: string) => string;
  /** The encodings that it takes; the first stands for none named. */
  readonly encodings: readonly string[];
  readonly errorOf: (told: Told) => string;
}

const text = (body: string) => Buffer.from(body);
const json = ({ text: body }: Told) => JSON.parse(body);
const same = (metric: string) => metric;
const ANY = ['identity', 'gzip', 'deflate', 'zstd', 'snappy'];
const sample = { value: 1, ts: NOW };
const named = (metric: string): [string, string][] => [['__name__', metric]];
const gauge = (name: string) => [{ metrics: [{ name, gauge: [{ tsMs: NOW, double: 1 }] }] }];
const PROTOBUF = 'application/x-protobuf';
const V2 = `${PROTOBUF};proto=io.prometheus.write.v2.Request`;

const ways: Readonly<Record<string, Way>> = {
  'remote write 1.0': {
    path: '/api/v1/write',
    headers: { 'content-type': PROTOBUF },
    message: (metric) => encodeWriteRequest([{ labels: named(metric), samples: [sample] }]),
    name: same,
    encodings: ['snappy'],
    errorOf: (told) => told.text,
  },
  'remote write 2.0': {
    path: '/api/v1/write',
    headers: { 'content-type': V2 },
    message: (metric) => encodeWriteRequestV2([{ labels: named(metric), samples: [sample] }]),
    name: same,
    encodings: ['snappy'],
    errorOf: (told) => told.text,
  },
  'OTLP protobuf': {
    path: '/v1/metrics',
    headers: { 'content-type': PROTOBUF },
    message: (metric) => encodeOtlp(gauge(metric)),
    name: same,
    encodings: ANY,
    errorOf: (told) => told.text,
  },
  'OTLP JSON': {
    path: '/v1/metrics',
    headers: { 'content-type': 'application/json' },
    message: (metric) => text(JSON.stringify(otlpJson(gauge(metric)))),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).message,
  },
  'InfluxDB 1': {
    path: '/write',
    headers: {},
    message: (metric) => text(`${metric} value=1\n`),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).error,
  },
  'InfluxDB 2': {
    path: '/api/v2/write?precision=s',
    headers: {},
    message: (metric) => text(`${metric} value=1\n`),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).message,
  },
  'Prometheus text': {
    path: '/api/v1/import/prometheus',
    headers: { 'content-type': 'text/plain' },
    message: (metric) => text(`${metric} 1\n`),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).error.message,
  },
  OpenMetrics: {
    path: '/api/v1/import/prometheus',
    headers: { 'content-type': 'application/openmetrics-text; version=1.0.0' },
    message: (metric) => text(`# TYPE ${metric} gauge\n${metric} 1\n# EOF\n`),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).error.message,
  },
  'JSON lines': {
    path: '/api/v1/import',
    headers: {},
    message: (metric) => text(`{"metric":{"__name__":"${metric}"},"values":[1],"timestamps":[${NOW}]}\n`),
    name: same,
    encodings: ANY,
    errorOf: (told) => json(told).error.message,
  },
  Firehose: {
    path: '/firehose',
    headers: { 'content-type': 'application/json', 'x-amz-firehose-request-id': 'r' },
    message: (metric) => delivery({ namespace: 'n', metric_name: metric, timestamp: NOW, value: { sum: 1 } }),
    name: (metric) => `amazonaws_com_n_${metric}_sum`,
    encodings: ANY,
    errorOf: (told) => json(told).errorMessage,
  },
};

const encoders: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  identity: (bytes) => bytes,
  gzip: gzipSync,
  deflate: deflateSync,
  zstd: zstdCompressSync,
  snappy: (bytes) => compressSync(Buffer.from(bytes)),
};

const send = (way: Way, encoding: string, body: Uint8Array | ReadableStream<Uint8Array>, more: Record<string, string> = {}) =>
  api.ask(way.path, { headers: { ...way.headers, 'content-encoding': encoding, ...more }, body });

let names = 0;
const freshName = () => `fresh${++names}`;
const found = async (name: string) => (await api.series(`{__name__="${name}"}`)).length;

describe.each(Object.entries(ways).map(([what, way], i) => ({ what, way, bombs: way.encodings.at(1 + (i % 4)) ?? 'snappy' })))(
  '$what',
  ({ way, bombs }) => {
    it.each(way.encodings)('takes a good body in %s, and refuses it cut off or damaged', async (encoding) => {
      const encode = encoders[encoding] as (bytes: Uint8Array) => Uint8Array;
      const name = freshName();
      const whole = encode(way.message(name));
      const cut = await send(way, encoding, whole.subarray(0, -2));
      expect([cut.status, way.errorOf(cut).length > 10]).toEqual([400, true]);
      const garbage = await send(way, encoding, encoding === 'identity' ? Buffer.alloc(50, 0xff) : Buffer.from('no such thing'));
      expect([garbage.status, way.errorOf(garbage).length > 10]).toEqual([400, true]);
      expect(await found(way.name(name))).toBe(0);
      expect((await send(way, encoding, whole)).status).toBeLessThan(205);
      expect(await found(way.name(name))).toBe(1);
    });

    it('refuses a body whose declared length is too large without reading it', async () => {
      const body = endless(1);
      const told = await send(way, way.encodings[0] as string, body.stream, { 'content-length': '1000000000' });
      expect([told.status, told.text.includes(String(MAX_BODY)), body.chunks() < 3]).toEqual([413, true, true]);
    });

    it(`cuts off a bomb in ${bombs}`, async () => {
      const bomb = await send(way, bombs, bombIn(bombs));
      expect([bomb.status, way.errorOf(bomb)]).toEqual([413, expect.stringMatching(/larger than|the limit is/)]);
    });

    it('cuts off a body that never ends', async () => {
      const body = endless(4 * 1024 * 1024);
      const told = await send(way, way.encodings[0] as string, body.stream);
      expect([told.status, body.chunks() < 20]).toEqual([413, true]);
    });

    it('tells of a body that broke off', async () => {
      const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('socket hang up')) });
      expect((await send(way, way.encodings[0] as string, body)).status).toBe(400);
    });

    it.each(['gzip, gzip', 'br', 'zstd,snappy', 'compress', '\u00ff', times(5_000, 'x')])(
      'refuses the encoding %.20s by name',
      async (encoding) => {
        const told = await send(way, encoding, gzipSync(gzipSync(way.message('x'))));
        expect([way.path === '/api/v1/write' ? 415 : 400, way.errorOf(told)]).toEqual([
          told.status,
          expect.stringContaining('is not supported'),
        ]);
      },
    );
  },
);

const madeBombs = new Map<string, Uint8Array>();
/** Somewhat more than the limit once it is undone. */
function bombIn(encoding: string): Uint8Array {
  const known = madeBombs.get(encoding) ?? (encoders[encoding] as (bytes: Uint8Array) => Uint8Array)(Buffer.alloc(MAX_BODY + 10));
  madeBombs.set(encoding, known);
  return known;
}

function endless(chunkBytes: number): { stream: ReadableStream<Uint8Array>; chunks: () => number } {
  let chunks = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks++;
      controller.enqueue(Buffer.alloc(chunkBytes, 0x20));
    },
  });
  return { stream, chunks: () => chunks };
}

describe('content types', () => {
  it.each([
    ['/v1/metrics', ''],
    ['/v1/metrics', 'text/html'],
    ['/v1/metrics', times(5_000, 'x')],
    ['/api/v1/write', 'application/json'],
    ['/api/v1/write', `${PROTOBUF};proto=__proto__`],
  ])('%s refuses %.30s', async (path, type) => {
    const told = await api.ask(path, { headers: type === '' ? {} : { 'content-type': type }, body: new Uint8Array(3) });
    expect([told.status, told.text.includes('is not supported'), told.text.length < 500]).toEqual([415, true, true]);
  });
});

it('reports no defect for any of that', () => expect(api.defects).toEqual([]));
