import type { SeriesRuns } from './series-runs.ts';
import type { ChunkStatistics } from './write-footer.ts';

/** Rows of one page, and where its values lie in a column that holds only the present ones. */
export interface PageCut {
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts a column into pages at series boundaries: after `pageRows` present values, or half as many where the metric changes, since values
 * of one metric compress best together. A series that alone is longer than two pages is cut inside. `present` (default: all) is 1 where
 * a row has a value.
 */
export function cutPages(series: SeriesRuns, pageRows: number, present?: Uint8Array): PageCut[] {
  const cuts: PageCut[] = [];
  let [rowStart, from, to, row] = [0, 0, 0, 0];
  const cut = (rowEnd: number) => {
    if (rowEnd > rowStart) cuts.push({ rowStart, rowEnd, from, to });
    rowStart = rowEnd;
    from = to;
  };
  series.ends.forEach((end, i) => {
    const isLong = end - row > pageRows * 2;
    if (isLong) cut(row);
    for (let stop = row; row < end; row = stop) {
      stop = isLong ? Math.min(end, row + pageRows) : end;
      to += present === undefined ? stop - row : countMarks(present, row, stop);
      if (isLong) cut(stop);
    }
    const isLastOfMetric = series.metricRuns[i] !== series.metricRuns[i + 1];
    if (to - from >= pageRows || (isLastOfMetric && to - from >= pageRows / 2)) cut(end);
  });
  cut(row);
  return cuts;
}

function countMarks(marks: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) count += marks[i];
  return count;
}

/** Bounds of a time column without nulls, as Parquet's statistics store them. */
export function timeBounds(values: Float64Array, rows: number): ChunkStatistics {
  let least = values[0];
  let most = least;
  for (let i = 1; i < rows; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { min: int64Bytes(least), max: int64Bytes(most), nulls: 0 };
}

/** A whole number within +-2^53 as 8 bytes, little-endian. */
export function int64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, value >>> 0, true);
  view.setInt32(4, Math.floor(value / 4_294_967_296), true);
  return bytes;
}
