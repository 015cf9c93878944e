import { expect, it } from 'vitest';
import type { Json } from '#model/json.ts';
import { createAnalyze } from '#releases/analysis/create-analyze.ts';
import { series } from '#test/query/evaluate-text.ts';
import { correlated, seeded } from '#test/releases/judge/seeded.ts';

const FROM = 1_000_000_000;
const request = { tenant: 't', variables: { canary: 'b', stable: 'a' }, fromMs: FROM };

it('keeps a state that stays below 64 KB after a thousand looks of thirty metrics, of which this is one', async () => {
  const name = 'a metric with a name of usual length';
  const metrics = [{ name, kind: 'mean', query: 'm{version="{{version}}"}', margin: { relative: 0.001 } }];
  const of = { interval: '1s', looks: 1_000, metrics } as unknown as Json;
  const random = seeded(2);
  const points = { ts: Float64Array.from({ length: 1_000 }, (_, i) => FROM + (i + 1) * 1_000), values: correlated(random, 1_000, 0, 1) };
  const query = () => ({
    range: async ({ startMs, endMs }: { startMs: number; endMs: number }) => {
      const count = (endMs - startMs) / 1_000 + 1;
      return {
        series: [{ series: series('m', {}), ts: points.ts.subarray(0, count), values: points.values.subarray(0, count) }],
        warnings: [],
      };
    },
  });
  const analyze = createAnalyze({ query, now: () => FROM + 1_000_000 });
  let state: Json | undefined;
  for (let look = 1; look <= 1_000; look++) {
    // Between the looks that are tests only the numbers move; every eighth is enough to fill the state.
    const result = await analyze({
      ...request,
      analysis: of,
      toMs: FROM + look * 1_000,
      look,
      state: look % 8 ? skip(state, look) : state,
    });
    state = look % 8 ? skip(state, look + 1) : result.state;
  }
  expect(JSON.stringify(state).length).toBeLessThan((64 * 1_024) / 30);
});

function skip(state: Json | undefined, look: number): Json | undefined {
  return state === undefined ? ({ look: look - 1, tests: {}, thresholds: {} } as Json) : ({ ...(state as object), look: look - 1 } as Json);
}
