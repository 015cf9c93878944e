import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeOtlp, otlpJson } from '#test/ingest/otlp-writer.ts';
import { encodeWriteRequest, encodeWriteRequestV2 } from '#test/ingest/proto-writer.ts';
import { delivery } from './deliveries.ts';
import { form } from './refusals.ts';
import { createWholeApi, NOW, type WholeApi } from './whole-api.ts';

// The decoders and the parser have fuzz tests of their own; here their input goes the whole way, through limits, storage and evaluation.

let api: WholeApi;
beforeAll(async () => {
  api = await createWholeApi({ config: { 'tenants.yaml': 'defaults: { limits: { querySamples: 200000, queryTimeout: 20s } }' } });
  const lines = ['# TYPE c counter', '# TYPE h histogram'];
  for (let i = 0; i < 12; i++) {
    const ts = NOW - i * 60_000;
    for (const job of ['a', 'b'])
      lines.push(`c{job="${job}"} ${12 - i} ${ts}`, `g{job="${job}",n="${i % 3}"} ${[1.5, Number.NaN, -2][i % 3]} ${ts}`);
    for (const le of ['1', '+Inf']) lines.push(`h_bucket{le="${le}"} ${20 - i} ${ts}`);
  }
  expect((await api.ask('/api/v1/import/prometheus', { body: `${lines.join('\n')}\n` })).status).toBe(204);
});

const labels: [string, string][] = [
  ['__name__', 'm'],
  ['job', 'x'],
];
const series = [{ labels, samples: [{ value: 1, ts: NOW }] }];
const metrics = [{ metrics: [{ name: 'm', gauge: [{ tsMs: NOW, double: 1 }] }] }];
const PROTOBUF = 'application/x-protobuf';
const snappy = { 'content-encoding': 'snappy' };
const pack = (bytes: Uint8Array) => compressSync(Buffer.from(bytes));

/** A way in, a good message by it, and what encodes the message once it has been altered. */
const ways: [string, Record<string, string>, Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
  ['/api/v1/write', { 'content-type': PROTOBUF, ...snappy }, encodeWriteRequest(series), pack],
  ['/api/v1/write', { 'content-type': `${PROTOBUF};proto=io.prometheus.write.v2.Request`, ...snappy }, encodeWriteRequestV2(series), pack],
  ['/v1/metrics', { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }, encodeOtlp(metrics), gzipSync],
  ['/v1/metrics', { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(otlpJson(metrics))), (bytes) => bytes],
  ['/write', {}, Buffer.from(`m,job=x v=1,w=2i ${NOW}000000\n`), (bytes) => bytes],
  ['/api/v2/write', {}, Buffer.from(`m,job=x v=1,w="t" ${NOW}000000\n`), (bytes) => bytes],
  ['/api/v1/import/prometheus', {}, Buffer.from(`# HELP m x\n# TYPE m gauge\nm{job="x"} 1 ${NOW}\n`), (bytes) => bytes],
  [
    '/api/v1/import/prometheus',
    { 'content-type': 'application/openmetrics-text' },
    Buffer.from(`# TYPE m counter\nm_total{job="x"} 1 ${NOW / 1000} # {a="b"} 1\n# EOF\n`),
    (bytes) => bytes,
  ],
  ['/api/v1/import', {}, Buffer.from(`{"metric":{"__name__":"m"},"values":[1,null],"timestamps":[${NOW},${NOW}]}\n`), (bytes) => bytes],
  [
    '/firehose',
    { 'content-type': 'application/json' },
    delivery({ namespace: 'n', metric_name: 'm', timestamp: NOW, value: { p99: 1 } }),
    (bytes) => bytes,
  ],
  ['/api/v1/import/uploads', {}, Buffer.from('{"format":"influx","precision":"s","sizeBytes":10}'), (bytes) => bytes],
  [
    '/alertmanager/api/v2/alerts',
    {},
    Buffer.from(
      '[{"labels":{"alertname":"x"},"annotations":{"a":"b"},"startsAt":"2026-11-23T12:00:00.5+01:00","generatorURL":"http://p/g"}]',
    ),
    (bytes) => bytes,
  ],
  [
    '/alertmanager/api/v2/silences',
    {},
    Buffer.from(
      '{"matchers":[{"name":"a","value":"b.*","isRegex":true,"isEqual":true}],"startsAt":"2026-11-23T12:00:00Z","endsAt":"2026-11-23T13:00:00Z","createdBy":"c","comment":"d"}',
    ),
    (bytes) => bytes,
  ],
  [
    '/prometheus/config/v1/rules/space',
    {},
    Buffer.from(
      'name: g\ninterval: 1m\nrules:\n- alert: A\n  expr: up == 0\n  for: 5m\n  annotations: { a: "{{ $value }}" }\n- { record: "r:s", expr: sum(up) }\n',
    ),
    (bytes) => bytes,
  ],
  [
    '/2015-03-31/functions/storage-compact/invocations',
    {},
    Buffer.from('{"at":"2026-11-23T00:00:00Z","graceMs":0,"dryRun":true}'),
    (bytes) => bytes,
  ],
];

