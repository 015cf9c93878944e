import { describe, expect, it } from 'vitest';
import type { Decoded } from '#ingest/decoded.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { DELTA } from '#model/samples.ts';
import { rowsOf } from './decoded-rows.ts';
import { createTranslator, decode, decodeJson } from './otlp-decode.ts';
import { type Metric, otlpJson, type ResourceMetrics } from './otlp-writer.ts';
import { createProtoWriter } from './proto-writer.ts';

const T = 1_700_000_000_000;
const CUMULATIVE = 2;
const service = { 'service.namespace': 'shop', 'service.name': 'cart', 'service.instance.id': 'i-1' };
const metrics = (...list: Metric[]): ResourceMetrics[] => [{ metrics: list }];
const rows = (...list: Metric[]) => rowsOf(decode(metrics(...list)));
const gauge = (name: string, unit = ''): Metric => ({ name, unit, gauge: [{ tsMs: T, double: 1 }] });
describe('points', () => {
  it('knows when a cumulative counter began', () => {
    const points = [
      { tsMs: T, startMs: T - 1000, double: 5 },
      { tsMs: T + 1000, double: 6 },
    ];
    expect(rows({ name: 'c', sum: { temporality: CUMULATIVE, monotonic: true, points } })).toEqual([
      `c_total{} 5 @${T} from ${T - 1000}`,
      `c_total{} 6 @${T + 1000}`,
    ]);
  });

  it.each([true, false])('marks the values of a delta sum (monotonic %s) and gives them no start', (monotonic) => {
    const decoded = decode(metrics({ name: 'c', sum: { temporality: 1, monotonic, points: [{ tsMs: T, startMs: T - 1, double: 5 }] } }));
    expect(rowsOf(decoded)).toEqual([`c${monotonic ? '_total' : ''}{} 5 @${T}`]);
    expect([...decoded.batch.flags]).toEqual([DELTA]);
  });

  it.each([9_007_199_254_740_991n, -9_007_199_254_740_992n, 0n, -1n])('takes the integer %s exactly', (int) => {
    const resources = metrics({ name: 'm', gauge: [{ tsMs: T, int }] });
    for (const decoded of [decode(resources), decodeJson(otlpJson(resources))]) {
      expect(BigInt(decoded.batch.value[0] as number)).toBe(int);
      expect(decoded.batch.value[0]).not.toBe(-0);
    }
  });

  it('writes a histogram as Prometheus has it', () => {
    const points = [{ tsMs: T, startMs: T - 5, count: 6, sum: 7.5, counts: [1, 2, 3], bounds: [0.5, 1e7], attributes: { a: 'b' } }];
    const from = `@${T} from ${T - 5}`;
    expect(rows({ name: 'h', unit: 's', histogram: { temporality: CUMULATIVE, points } })).toEqual([
      `h_seconds_count{"a":"b"} 6 ${from}`,
      `h_seconds_sum{"a":"b"} 7.5 ${from}`,
      `h_seconds_bucket{"a":"b","le":"+Inf"} 6 ${from}`,
      `h_seconds_bucket{"a":"b","le":"0.5"} 1 ${from}`,
      `h_seconds_bucket{"a":"b","le":"10000000"} 3 ${from}`,
    ]);
  });

  it('marks all series of a delta histogram', () => {
    const points = [{ tsMs: T, startMs: T - 5, count: 3, sum: 1, counts: [1, 2], bounds: [1] }];
    const decoded = decode(metrics({ name: 'h', histogram: { temporality: 1, points } }));
    expect([...decoded.batch.flags]).toEqual([DELTA, DELTA, DELTA, DELTA]);
    expect(decoded.batch.startTs).toBeUndefined();
  });

  it('leaves out a sum that a histogram has not', () => {
    const points = [{ tsMs: T, count: 3, counts: [3], bounds: [] }];
    expect(rows({ name: 'h', histogram: { temporality: CUMULATIVE, points } })).toEqual([
      `h_count{} 3 @${T}`,
      `h_bucket{"le":"+Inf"} 3 @${T}`,
    ]);
  });

  it('writes a summary as Prometheus has it', () => {
    const quantiles = [
      [0.5, 1],
      [1, 2],
    ] as const;
    expect(rows({ name: 's', summary: [{ tsMs: T, startMs: T - 5, count: 2, sum: 3, quantiles }] })).toEqual([
      `s_count{} 2 @${T} from ${T - 5}`,
      `s_sum{} 3 @${T} from ${T - 5}`,
      `s{"quantile":"0.5"} 1 @${T}`,
      `s{"quantile":"1"} 2 @${T}`,
    ]);
  });

  it('makes stale markers of points without a value', () => {
    expect(rows({ name: 'm', gauge: [{ tsMs: T, flags: 1 }] })).toEqual([`m{} stale @${T}`]);
  });

  it('makes stale all that a histogram wrote last, where the marker names no buckets', () => {
    const translator = createTranslator();
    const histogram = (point: { tsMs: number; count: number }) =>
      metrics({ name: 'h', histogram: { temporality: CUMULATIVE, points: [point] } });
    decode(histogram({ tsMs: T, count: 3, ...{ counts: [1, 2], bounds: [1], sum: 1 } }), translator);
    expect(rowsOf(decode(histogram({ tsMs: T + 1, count: 0, ...{ flags: 1 } }), translator))).toEqual([
      `h_count{} stale @${T + 1}`,
      `h_sum{} stale @${T + 1}`,
      `h_bucket{"le":"+Inf"} stale @${T + 1}`,
      `h_bucket{"le":"1"} stale @${T + 1}`,
    ]);
  });

  it('counts exemplars', () => {
    expect(decode(metrics({ name: 'm', gauge: [{ tsMs: T, double: 1, exemplars: 3 }] })).exemplars).toBe(3);
  });

  it('takes attributes that other fields stand between', () => {
    const scattered = createProtoWriter().message(1, (rm) =>
      rm.message(2, (sm) =>
        sm.message(2, (m) =>
          m.text(1, 'm').message(5, (g) =>
            g.message(1, (p) => {
              p.message(7, (kv) => void kv.text(1, 'a').message(2, (v) => void v.text(1, 'x')));
              p.fixed64(3, BigInt(T) * 1_000_000n).double(4, 2);
              p.message(7, (kv) => void kv.text(1, 'b').message(2, (v) => void v.text(1, 'y')));
            }),
          ),
        ),
      ),
    );
    const translator = createTranslator();
    const body = scattered.finish();
    const expected = [`m{"a":"x","b":"y"} 2 @${T}`];
    for (let i = 0; i < 3; i++) expect(rowsOf(decodeOtlp({ translator }, body, 'protobuf'))).toEqual(expected);
  });

  it('gives the same series object for a point that comes again', () => {
    const translator = createTranslator();
    const resources = [{ resource: service, metrics: [{ name: 'm', gauge: [{ tsMs: T, double: 1, attributes: { a: 'b' } }] }] }];
    const [first] = decode(resources, translator).batch.series;
    expect(decode(resources, translator).batch.series[0]).toBe(first);
    expect(decodeJson(otlpJson(resources), translator).batch.series[0]).toBe(first);
  });
});

