import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawSeries } from '#ports/sample-source.ts';
import { decodeSamples, encodeMetricsBlock } from '#storage/metrics-block.ts';
import type { BlockOptions } from '#storage/parquet/block-writer.ts';
import { planRowGroups, type RowGroupSelection } from '#storage/parquet/plan.ts';
import { readFooter } from '#storage/parquet/read-footer.ts';
import { anyBlock, flatten } from './parquet/arbitrary-blocks.ts';

function decodeBlock(bytes: Uint8Array, selection?: RowGroupSelection): RawSeries[] {
  const footer = readFooter(bytes);
  return planRowGroups(footer, {}).flatMap(({ rowGroup, start, end }) =>
    decodeSamples(footer, rowGroup, bytes.subarray(start, end), selection),
  );
}

const layouts: Record<string, BlockOptions> = {
  'by default': {},
  'with tiny row groups and pages': { groupRows: 5, maxGroupRows: 20, pageRows: 7 },
  'with one row per page': { pageRows: 1 },
};

describe('a metrics block', () => {
  for (const [name, options] of Object.entries(layouts)) {
    it(`gives back bit-equal samples ${name}`, () => {
      fc.assert(
        fc.property(anyBlock, (input) => {
          expect(flatten(decodeBlock(encodeMetricsBlock(input, options).bytes))).toEqual(flatten(input));
        }),
        { numRuns: 300 },
      );
    });
  }
});