const change = fc.record({ at: fc.nat(), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 4 }) });

function altered(bytes: Uint8Array, { at, remove, insert }: { at: number; remove: number; insert: Uint8Array }): Uint8Array {
  const from = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
}

describe('any message', () => {
  it('is taken or refused by every way in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ways), fc.array(change, { maxLength: 3 }), async ([path, headers, message, encode], changes) => {
        const { status } = await api.ask(path, { headers, body: encode(changes.reduce(altered, message)) });
        expect([200, 201, 202, 204, 400, 413]).toContain(status);
      }),
      { numRuns: 1500 },
    );
    expect(api.defects).toEqual([]);
  });
});

const { expr } = fc.letrec<{ expr: string; range: string }>((tie) => {
  const label = fc.constantFrom('job', 'n', 'le', '__name__', 'x');
  const range = fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(
      'c[5m]',
      'g[10m]',
      'h_bucket[3m]',
      'c[1ms]',
      'g[10m] offset -5m',
      'g[10m] @ start()',
      'c[5m] smoothed',
      'c[5m] anchored',
    ),
    fc
      .tuple(tie('expr'), fc.constantFrom('[5m:1m]', '[1h:7s]', '[5m:]', '[2m:1m] offset 1m'))
      .map(([inner, brackets]) => `(${inner})${brackets}`),
  );
  const call = (names: string[], ...args: fc.Arbitrary<string>[]) =>
    fc.tuple(fc.constantFrom(...names), ...args).map(([name, ...texts]) => `${name}(${texts.join(', ')})`);
  const number = fc.constantFrom('0', '1', '-1', '0.5', 'NaN', 'Inf', '1e300', '2^53', '1e-300', 'scalar(c)');
  return {
    range,
    expr: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('c', 'g', 'h_bucket', '{job="a"}', '{__name__=~".+"}', 'g @ end()', 'c offset 5m', 'time()', 'vector(1)', 'nothing'),
      number,
      call(
        ['rate', 'increase', 'irate', 'delta', 'deriv', 'resets', 'changes', 'avg_over_time', 'stddev_over_time', 'last_over_time'],
        tie('range'),
      ),
      call(
        ['mad_over_time', 'ts_of_max_over_time', 'present_over_time', 'absent_over_time', 'count_over_time', 'first_over_time'],
        tie('range'),
      ),
      call(['quantile_over_time'], number, tie('range')),
      call(['predict_linear'], tie('range'), number),
      call(['double_exponential_smoothing'], tie('range'), number, number),
      call(
        ['abs', 'ln', 'sqrt', 'sgn', 'ceil', 'timestamp', 'sort', 'absent', 'year', 'days_in_month', 'hour', 'exp', 'deg', 'acosh'],
        tie('expr'),
      ),
      call(['round', 'clamp_min', 'clamp_max'], tie('expr'), number),
      call(['clamp'], tie('expr'), number, number),
      call(['histogram_quantile'], number, tie('expr')),
      call(['info', 'sort_desc', 'histogram_count', 'histogram_avg'], tie('expr')),
      fc
        .tuple(tie('expr'), label, label, fc.constantFrom('(.*)', 'a|b', '(?P<n>.)', '(', ''), fc.constantFrom('$1', '$n', 'z', ''))
        .map(([inner, to, from, pattern, text]) => `label_replace(${inner}, "${to}", "${text}", "${from}", "${pattern}")`),
      fc.tuple(tie('expr'), label, label).map(([inner, to, from]) => `label_join(${inner}, "${to}", "-", "${from}", "job")`),
      fc
        .tuple(
          fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'),
          fc.constantFrom('by', 'without'),
          label,
          tie('expr'),
        )
        .map(([op, how, name, inner]) => `${op} ${how} (${name}) (${inner})`),
      fc
        .tuple(
          fc.constantFrom('topk', 'bottomk', 'quantile', 'limitk', 'limit_ratio'),
          fc.oneof(fc.constantFrom('1', '0.5'), number),
          tie('expr'),
        )
        .map(([op, n, inner]) => `${op}(${n}, ${inner})`),
      fc.tuple(label, tie('expr')).map(([name, inner]) => `count_values("${name}", ${inner})`),
      fc
        .tuple(
          tie('expr'),
          fc.constantFrom('+', '-', '*', '/', '%', '^', 'atan2', '==', '> bool', '<=', 'and', 'or', 'unless'),
          fc.constantFrom('', '', 'on (job)', 'ignoring (n)', 'on (job) group_left (n)', 'ignoring (n) group_right ()', 'on ()'),
          tie('expr'),
        )
        .map(([left, op, matching, right]) => `(${left}) ${op} ${matching} (${right})`),
      fc.tuple(fc.constantFrom('-', '+'), tie('expr')).map(([sign, inner]) => `${sign}(${inner})`),
    ),
  };
});

