import { type SampleColumns, winsOver } from '#model/samples.ts';

/**
 * One series' samples from several sources, in time order and one per timestamp. Of samples at one time the winner is chosen by
 * value alone (winsOver), so that the order of the parts cannot matter; equal values differ in flags only if a sender was
 * inconsistent: then a delta flag and the greater start time win.
 */
export function mergeSamples(parts: readonly SampleColumns[]): SampleColumns {
  const sorted = parts.filter((part) => part.ts.length > 0);
  if (sorted.length <= 1) return sorted[0] ?? { ts: new Float64Array(0), value: new Float64Array(0) };
  sorted.sort((a, b) => a.ts[0] - b.ts[0]);
  const disjoint = sorted.every((part, i) => i === 0 || part.ts[0] > (sorted[i - 1].ts.at(-1) as number));
  return disjoint ? concatenate(sorted) : sortUnique(concatenate(sorted));
}

/** The parts one after the other. */
function concatenate(parts: readonly SampleColumns[]): SampleColumns {
  const count = parts.reduce((sum, part) => sum + part.ts.length, 0);
  const ts = new Float64Array(count);
  const value = new Float64Array(count);
  const stale = parts.some((part) => part.stale) ? new Uint8Array(count) : undefined;
  const delta = parts.some((part) => part.delta) ? new Uint8Array(count) : undefined;
  const startTs = parts.some((part) => part.startTs) ? new Float64Array(count).fill(Number.NaN) : undefined;
  let at = 0;
  for (const part of parts) {
    ts.set(part.ts, at);
    value.set(part.value, at);
    if (part.stale) stale?.set(part.stale, at);
    if (part.delta) delta?.set(part.delta, at);
    if (part.startTs) startTs?.set(part.startTs, at);
    at += part.ts.length;
  }
  return { ts, value, stale, delta, startTs };
}

/** Samples in any order, made ordered and unique; the arrays given are not changed. */
export function sortUnique(columns: SampleColumns): SampleColumns {
  const { ts } = columns;
  let ordered = true;
  for (let i = 1; i < ts.length && ordered; i++) ordered = ts[i] > ts[i - 1];
  if (ordered) return columns;
  const order = new Uint32Array(ts.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((a, b) => ts[a] - ts[b]);
  let kept = 0;
  for (let i = 0; i < order.length; i++) {
    if (kept > 0 && ts[order[kept - 1]] === ts[order[i]]) {
      if (beats(columns, order[i], order[kept - 1])) order[kept - 1] = order[i];
    } else {
      order[kept++] = order[i];
    }
  }
  return pick(columns, order.subarray(0, kept));
}

function beats(columns: SampleColumns, a: number, b: number): boolean {
  const { value, stale, delta, startTs } = columns;
  const staleA = stale?.[a] === 1;
  const staleB = stale?.[b] === 1;
  if (winsOver(value[a], staleA, value[b], staleB)) return true;
  if (winsOver(value[b], staleB, value[a], staleA)) return false;
  const deltaStep = (delta?.[a] ?? 0) - (delta?.[b] ?? 0);
  if (deltaStep !== 0) return deltaStep > 0;
  return startTs !== undefined && (startTs[a] > startTs[b] || (Number.isNaN(startTs[b]) && !Number.isNaN(startTs[a])));
}

function pick(columns: SampleColumns, rows: Uint32Array): SampleColumns {
  const { ts, value, stale, delta, startTs } = columns;
  const count = rows.length;
  const out = {
    ts: new Float64Array(count),
    value: new Float64Array(count),
    stale: stale && new Uint8Array(count),
    delta: delta && new Uint8Array(count),
    startTs: startTs && new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    const row = rows[i];
    out.ts[i] = ts[row];
    out.value[i] = value[row];
    if (stale) (out.stale as Uint8Array)[i] = stale[row];
    if (delta) (out.delta as Uint8Array)[i] = delta[row];
    if (startTs) (out.startTs as Float64Array)[i] = startTs[row];
  }
  return out;
}

/** The samples with startMs <= ts <= endMs, as views. */
export function sliceTime(columns: SampleColumns, startMs: number, endMs: number): SampleColumns {
  const from = lowerBound(columns.ts, startMs);
  const to = lowerBound(columns.ts, endMs + 1);
  if (from === 0 && to === columns.ts.length) return columns;
  return {
    ts: columns.ts.subarray(from, to),
    value: columns.value.subarray(from, to),
    stale: columns.stale?.subarray(from, to),
    delta: columns.delta?.subarray(from, to),
    startTs: columns.startTs?.subarray(from, to),
  };
}

/** Index of the first element that is not less than `bound`, in a sorted array. */
export function lowerBound(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
