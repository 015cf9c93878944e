import { alignDown, DAY_MS } from '#core/time.ts';
import { pickRows } from '#model/pick-rows.ts';
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
