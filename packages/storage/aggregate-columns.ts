import type { AggregateColumns } from '#model/samples.ts';
import { lowerBound } from './merge-samples.ts';

const names = ['ts', 'count', 'sum', 'min', 'max', 'first', 'last', 'increase', 'firstTs', 'lastTs'] as const;

/** The rows with a sample in [startMs, endMs]: their last one not before it, their first one not after. Views. */
export function sliceAggregates(columns: AggregateColumns, startMs: number, endMs: number): AggregateColumns {
  const from = lowerBound(columns.lastTs, startMs);
  const to = Math.max(from, lowerBound(columns.firstTs, endMs + 1));
  if (from === 0 && to === columns.ts.length) return columns;
  const sliced = Object.fromEntries(names.map((name) => [name, columns[name].subarray(from, to)]));
  return { ...(sliced as unknown as AggregateColumns), delta: columns.delta?.subarray(from, to) };
}

/** Rows of several days as one series; days share no interval. */
export function joinAggregates(days: readonly AggregateColumns[]): AggregateColumns {
  if (days.length === 1) return days[0];
  const ordered = [...days].sort((a, b) => a.ts[0] - b.ts[0]);
  const rows = ordered.reduce((sum, day) => sum + day.ts.length, 0);
  const joined = Object.fromEntries(names.map((name) => [name, new Float64Array(rows)])) as unknown as AggregateColumns;
  const delta = ordered.some((day) => day.delta) ? new Uint8Array(rows) : undefined;
  let at = 0;
  for (const day of ordered) {
    for (const name of names) joined[name].set(day[name], at);
    if (day.delta) delta?.set(day.delta, at);
    at += day.ts.length;
  }
  return { ...joined, delta };
}
