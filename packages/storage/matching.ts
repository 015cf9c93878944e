import { compileMatcher, type Matcher } from '#model/matcher.ts';
import type { Series } from '#model/series.ts';

/** The test of a selector's matchers on a series. A label's distinct values are each tested once. */
export function compileSelector(matchers: readonly Matcher[]): (series: Series) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: remember(compileMatcher(matcher)) }));
  return (series) => tests.every(({ name, test }) => test(labelValue(series, name)));
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
