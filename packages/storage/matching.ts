import { compileAnchored } from '#core/re2.ts';
import type { Clock } from '#core/time.ts';
import { compileMatcher, type Matcher } from '#model/matcher.ts';
import type { Label, Series } from '#model/series.ts';

/** What is wanted of the series there are. */
export interface Selector {
  matches(series: Series): boolean;
  /** About what one series costs, in comparisons of a label. */
  readonly cost: number;
}

/** The series that fit all of the matchers. A label's distinct values are each tested once. */
export function compileSelector(matchers: readonly Matcher[]): Selector {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: remember(compileMatcher(matcher)) }));
  return {
    matches: (series) => tests.every(({ name, test }) => test(labelValue(series, name))),
    cost: matchers.reduce((sum, matcher) => sum + costOf(matcher), 1),
  };
}

/** The series that fit any of the selectors; every series where there are none. */
export function anyOf(selectors: readonly Selector[]): Selector {
  return {
    matches: (series) => selectors.length === 0 || selectors.some((selector) => selector.matches(series)),
    cost: selectors.reduce((sum, { cost }) => sum + cost, 1),
  };
}

function costOf({ op, value }: Matcher): number {
  return op === '=' || op === '!=' || compileAnchored(value).literals ? 1 : 20 + value.length / 10;
}

/** Comparisons between two pauses: some milliseconds, unless values are long; then the clock decides. */
const COMPARISONS_AT_ONCE = 200_000;
const COSTLY = 20;
const MOST_MS = 50;

/** The items whose series is wanted. Whoever waits for a turn gets one in between, however many matchers meet however many series. */
export async function pickWanted<T extends { readonly series: Series }>(
  { pause, now }: { readonly pause: () => Promise<void>; readonly now: Clock },
  items: Iterable<T>,
  wanted: Selector,
  signal: AbortSignal | undefined,
): Promise<T[]> {
  const picked: T[] = [];
  let compared = 0;
  let pausedMs = now();
  for (const item of items) {
    if (wanted.matches(item.series)) picked.push(item);
    compared += wanted.cost;
    if (compared < COMPARISONS_AT_ONCE && (wanted.cost < COSTLY || now() - pausedMs < MOST_MS)) continue;
    compared = 0;
    await pause();
    pausedMs = now();
    signal?.throwIfAborted();
  }
  return picked;
}

/** The value of a label, the metric's name as `__name__`, or '' where there is none. */
function labelValue(series: Series, name: string): string {
  if (name === '__name__') return series.metric;
  for (const label of series.labels) if (label.name === name) return label.value;
  return '';
}

/** The metric names that alone can match, where the matchers say so (`=`). */
export function exactMetric(matchers: readonly Matcher[]): string | undefined {
  return matchers.find(({ name, op }) => name === '__name__' && op === '=')?.value;
}

/** The labels that a series must have to match, by name and value (`=`). One that may be absent is none. */
export function exactLabels(matchers: readonly Matcher[]): readonly Label[] {
  return matchers.filter(({ name, op, value }) => name !== '__name__' && op === '=' && value !== '');
}

function remember(test: (value: string) => boolean): (value: string) => boolean {
  const known = new Map<string, boolean>();
  return (value) => {
    let result = known.get(value);
    if (result === undefined) {
      result = test(value);
      known.set(value, result);
    }
    return result;
  };
}
