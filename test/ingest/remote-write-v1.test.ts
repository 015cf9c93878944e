import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { decodeRemoteWriteV1 } from '#ingest/remote-write-v1.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { STALE } from '#model/samples.ts';
import { createProtoWriter, encodeWriteRequest, STALE_BITS } from './proto-writer.ts';

const decode = (body: Uint8Array) =>
  decodeRemoteWriteV1({ series: createSeriesCache({ maxSeries: 100, limits: defaultIngestLimits }) }, body);
const rows = ({ batch }: Decoded) =>
  Array.from(batch.ts, (ts, i) => {
    const series = batch.series[batch.seriesIndex[i] as number];
    return [`${series?.metric}${series?.json}`, ts, batch.value[i], batch.flags[i]];
  });
const up: [string, string][] = [
  ['__name__', 'up'],
  ['job', 'a'],
];

describe('decodeRemoteWriteV1', () => {
  it('reads samples of several series, in the order of the body', () => {
    const body = encodeWriteRequest([
      {
        labels: up,
        samples: [
          { value: 1.5, ts: 1_700_000_000_000 },
          { value: -0, ts: -5 },
        ],
      },
      { labels: [['__name__', 'down']], samples: [{ value: Number.POSITIVE_INFINITY, ts: 0 }] },
      { labels: up, samples: [{ value: 2, ts: 1_700_000_000_001 }] },
    ]);
    expect(rows(decode(body))).toEqual([
      ['up{"job":"a"}', 1_700_000_000_000, 1.5, 0],
      ['up{"job":"a"}', -5, -0, 0],
      ['down{}', 0, Number.POSITIVE_INFINITY, 0],
      ['up{"job":"a"}', 1_700_000_000_001, 2, 0],
    ]);
    expect(decode(body).batch.series.length).toBe(2);
  });

  it('tells a stale marker from any other NaN by its bits', () => {
    const values = [STALE_BITS, 0x7ff8000000000001n, 0x7ff0000000000001n, 0xfff0000000000002n, 0x7ff8000000000002n];
    const decoded = decode(encodeWriteRequest([{ labels: up, samples: values.map((value, i) => ({ value, ts: i })) }]));
    expect(Array.from(decoded.batch.flags)).toEqual([STALE, 0, 0, 0, 0]);
    expect(Array.from(decoded.batch.value).every(Number.isNaN)).toBe(true);
  });

  it('takes times of +-2^53 and leaves out those beyond', () => {
    const times = [2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    const decoded = decode(encodeWriteRequest([{ labels: up, samples: times.map((ts) => ({ value: 1, ts })) }]));
    expect(Array.from(decoded.batch.ts)).toEqual([2 ** 53, -(2 ** 53)]);
    expect(decoded.rejections).toEqual([
      { reason: 'timestamp-out-of-range', message: 'a sample of "up" has a timestamp outside +-2^53 milliseconds', count: 4 },
    ]);
  });

  it('leaves out series that break a rule, counts their samples and keeps the rest', () => {
    const sample = { value: 1, ts: 1 };
    const decoded = decode(
      encodeWriteRequest([
        { labels: [['job', 'a']], samples: [sample, sample], exemplars: 1 },
        { labels: up, samples: [sample], exemplars: 2 },
        { labels: [...up, ['job', 'b']], samples: [sample] },
        { labels: [['job', 'b']], samples: [sample] },
        { labels: up, histograms: 3 },
      ]),
    );
    expect(decoded.batch.ts.length).toBe(1);
    expect(decoded.exemplars).toBe(2);
    expect(decoded.rejections.map(({ reason, count }) => [reason, count])).toEqual([
      ['missing-metric-name', 3],
      ['duplicate-label', 1],
      ['native-histogram', 3],
    ]);
    expect(decoded.rejections[2]?.message).toMatch(/native histograms are not supported: "up"/);
  });

  it('reads metadata', () => {
    const metadata = [
      { type: 1, name: 'a_total', help: 'An a\nand more', unit: 'bytes' },
      { type: 9, name: 'b', help: '', unit: '' },
    ];
    expect(decode(encodeWriteRequest([], metadata)).metadata).toEqual([
      { metric: 'a_total', type: 'counter', help: 'An a\nand more', unit: 'bytes' },
      { metric: 'b', type: 'unknown', help: '', unit: '' },
    ]);
  });

  it('reads fields in any order, with unknown ones between, and absent ones as zero', () => {
    const label = (name: string, value: string) => createProtoWriter().text(2, value).varint(9, 3).text(1, name).finish();
    const body = createProtoWriter()
      .text(15, 'unknown')
      .message(1, (series) => {
        series
          .bytes(1, label('job', 'a'))
          .message(2, (s) => void s.varint(2, 7).double(7, 1))
          .double(8, 3)
          .bytes(1, label('__name__', 'up'))
          .message(2, (s) => void s.double(1, 9));
      })
      .finish();
    expect(rows(decode(body))).toEqual([
      ['up{"job":"a"}', 7, 0, 0],
      ['up{"job":"a"}', 0, 9, 0],
    ]);
  });

  it('takes an empty body as one without samples', () => {
    expect(decode(new Uint8Array(0)).batch.ts.length).toBe(0);
  });

  it.each<[string, number[]]>([
    ['a length that runs past the end', [0x0a, 0x05, 0x0a]],
    ['a tag that is cut off', [0x80]],
    ['field number 0', [0x02, 0x00]],
    ['a group', [0x0b, 0x0c]],
    ['a wire type that does not exist', [0x0f]],
    ['a varint without end', Array(11).fill(0xff)],
    ['a length of 2^63', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a sample whose value runs past it', [0x0a, 0x05, 0x12, 0x03, 0x09, 0, 0]],
  ])('refuses %s', (_name, bytes) => {
    try {
      decode(Uint8Array.from(bytes));
      expect.unreachable();
    } catch (error) {
      expect(isOpsError(error, 'input') && error.message).toMatch(/^malformed protobuf: .* at byte \d+$/);
    }
  });

  it('throws nothing but an OpsError for random, truncated or flipped bytes', () => {
    const whole = encodeWriteRequest(
      [
        { labels: up, samples: [{ value: 1, ts: 1_700_000_000_000 }], exemplars: 1, histograms: 1 },
        { labels: [['__name__', 'b']], samples: [{ value: 1, ts: -1 }] },
      ],
      [{ type: 1, name: 'a', help: 'b', unit: 'c' }],
    );
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
