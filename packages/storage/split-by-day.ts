import { alignDown, DAY_MS } from '#core/time.ts';
import type { SampleBatch } from '#model/samples.ts';

export interface DayBatch {
  /** Start of the UTC day, ms. */
  readonly dayMs: number;
  readonly batch: SampleBatch;
}

/** The batch by the UTC day of its samples; the usual batch lies in one day and is given back as it is. */
export function splitByDay(batch: SampleBatch): DayBatch[] {
  const rowsByDay = new Map<number, number[]>();
  if (batch.ts.length === 0) return [];
  const firstDay = alignDown(batch.ts[0], DAY_MS);
  if (batch.ts.every((ts) => ts >= firstDay && ts < firstDay + DAY_MS)) return [{ dayMs: firstDay, batch }];
  for (let i = 0; i < batch.ts.length; i++) {
    const dayMs = alignDown(batch.ts[i], DAY_MS);
    const rows = rowsByDay.get(dayMs);
    if (rows) rows.push(i);
    else rowsByDay.set(dayMs, [i]);
  }
  return Array.from(rowsByDay, ([dayMs, rows]) => ({ dayMs, batch: pickRows(batch, rows) }));
}

/** The batch of just these rows, with just the series that they use. */
export function pickRows(batch: SampleBatch, rows: readonly number[]): SampleBatch {
  const newIndex = new Map<number, number>();
  const series = [];
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
