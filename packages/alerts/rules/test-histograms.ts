import { OpsError } from '#core/errors.ts';
import { type Series, seriesKey } from '#model/series.ts';
import type { InstantInput, Query } from '#ports/query.ts';
import type { InputValue, TestSample } from './compare-test.ts';

/** The native histograms of one test. */
export interface TestHistograms {
  /** Takes note of a series that has histograms. */
  declare(series: Series, values: readonly InputValue[]): void;
  /** The number that stands for a histogram in the store. */
  store(text: string): number;
  /** Queries of rules: `conflict` for one that would read a histogram. */
  guardRules(query: Query): Query;
  /** Queries of tests, histograms put back; `conflict` for one that does more with a histogram than to select it. */
  guardTests(query: Query): (input: InstantInput) => Promise<readonly TestSample[]>;
}

const PLAIN_SELECTOR = /^[a-zA-Z_:][\w:]*(?:\{[^{}]*\})?$/;

/**
 * The engine has no native histograms, but tests may load them and select them as they are, which needs no more than to know when each of
 * them counts. So a number stands for each in the store, and no expression but a plain selector may come near one.
 */
export function createTestHistograms(): TestHistograms {
  const texts: string[] = [];
  const series = new Set<string>();
  const metrics = new Set<string>();
  const touches = (query: Query, expr: string) =>
    series.size > 0 && query.check(expr).metrics.some((metric) => metric === undefined || metrics.has(metric));
  const refuse = () => new OpsError('conflict', 'native histograms can only be selected as they are');
  return {
    declare(one, values) {
      if (!values.some(({ kind }) => kind === 'histogram')) return;
      if (values.some(({ kind }) => kind === 'float'))
        throw new OpsError('input', 'a series of both numbers and histograms is not supported');
      series.add(seriesKey(one));
      metrics.add(one.metric);
    },
    store: (text) => texts.push(text) - 1,
    guardRules: (query) => ({
      ...query,
      async instant(input) {
        if (touches(query, input.expr)) throw refuse();
        return await query.instant(input);
      },
    }),
    guardTests: (query) => async (input) => {
      if (touches(query, input.expr) && !PLAIN_SELECTOR.test(query.check(input.expr).text)) throw refuse();
      const { samples } = await query.instant(input);
      return samples.map((sample) =>
        series.has(seriesKey(sample.series))
          ? { ...sample, value: 0, histogram: texts[sample.value] as string }
          : { ...sample, histogram: '' },
      );
    },
  };
}
