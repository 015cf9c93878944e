import type { SampleBatch } from './samples.ts';
import type { Series } from './series.ts';

/** The batch of just these rows, with just the series that they use. */
export function pickRows(batch: SampleBatch, rows: readonly number[]): SampleBatch {
  const newIndex = new Map<number, number>();
  const series: Series[] = [];
  const seriesIndex = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const old = batch.seriesIndex[rows[i]];
    let index = newIndex.get(old);
    if (index === undefined) {
      index = series.push(batch.series[old]) - 1;
      newIndex.set(old, index);
    }
    seriesIndex[i] = index;
  }
  return {
    series,
    seriesIndex,
    ts: Float64Array.from(rows, (row) => batch.ts[row]),
    value: Float64Array.from(rows, (row) => batch.value[row]),
    flags: Uint8Array.from(rows, (row) => batch.flags[row]),
    startTs: batch.startTs && Float64Array.from(rows, (row) => (batch.startTs as Float64Array)[row]),
  };
}
