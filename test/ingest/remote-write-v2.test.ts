import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { decodeRemoteWriteV1 } from '#ingest/remote-write-v1.ts';
import { decodeRemoteWriteV2 } from '#ingest/remote-write-v2.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { STALE } from '#model/samples.ts';
import { createProtoWriter, encodeWriteRequest, encodeWriteRequestV2, STALE_BITS, type WireSeriesV2 } from './proto-writer.ts';

const freshCache = () => createSeriesCache({ maxSeries: 1_000, limits: defaultIngestLimits });
const decode = (body: Uint8Array, series = freshCache()) => decodeRemoteWriteV2({ series }, body);
const rows = ({ batch }: Decoded) =>
  Array.from(batch.ts, (ts, i) => {
    const series = batch.series[batch.seriesIndex[i] as number];
    return [`${series?.metric}${series?.json}`, ts, batch.value[i], batch.flags[i], batch.startTs?.[i] ?? Number.NaN];
  });
const up: [string, string][] = [
  ['__name__', 'up'],
  ['job', 'a'],
];
const reasons = ({ rejections }: Decoded) => rejections.map(({ reason, count }) => [reason, count]);

describe('decodeRemoteWriteV2', () => {
  it('reads samples, stale markers and created timestamps of series and of samples', () => {
    const body = encodeWriteRequestV2([
      {
        labels: up,
        samples: [
          { value: 1, ts: 10 },
          { value: STALE_BITS, ts: 20, startTs: 7 },
        ],
        createdTs: 5,
      },
      { labels: [['__name__', 'down']], samples: [{ value: 2, ts: -1 }] },
    ]);
    expect(rows(decode(body))).toEqual([
      ['up{"job":"a"}', 10, 1, 0, 5],
      ['up{"job":"a"}', 20, Number.NaN, STALE, 7],
      ['down{}', -1, 2, 0, Number.NaN],
    ]);
  });

  it('reads symbols that come last and references one by one', () => {
    const body = createProtoWriter()
      .message(
        5,
        (series) =>
          void series
            .message(2, (s) => void s.double(1, 3).varint(2, 4))
            .varint(1, 1)
            .varint(1, 2),
      )
      .text(4, '')
      .text(4, '__name__')
      .text(4, 'late')
      .finish();
    expect(rows(decode(body))).toEqual([['late{}', 4, 3, 0, Number.NaN]]);
  });

  it('shares what is known about a series with version 1.0', () => {
    const series = freshCache();
    const samples = [{ value: 1, ts: 1 }];
    const first = decodeRemoteWriteV1({ series }, encodeWriteRequest([{ labels: up, samples }]));
    expect(decode(encodeWriteRequestV2([{ labels: up, samples }]), series).batch.series[0]).toBe(first.batch.series[0]);
  });

  it('keeps metadata once per family, under the family of a histogram or summary', () => {
    const body = encodeWriteRequestV2([
      {
        labels: [
          ['__name__', 'h_bucket'],
          ['le', '1'],
        ],
        metadata: { type: 3, help: 'A histogram', unit: 'seconds' },
      },
      { labels: [['__name__', 'h_count']], metadata: { type: 3, help: 'Another text', unit: '' } },
      { labels: [['__name__', 's_sum']], metadata: { type: 5, help: 'S', unit: '' } },
      { labels: [['__name__', 'c_total']], metadata: { type: 1, help: 'C', unit: '' } },
      { labels: [['__name__', 'none']], metadata: { type: 0, help: '', unit: '' } },
    ]);
    expect(decode(body).metadata).toEqual([
      { metric: 'h', type: 'histogram', help: 'A histogram', unit: 'seconds' },
      { metric: 's', type: 'summary', help: 'S', unit: '' },
      { metric: 'c_total', type: 'counter', help: 'C', unit: '' },
    ]);
  });

  it('leaves out series with references that lead nowhere, counted, and keeps the rest', () => {
    const good = { labels: up, samples: [{ value: 1, ts: 1 }] };
    const bad = createProtoWriter()
      .message(5, (m) => void m.packedVarints(1, [1, 99]).message(2, (s) => void s.varint(2, 1)))
      .message(5, (m) => void m.packedVarints(1, [1, 2, 3]).message(2, (s) => void s.varint(2, 1)))
      .message(5, (m) => void m.packedVarints(1, [1, 2 ** 40]).message(2, (s) => void s.varint(2, 1)))
      .finish();
    const decoded = decode(Buffer.concat([encodeWriteRequestV2([good]), bad]));
    expect(decoded.batch.ts.length).toBe(1);
    expect(reasons(decoded)).toEqual([['invalid-label-refs', 3]]);
    expect(decoded.rejections[0]?.message).toBe('a series refers to symbol 99 of 5');
  });

  it('refuses over-long text and too many labels before it puts them together', () => {
    const huge = 'x'.repeat(1_000_000);
    const sample = { samples: [{ value: 1, ts: 1 }] };
    const many = Array.from({ length: 100_000 }, (): [string, string] => ['l', huge]);
    const decoded = decode(
      encodeWriteRequestV2([
        { labels: [...up, ['a', huge]], ...sample },
        { labels: [...up, [huge, 'a']], ...sample },
        { labels: many, ...sample },
      ]),
    );
    expect(reasons(decoded)).toEqual([
      ['value-too-long', 1],
      ['name-too-long', 1],
      ['label-limit', 1],
    ]);
    expect(decoded.rejections[0]?.message).toBe('the value of label "a" has 1000000 bytes, the limit is 8192');
  });

  it('refuses more symbols than it has room for', () => {
    const body = new Uint8Array(2 * 4_194_305);
    for (let i = 0; i < body.length; i += 2) body[i] = 0x22;
    try {
      decode(body);
      expect.unreachable();
    } catch (error) {
      expect(isOpsError(error, 'limit')).toBe(true);
    }
  });

  it('agrees with version 1.0 on any series', () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 });
    const labels = fc.array(fc.tuple(fc.oneof(fc.constantFrom('__name__', 'job', ''), text), fc.oneof(fc.constant(''), text)), {
      maxLength: 6,
    });
    const samples = fc.array(fc.record({ value: fc.double(), ts: fc.integer() }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.record({ labels, samples }), { maxLength: 5 }), (series) => {
        const first = decodeRemoteWriteV1({ series: freshCache() }, encodeWriteRequest(series as WireSeriesV2[]));
        const second = decode(encodeWriteRequestV2(series as WireSeriesV2[]));
        expect(rows(second)).toEqual(rows(first));
        expect(second.rejections).toEqual(first.rejections);
      }),
    );
  });

  it('throws nothing but an OpsError for random, truncated or flipped bytes', () => {
    const whole = encodeWriteRequestV2([
      {
        labels: up,
        samples: [{ value: 1, ts: 1_700_000_000_000 }],
        exemplars: 1,
        histograms: 1,
        createdTs: 5,
        metadata: { type: 1, help: 'h', unit: 'u' },
      },
    ]);
    const attempt = (body: Uint8Array) => {
      try {
        decode(body);
      } catch (error) {
        if (!isOpsError(error, 'input')) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
    for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const damaged = Uint8Array.from(whole);
        damaged[at] = byte;
        attempt(damaged);
      }),
      { numRuns: 1_000 },
    );
  });
});