describe('any query', () => {
  const at = fc.oneof({ weight: 5, arbitrary: fc.constant(NOW / 1000 - 300) }, fc.constantFrom(NOW / 1000, 0, -1, 9e12, -9e12));
  const span = fc.tuple(fc.constantFrom(0, 60, 600, 3_600, 7e5, 9e9), fc.constantFrom('1', '15', '61', '3600', '1e7'));

  it('is answered or refused, whatever it asks for and when', async () => {
    await fc.assert(
      fc.asyncProperty(expr, at, span, async (query, time, [length, step]) => {
        const instant = await api.ask('/api/v1/query', form({ query, time: String(time), limit: '5' }));
        const range = await api.ask('/api/v1/query_range', form({ query, start: String(time), end: String(time + length), step }));
        for (const { status, text } of [instant, range]) {
          expect([200, 400, 422]).toContain(status);
          expect(['success', 'error']).toContain(JSON.parse(text).status);
        }
      }),
      { numRuns: 400 },
    );
    expect(api.defects).toEqual([]);
  });

  it('by any series or label is answered or refused', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('m', 'c', '{job="a"}', '', '-1', '1e9', 'U__a_2e_b', '../x'),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('series', 'labels', 'label', 'metadata'), word, word, word, async (path, match, start, limit) => {
        const parameters = new URLSearchParams({
          'match[]': match.toWellFormed(),
          start: start.toWellFormed(),
          limit: limit.toWellFormed(),
        });
        const name = path === 'label' ? `label/${encodeURIComponent(match.toWellFormed())}/values` : path;
        const { status } = await api.ask(`/api/v1/${name}?${parameters}`);
        expect([200, 400, 404]).toContain(status);
      }),
      { numRuns: 150 },
    );
    expect(api.defects).toEqual([]);
  });
});
