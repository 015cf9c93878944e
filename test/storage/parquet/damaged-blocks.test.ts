import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { seriesFromLabels } from '#model/series.ts';
import { decodeAggregates, encodeAggregateBlock } from '#storage/aggregate-block.ts';
import { decodeSamples, encodeMetricsBlock } from '#storage/metrics-block.ts';
import { decodeSeries } from '#storage/parquet/decode-series.ts';
import { planRowGroups, planSeries } from '#storage/parquet/plan.ts';
import { footerSize, readFooter } from '#storage/parquet/read-footer.ts';

const column = (of: (i: number) => number) => Float64Array.from({ length: 200 }, (_, i) => of(i));
const series = ['a', 'b', 'c'].map((instance) =>
  seriesFromLabels([
    { name: '__name__', value: `m_${instance}` },
    { name: 'instance', value: instance },
  ]),
);

const samples = encodeMetricsBlock(
  series.map((one, k) => ({
    series: one,
    samples: {
      ts: column((i) => 1_700_000_000_000 + i * 15_000 + ((i * 7) % 50)),
      value: column((i) => [i / 100, Math.sqrt(i), i * i][k]),
      stale: Uint8Array.from({ length: 200 }, (_, i) => (i % 50 === 49 ? 1 : 0)),
      startTs: column((i) => (i < 100 ? 1_600_000_000_000 : Number.NaN)),
    },
  })),
  { groupRows: 300, pageRows: 100 },
).bytes;

const aggregates = encodeAggregateBlock(
  series.map((one) => ({
    series: one,
    aggregates: {
      ts: column((i) => i * 300_000),
      count: column(() => 20),
      sum: column(Math.sqrt),
      min: column((i) => i % 3),
      max: column((i) => i % 5),
      first: column(Math.sin),
      last: column(() => 7),
      increase: column((i) => i),
      firstTs: column((i) => i * 300_000 + 3),
      lastTs: column((i) => i * 300_000 + 299_000),
    },
  })),
).bytes;

/** Reads all there is to read; returns the number of rows. */
function readAll(bytes: Uint8Array): number {
  const footer = readFooter(bytes);
  let rows = 0;
  for (const { rowGroup, start, end } of planSeries(footer, {})) decodeSeries(footer, rowGroup, bytes.subarray(start, end));
  for (const { rowGroup, start, end } of planRowGroups(footer, {})) {
    const part = bytes.subarray(start, end);
    if (footer.kind === 'samples') for (const found of decodeSamples(footer, rowGroup, part)) rows += found.samples.ts.length;
    else for (const found of decodeAggregates(footer, rowGroup, part)) rows += found.aggregates.ts.length;
  }
  return rows;
}

/** Either it reads or it fails as bad input; nothing else, and in a moment. */
function readsOrRefuses(bytes: Uint8Array): void {
  try {
    readAll(bytes);
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    expect(error.message).toMatch(/^corrupt Parquet block: ./);
  }
}

describe.each([
  ['a metrics block', samples],
  ['an aggregate block', aggregates],
])('%s', (_name, whole) => {
  it('reads as a whole', () => {
    expect(readAll(whole)).toBe(600);
  });

  it('reads or is refused with some bytes changed', () => {
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        readsOrRefuses(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads or is refused with any one byte of its metadata changed', () => {
    const size = footerSize(whole);
    for (let at = whole.length - size; at < whole.length; at++) {
      for (const flip of [1, 16, 128, 255]) {
        const bytes = whole.slice();
        bytes[at] = (bytes[at] as number) ^ flip;
        readsOrRefuses(bytes);
      }
    }
  });

  it('is refused when it is cut at the end, or when bytes are missing in the middle', () => {
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 50 }), (at, gone) => {
        expect(() => readAll(whole.subarray(0, at))).toThrow(/corrupt Parquet block/);
        const bytes = new Uint8Array(whole.length - gone);
        bytes.set(whole.subarray(0, Math.min(at, bytes.length)));
        if (at < bytes.length) bytes.set(whole.subarray(at + gone), at);
        readsOrRefuses(bytes);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file that is not a block', () => {
  const cases: [name: string, bytes: Uint8Array, message: string][] = [
    ['is refused when it is empty', new Uint8Array(0), '0 bytes, less than the smallest file'],
    ['is refused when it does not end as Parquet does', new Uint8Array(100), 'it does not end in PAR1'],
    ['is refused when its footer is longer than what is at hand', samples.subarray(-12), 'a footer of'],
  ];
  for (const [name, bytes, message] of cases) {
    it(name, () => {
      expect(() => readFooter(bytes)).toThrow(message);
    });
  }

  it('is refused when it states another schema', () => {
    const text = Buffer.from(samples).toString('latin1').replace('samples/1', 'samples/9');
    expect(() => readFooter(Buffer.from(text, 'latin1'))).toThrow('schema samples/9, known are samples/1, aggregates/1');
  });

  it('is refused when the bytes are not those of the row group', () => {
    expect(() => decodeSamples(readFooter(samples), 0, samples)).toThrow(/bytes for row group 0, which has/);
    expect(() => decodeSamples(readFooter(samples), 9, samples)).toThrow('no row group 9');
  });
});
