import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePipeline, runPipeline } from '#ingest/pipeline/pipeline.ts';
import type { SampleBatch } from '#model/samples.ts';
import { batch, rules, series, showAll } from './support.ts';

const up = series({ __name__: 'up', job: 'api', zone: 'a' });
const down = series({ __name__: 'up', job: 'db', zone: 'b' });
const used = series({ __name__: 'used', job: 'api' });
const total = series({ __name__: 'total', job: 'api' });
const input = batch([
  [up, 1, 1],
  [down, 1, 0],
  [used, 1, 30],
  [total, 1, 120],
]);

function run(list: object[], samples: SampleBatch = input, tables = new Map()) {
  return runPipeline(compilePipeline('default', rules(...list), tables), samples);
}

describe('the pipeline', () => {
  it('gives back the very batch where it has no rules', () => {
    expect(run([]).outputs[0].batch).toBe(input);
  });

  it('gives back the very batch where no rule touches it', () => {
    expect(run([{ name: 'none', filter: 'drop', match: '{job="other"}' }]).outputs[0].batch).toBe(input);
  });

  it.each([
    ['keeps what matches', { filter: 'keep', match: '{job="db"}' }, ['up{job="db",zone="b"} 0@1']],
    ['drops what matches', { filter: 'drop', match: '{job=~"api|db"}' }, []],
    [
      'relabels',
      {
        map: [
          { source_labels: ['job'], target_label: 'service' },
          { action: 'keep', source_labels: ['job'], regex: 'db' },
        ],
      },
      ['up{job="db",service="db",zone="b"} 0@1'],
    ],
  ])('%s', (_name, rule, want) => {
    expect(showAll(run([{ name: 'rule', ...rule }]))).toEqual(want);
  });

  it('adds static and looked-up labels', () => {
    const tables = new Map([['teams.yaml', { api: { team: 'red' }, db: { team: 'blue' } }]]);
    const result = run(
      [{ name: 'teams', match: 'up', enrich: { labels: { site: 'x' }, lookup: { table: 'teams.yaml', by: 'job' } } }],
      input,
      tables,
    );
    expect(showAll(result).slice(0, 2)).toEqual([
      'up{job="api",site="x",team="red",zone="a"} 1@1',
      'up{job="db",site="x",team="blue",zone="b"} 0@1',
    ]);
    expect(result.counts).toMatchObject([{ rule: 'teams', touched: 2, dropped: 0 }]);
  });

  it('rejects what lacks a label, and says so', () => {
    const result = run([{ name: 'zone', validate: { requiredLabels: ['zone'] } }]);
    expect(showAll(result)).toHaveLength(2);
    expect(result.rejections).toMatchObject([{ count: 2 }]);
    expect(result.rejections[0].message).toContain('zone');
  });

  it('rejects values out of range, not the series', () => {
    const samples = batch([
      [up, 1, 1],
      [up, 2, 7],
      [up, 3, 0],
    ]);
    const result = run([{ name: 'range', match: 'up', validate: { value: { min: 0, max: 1 } } }], samples);
    expect(showAll(result)).toEqual(['up{job="api",zone="a"} 1@1', 'up{job="api",zone="a"} 0@3']);
  });

  it('calculates from samples of the same labels and time', () => {
    const result = run([{ name: 'ratio', calculate: { metric: 'used_ratio', expr: 'used / total' } }]);
    expect(showAll(result)).toContain('used_ratio{job="api"} 0.25@1');
    expect(result.counts).toMatchObject([{ added: 1 }]);
  });

  it('routes to another tenant and to a retention class', () => {
    const result = run([
      { name: 'db', match: '{job="db"}', route: { tenant: 'data' } },
      { name: 'short', match: 'used', route: { retentionClass: 'short' } },
    ]);
    expect(showAll(result)).toContain('data/ up{job="db",zone="b"} 0@1');
    expect(showAll(result)).toContain('default/short used{job="api"} 30@1');
  });

  it('loses nothing: what comes in goes out, or is counted as dropped or rejected', () => {
    const anyRule = fc.constantFrom(
      { filter: 'keep', match: '{job="api"}' },
      { filter: 'drop', match: '{zone="a"}' },
      { validate: { requiredLabels: ['zone'] } },
      { map: [{ action: 'drop', source_labels: ['job'], regex: 'd.*' }] },
      { route: { tenant: 'data' }, match: 'up' },
      { calculate: { metric: 'c', expr: 'used + total' } },
      { validate: { value: { max: 20 } } },
    );
    const anySeries = fc.constantFrom(up, down, used, total);
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 5 }),
        fc.array(fc.tuple(anySeries, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 40 }))),
        (list, rows) => {
          const samples = batch(rows);
          const result = run(
            list.map((rule, i) => ({ name: `r${i}`, ...rule })),
            samples,
          );
          const out = result.outputs.reduce((sum, output) => sum + output.batch.ts.length, 0);
          const counted = result.counts.reduce((sum, { dropped, rejected, added }) => sum + dropped + rejected - added, 0);
          expect(out + counted).toBe(samples.ts.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