describe('what is left out', () => {
  const left = (decoded: Decoded) => decoded.rejections.map(({ reason, count }) => [reason, count]);
  const tooLong = 'x'.repeat(9_000);

  it.each<[string, Metric, [string, number], RegExp]>([
    ['exponential histograms, by name', { name: 'e.h', exponential: 3 }, ['exponential-histogram', 3], /"e\.h"/],
    [
      'a sum of no temporality',
      { name: 'c', sum: { temporality: 0, monotonic: true, points: [{ tsMs: T, double: 1 }] } },
      ['unspecified-temporality', 1],
      /"c_total"/,
    ],
    [
      'a histogram of no temporality',
      { name: 'h', histogram: { temporality: 7, points: [{ tsMs: T, count: 1 }] } },
      ['unspecified-temporality', 1],
      /"h"/,
    ],
    ['a metric without a name', gauge(''), ['missing-metric-name', 1], /no name/],
    ['a name of which nothing can stay', gauge('...'), ['missing-metric-name', 1], /"\.\.\."/],
    [
      'an over-long value',
      { name: 'm', gauge: [{ tsMs: T, double: 1, attributes: { a: tooLong } }] },
      ['value-too-long', 1],
      /"a" has 9000 bytes/,
    ],
    ['an over-long name', gauge('x'.repeat(1_025)), ['name-too-long', 1], /1025 bytes/],
    [
      '65 labels',
      { name: 'm', gauge: [{ tsMs: T, double: 1, attributes: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'v'])) }] },
      ['label-limit', 1],
      /65 labels/,
    ],
    [
      'a histogram of 10^4 buckets and one',
      {
        name: 'h',
        histogram: { temporality: CUMULATIVE, points: [{ tsMs: T, count: 1, bounds: Array.from({ length: 10_001 }, (_, i) => i) }] },
      },
      ['too-many-buckets', 1],
      /10001/,
    ],
  ])('%s, while the rest is taken', (_, metric, expected, message) => {
    const resources = metrics(gauge('before'), metric, gauge('after'));
    for (const decoded of [decode(resources), decodeJson(otlpJson(resources))]) {
      expect(left(decoded)).toEqual([expected]);
      expect(decoded.rejections[0]?.message).toMatch(message);
      expect(rowsOf(decoded)).toEqual([`before{} 1 @${T}`, `after{} 1 @${T}`]);
    }
  });

  it('text that is not UTF-8, of an attribute, a name or a resource', () => {
    const invalid = Uint8Array.of(0xff, 0xfe);
    const body = (place: 'attribute' | 'name' | 'resource') =>
      createProtoWriter()
        .message(1, (rm) => {
          if (place === 'resource') rm.message(1, (r) => void r.message(1, (kv) => void kv.bytes(1, invalid)));
          rm.message(
            2,
            (sm) =>
              void sm.message(
                2,
                (m) =>
                  void m.bytes(1, place === 'name' ? invalid : Buffer.from('m')).message(
                    5,
                    (g) =>
                      void g.message(1, (p) => {
                        p.fixed64(3, 1n);
                        if (place === 'attribute') p.message(7, (kv) => void kv.text(1, 'a').message(2, (v) => void v.bytes(1, invalid)));
                      }),
                  ),
              ),
          );
        })
        .finish();
    for (const place of ['attribute', 'name', 'resource'] as const) {
      const decoded = decodeOtlp({ translator: createTranslator() }, body(place), 'protobuf');
      expect([place, left(decoded), decoded.batch.ts.length]).toEqual([place, [['invalid-utf8', 1]], 0]);
    }
    const json = decodeJson(otlpJson(metrics({ name: 'm', gauge: [{ tsMs: T, double: 1, attributes: { a: '\ud800' } }] })));
    expect(left(json)).toEqual([['invalid-utf8', 1]]);
  });

  it('a request whose labels come to more, written out, than a request may hold', () => {
    const bounds = Array.from({ length: 1_000 }, (_, i) => i);
    const points = Array.from({ length: 20 }, (_, i) => ({ tsMs: T, count: 1, bounds, attributes: { a: `${i}`, b: 'x'.repeat(100) } }));
    const translator = createTranslator({}, { maxBodyBytes: 400_000 });
    const call = () => decode(metrics({ name: 'h', histogram: { temporality: CUMULATIVE, points } }), translator);
    expect(call).toThrow(expect.objectContaining({ kind: 'limit' }));
    expect(call).toThrow(/labels of the request/);
  });
});
