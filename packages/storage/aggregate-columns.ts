import type { AggregateColumns } from '#model/samples.ts';
import { aggregateAggregates } from './aggregate.ts';
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

/**
 * Rows of several days as one series, in time order. Days share no interval; two retention classes that a series was routed to in
 * turn may: their rows of one interval of `widthMs` become one.
 */
export function joinAggregates(parts: readonly AggregateColumns[], widthMs: number): AggregateColumns {
  if (parts.length === 1) return parts[0];
  const ordered = [...parts].sort((a, b) => a.ts[0] - b.ts[0]);
  const joined = concatenate(ordered);
  const isDisjoint = ordered.every((part, i) => i === 0 || part.ts[0] > (ordered[i - 1].ts.at(-1) as number));
  return isDisjoint ? joined : aggregateAggregates(inTimeOrder(joined), widthMs);
}

function inTimeOrder(columns: AggregateColumns): AggregateColumns {
  const { firstTs, delta } = columns;
  const order = Uint32Array.from(firstTs, (_, i) => i).sort((a, b) => firstTs[a] - firstTs[b]);
  const pick = (column: Float64Array) => Float64Array.from(order, (row) => column[row]);
  const picked = Object.fromEntries(names.map((name) => [name, pick(columns[name])]));
  return { ...(picked as unknown as AggregateColumns), delta: delta && Uint8Array.from(order, (row) => delta[row]) };
}

function concatenate(ordered: readonly AggregateColumns[]): AggregateColumns {
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
