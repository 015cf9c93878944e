import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePipeline, type PipelineResult, runPipeline } from '#ingest/pipeline/pipeline.ts';
import type { LookupTable } from '#ingest/pipeline/rule.ts';
import { compileSelector } from '#ingest/pipeline/selector.ts';
import { batch, type Row, rules, series, show, showAll } from './support.ts';

const run = (rows: readonly Row[], list: readonly object[], tables = new Map<string, LookupTable>()): PipelineResult =>
  runPipeline(compilePipeline('default', rules(...list), tables), batch(rows));

describe('laws', () => {
  const labels = fc.record({
    __name__: fc.constantFrom('a', 'b', 'total', 'free'),
    x: fc.constantFrom('', '1', '2'),
    y: fc.constantFrom('', '1'),
  });
  const rows = fc
    .tuple(
      fc.uniqueArray(labels, { selector: (each) => JSON.stringify(each), minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(7), fc.nat(5), fc.integer({ min: -3, max: 3 })), { maxLength: 30 }),
    )
    .map(([sets, samples]) => {
      const all = sets.map(series);
      return samples.map(([i, ts, value]): Row => [all[i % all.length] as Row[0], ts, value]);
    });
  const selector = fc.constantFrom('a', '{x="1"}', '{x!="1",y=~".*"}', '{__name__=~"a|b"}', 'total{y=""}');
  const rule = fc.oneof(
    fc.record({ match: selector, filter: fc.constantFrom('keep', 'drop') }),
    fc.record({ match: selector, enrich: fc.constant({ labels: { y: 'new' } }) }),
    fc.constant({ map: [{ action: 'labeldrop', regex: 'x' }] }),
    fc.record({
      match: selector,
      validate: fc.constantFrom({ value: { min: 0 } }, { requiredLabels: ['x'] }, { value: { max: 1 }, action: 'tag', tag: { y: 'bad' } }),
    }),
    fc.record({ match: selector, route: fc.constantFrom({ tenant: 'other' }, { retentionClass: 'short' }) }),
    fc.constant({ calculate: { metric: 'ratio', expr: 'free / total' } }),
    fc.record({ match: selector, aggregate: fc.constant({ op: 'sum', interval: '1m' }) }),
  );
  const list = fc.array(rule, { maxLength: 6 }).map((each) => each.map((one, i) => ({ name: `r${i}`, ...one })));

  it('a keep or drop rule is a filter of the samples', () => {
    fc.assert(
      fc.property(rows, selector, fc.constantFrom('keep' as const, 'drop' as const), (input, match, filter) => {
        const matches = compileSelector(match);
        const want = input.filter(([each]) => matches(each) === (filter === 'keep'));
        expect(showAll(run(input, [{ name: 'f', match, filter }]))).toEqual(show(batch(want)));
      }),
    );
  });

  it('what comes in and is added goes out, is dropped or is rejected', () => {
    fc.assert(
      fc.property(rows, list, (input, some) => {
        const { outputs, counts, rejections } = run(input, some);
        const total = (field: 'added' | 'dropped' | 'rejected') => counts.reduce((sum, count) => sum + count[field], 0);
        const out = outputs.reduce((sum, { batch: each }) => sum + each.ts.length, 0);
        expect(out + total('dropped') + total('rejected')).toBe(input.length + total('added'));
        expect(rejections.reduce((sum, { count }) => sum + count, 0)).toBe(total('rejected'));
        for (const { batch: each } of outputs) {
          for (const index of each.seriesIndex) expect(each.series[index]).toBeDefined();
          expect(new Set(each.series.map(({ metric, json }) => metric + json)).size).toBe(each.series.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('rules in one list do what the same rules do one list after the other', () => {
    fc.assert(
      fc.property(rows, list, (input, some) => {
        const local = some.filter((each) => !('route' in each));
        let samples = batch(input);
        for (const each of local) samples = runPipeline(compilePipeline('default', rules(each)), samples).outputs[0]?.batch ?? batch([]);
        expect(showAll(run(input, local)).sort()).toEqual(show(samples).sort());
      }),
    );
  });
});
