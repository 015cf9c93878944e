import { alignDown } from '#core/time.ts';
import type { AggregateColumns, SampleColumns } from '#model/samples.ts';

/** Columns while they grow. */
type Growing = { [K in Exclude<keyof AggregateColumns, 'delta'>]: number[] } & { delta: number[] };

/**
 * Aggregates of raw samples (time order, one per timestamp) by intervals of `widthMs` aligned to the epoch. Stale markers count
 * for nothing; an interval without other samples has no row. Sums are plain left-to-right sums and min and max follow
 * Prometheus (NaN only if all are NaN), so equal samples always give bit-equal rows.
 * `increase`: sum of the steps between neighbours inside the interval, a fall counting as a reset to 0 (step = new value); a
 * created time later than the previous sample is a reset too. For a delta series it is the sum of all values but the first.
 */
export function aggregateSamples(samples: SampleColumns, widthMs: number): AggregateColumns {
  const { ts, value, stale, delta, startTs } = samples;
  const out = emptyGrowing();
  let row = -1;
  let end = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ts.length; i++) {
    if (stale?.[i]) continue;
    const v = value[i];
    const isDelta = delta?.[i] ?? 0;
    if (ts[i] >= end) {
      const start = alignDown(ts[i], widthMs);
      end = start + widthMs;
      row = out.ts.push(start) - 1;
      pushFirst(out, v, ts[i], isDelta);
      continue;
    }
    const previous = out.last[row];
    const created = startTs ? startTs[i] : Number.NaN;
    const reset = v < previous || (created > out.lastTs[row] && created <= ts[i]);
    out.increase[row] += isDelta || reset ? v : v - previous;
    out.count[row] += 1;
    out.sum[row] += v;
    if (v < out.min[row] || Number.isNaN(out.min[row])) out.min[row] = v;
    if (v > out.max[row] || Number.isNaN(out.max[row])) out.max[row] = v;
    out.last[row] = v;
    out.lastTs[row] = ts[i];
    if (isDelta) out.delta[row] = 1;
  }
  return freeze(out);
}

/**
 * Coarser aggregates from finer ones (`widthMs` a multiple of theirs), in time order. The step between two finer rows,
 * last to first, goes into the coarser row's `increase`.
 */
export function aggregateAggregates(finer: AggregateColumns, widthMs: number): AggregateColumns {
  const out = emptyGrowing();
  let row = -1;
  let end = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < finer.ts.length; i++) {
    if (finer.ts[i] >= end) {
      const start = alignDown(finer.ts[i], widthMs);
      end = start + widthMs;
      row = out.ts.push(start) - 1;
      pushRow(out, finer, i);
      continue;
    }
    const isDelta = finer.delta?.[i] ?? 0;
    const first = finer.first[i];
    const step = isDelta || first < out.last[row] ? first : first - out.last[row];
    out.increase[row] += step + finer.increase[i];
    out.count[row] += finer.count[i];
    out.sum[row] += finer.sum[i];
    if (finer.min[i] < out.min[row] || Number.isNaN(out.min[row])) out.min[row] = finer.min[i];
    if (finer.max[i] > out.max[row] || Number.isNaN(out.max[row])) out.max[row] = finer.max[i];
    out.last[row] = finer.last[i];
    out.lastTs[row] = finer.lastTs[i];
    if (isDelta) out.delta[row] = 1;
  }
  return freeze(out);
}

function emptyGrowing(): Growing {
  return { ts: [], count: [], sum: [], min: [], max: [], first: [], last: [], increase: [], firstTs: [], lastTs: [], delta: [] };
}

function pushFirst(out: Growing, value: number, ts: number, delta: number): void {
  out.count.push(1);
  out.sum.push(value);
  out.min.push(value);
  out.max.push(value);
  out.first.push(value);
  out.last.push(value);
  out.increase.push(0);
  out.firstTs.push(ts);
  out.lastTs.push(ts);
  out.delta.push(delta);
}

function pushRow(out: Growing, from: AggregateColumns, i: number): void {
  out.count.push(from.count[i]);
  out.sum.push(from.sum[i]);
  out.min.push(from.min[i]);
  out.max.push(from.max[i]);
  out.first.push(from.first[i]);
  out.last.push(from.last[i]);
  out.increase.push(from.increase[i]);
  out.firstTs.push(from.firstTs[i]);
  out.lastTs.push(from.lastTs[i]);
  out.delta.push(from.delta?.[i] ?? 0);
}

function freeze(out: Growing): AggregateColumns {
  return {
    ts: Float64Array.from(out.ts),
    count: Float64Array.from(out.count),
    sum: Float64Array.from(out.sum),
    min: Float64Array.from(out.min),
    max: Float64Array.from(out.max),
    first: Float64Array.from(out.first),
    last: Float64Array.from(out.last),
    increase: Float64Array.from(out.increase),
    firstTs: Float64Array.from(out.firstTs),
    lastTs: Float64Array.from(out.lastTs),
    delta: out.delta.some((flag) => flag !== 0) ? Uint8Array.from(out.delta) : undefined,
  };
}
