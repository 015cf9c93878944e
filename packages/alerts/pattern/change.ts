import { formatDuration } from '#core/duration.ts';
import type { Observed, Seen } from './observation.ts';
import type { ChangePattern } from './pattern.ts';
import { formatValue, isoSecond } from './words.ts';

/** Values that may still become the lowest (or highest) of the window, oldest first: [when it was last so, value]. The last of both is the latest value. */
type Extremes = readonly (readonly [atMs: number, value: number])[];

export interface ChangeRow {
  readonly lows: Extremes;
  readonly highs: Extremes;
}

/**
 * Compares the value with the lowest and highest of the window that ends now. Of a relative change the base is the lowest (of a rise) or
 * highest (of a fall); there is none from 0. While nothing is there the window runs on.
 */
export function observeChange(pattern: ChangePattern, before: ChangeRow | undefined, { values, atMs }: Seen): Observed<ChangeRow> {
  const { direction, windowMs } = pattern;
  const [value] = values;
  const kept = { lows: within(before?.lows ?? [], atMs, windowMs), highs: within(before?.highs ?? [], atMs, windowMs) };
  if (value === undefined || !Number.isFinite(value)) {
    if (kept.lows.length === 0) return { row: undefined };
    return { row: before && kept.lows === before.lows && kept.highs === before.highs ? before : kept };
  }
  const row = {
    lows: direction === 'fall' ? latest(value, atMs) : push(kept.lows, value, atMs, (old) => old >= value),
    highs: direction === 'rise' ? latest(value, atMs) : push(kept.highs, value, atMs, (old) => old <= value),
  };
  const rise = direction === 'fall' ? undefined : moveFrom(pattern, row.lows[0], value);
  const fall = direction === 'rise' ? undefined : moveFrom(pattern, row.highs[0], value);
  return { row, found: rise ?? fall };
}

function within(extremes: Extremes, atMs: number, windowMs: number): Extremes {
  const first = extremes.findIndex(([time]) => time >= atMs - windowMs);
  if (first === 0 || extremes.length === 0) return extremes;
  return first < 0 ? [] : extremes.slice(first);
}

function latest(value: number, atMs: number): Extremes {
  return [[atMs, value]];
}

/** The usual queue of a sliding minimum: what the new value beats can never be the extreme again. */
function push(extremes: Extremes, value: number, atMs: number, isBeaten: (old: number) => boolean): Extremes {
  let length = extremes.length;
  while (length > 0 && isBeaten(extremes[length - 1]?.[1] as number)) length--;
  return [...extremes.slice(0, length), [atMs, value]];
}

function moveFrom(pattern: ChangePattern, base: readonly [number, number] | undefined, value: number) {
  if (base === undefined) return undefined;
  const [sinceMs, from] = base;
  const moved = value - from;
  const measured = pattern.isRelative ? (from === 0 ? 0 : moved / Math.abs(from)) : moved;
  if (moved === 0 || Math.abs(measured) < pattern.by) return undefined;
  return { value: measured, explain: () => explain(pattern, sinceMs, from, value) };
}

function explain({ condition, windowMs }: ChangePattern, sinceMs: number, from: number, value: number): string {
  const verb = value > from ? 'rose' : 'fell';
  return `${condition.name} ${verb} from ${formatValue(from)} at ${isoSecond(sinceMs)} to ${formatValue(value)} within ${formatDuration(windowMs)}`;
}
