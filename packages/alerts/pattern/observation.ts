import { isoSecond } from './words.ts';

/** What a pattern sees of one label set at one evaluation. */
export interface Seen {
  /** One for each condition, in order: what its series is, undefined where the condition does not hold. */
  readonly values: readonly (number | undefined)[];
  readonly atMs: number;
  /** The pattern was never evaluated before: what holds now began at a time that nobody knows. */
  readonly isFirst: boolean;
}

/** What one evaluation makes of one label set. */
export interface Observed<Row> {
  /** What is remembered of the label set; undefined for nothing. The same object as before where nothing has changed. */
  readonly row: Row | undefined;
  /** The pattern is there: what it measures, and how it came about. */
  readonly found?: Found | undefined;
}

export interface Found {
  readonly value: number;
  /** Why, in words; asked for when the pattern begins to be there, and kept while it is. */
  readonly explain: () => string;
}

/** Times in ms, ascending, without those that are `windowMs` old at `atMs`; the same array where none is. */
export function dropOlder(times: readonly number[], atMs: number, windowMs: number): readonly number[] {
  const first = times.findIndex((time) => time > atMs - windowMs);
  if (first === 0 || times.length === 0) return times;
  return first < 0 ? [] : times.slice(first);
}

/** Most times that are remembered of one label set; a count stops there. */
export const MAX_TIMES = 1_000;

/** Times with one more, the oldest left out where there are too many. */
export function addTime(times: readonly number[], atMs: number): readonly number[] {
  return [...(times.length < MAX_TIMES ? times : times.slice(1 - MAX_TIMES)), atMs];
}

/** `between 10:00:00 and 10:05:00`, of at least one time. */
export function spanInWords(times: readonly number[]): string {
  const [first, last] = [times[0] as number, times.at(-1) as number];
  return first === last ? `at ${isoSecond(first)}` : `between ${isoSecond(first)} and ${isoSecond(last)}`;
}
