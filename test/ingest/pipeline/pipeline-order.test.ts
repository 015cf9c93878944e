import { describe, expect, it } from 'vitest';
import { compilePipeline, type PipelineResult, runPipeline } from '#ingest/pipeline/pipeline.ts';
import type { LookupTable } from '#ingest/pipeline/rule.ts';
import { DELTA, STALE } from '#model/samples.ts';
import { batch, type Row, rules, series, show, showAll } from './support.ts';

const up = series({ __name__: 'up', job: 'api' });
const gc = series({ __name__: 'go_gc', job: 'api' });
const cpu = series({ __name__: 'cpu', job: 'node', core: '0' });

const run = (rows: readonly Row[], list: readonly object[], tables = new Map<string, LookupTable>()): PipelineResult =>
  runPipeline(compilePipeline('default', rules(...list), tables), batch(rows));

describe('a pipeline', () => {
  it('without rules gives back the batch itself', () => {
    const input = batch([[up, 1, 1]]);
    const result = runPipeline(compilePipeline('default', []), input);
    expect(result).toEqual({ outputs: [{ tenant: 'default', batch: input }], counts: [], rejections: [] });
    expect(result.outputs[0]?.batch).toBe(input);
  });

  it('whose rules concern nothing of it gives back the batch itself', () => {
    const input = batch([[up, 1, 1]]);
    const list = rules({ name: 'a', match: '{job="other"}', filter: 'drop' }, { name: 'b', calculate: { metric: 'c', expr: 'x / y' } });
    expect(runPipeline(compilePipeline('default', list), input).outputs[0]?.batch).toBe(input);
  });

  it('touches no sample where only labels change', () => {
    const input = batch([
      [up, 1, 1],
      [gc, 2, 2],
    ]);
    const pipeline = compilePipeline('default', rules({ name: 'a', enrich: { labels: { zone: 'z1' } } }));
    const first = runPipeline(pipeline, input).outputs[0]?.batch;
    const second = runPipeline(pipeline, input).outputs[0]?.batch;
    expect(first?.ts).toBe(input.ts);
    expect(first?.series[0]).toBe(second?.series[0]);
  });

  it('keeps an empty batch', () => {
    const input = batch([]);
    expect(runPipeline(compilePipeline('default', rules({ name: 'a', match: 'up', filter: 'drop' })), input).outputs).toEqual([
      { tenant: 'default', batch: input },
    ]);
  });

  it('runs rules in order, each on what those before it made', () => {
    const list = [
      { name: 'rename', match: 'up', map: [{ target_label: '__name__', replacement: 'alive' }] },
      { name: 'too late', match: 'up', filter: 'drop' },
      { name: 'tag', match: 'alive', enrich: { labels: { seen: 'yes' } } },
    ];
    const result = run([[up, 1, 1]], list);
    expect(showAll(result)).toEqual(['alive{job="api",seen="yes"} 1@1']);
    expect(result.counts.map(({ rule, touched }) => [rule, touched])).toEqual([
      ['rename', 1],
      ['too late', 0],
      ['tag', 1],
    ]);
  });

  it('carries flags and start times along', () => {
    const input = {
      ...batch([
        [gc, 1, 1],
        [up, 2, Number.NaN, STALE],
        [up, 3, 5, DELTA],
      ]),
      startTs: Float64Array.of(7, 8, 9),
    };
    const [output] = runPipeline(compilePipeline('default', rules({ name: 'a', match: 'go_gc', filter: 'drop' })), input).outputs;
    expect(show(output?.batch as typeof input)).toEqual(['up{job="api"} NaN@2 stale', 'up{job="api"} 5@3 delta']);
    expect(Array.from(output?.batch.startTs ?? [])).toEqual([8, 9]);
  });

  it('makes one series of those that come to be the same', () => {
    const core1 = series({ __name__: 'cpu', job: 'node', core: '1' });
    const whole = series({ __name__: 'cpu', job: 'node' });
    const result = run(
      [
        [cpu, 1, 10],
        [core1, 2, 20],
        [whole, 3, 30],
      ],
      [{ name: 'a', map: [{ action: 'labeldrop', regex: 'core' }] }],
    );
    expect(result.outputs[0]?.batch.series).toHaveLength(1);
    expect(showAll(result)).toEqual(['cpu{job="node"} 10@1', 'cpu{job="node"} 20@2', 'cpu{job="node"} 30@3']);
  });
});

describe('filter', () => {
  const rows: Row[] = [
    [up, 1, 1],
    [gc, 1, 2],
    [cpu, 1, 3],
    [up, 2, 4],
  ];
  it.each([
    ['drops what matches', { name: 'f', match: '{job="api"}', filter: 'drop' }, ['cpu{core="0",job="node"} 3@1'], 3],
    [
      'keeps only what matches',
      { name: 'f', match: '{job="api"}', filter: 'keep' },
      ['up{job="api"} 1@1', 'go_gc{job="api"} 2@1', 'up{job="api"} 4@2'],
      1,
    ],
    ['may leave nothing', { name: 'f', match: '{none!=""}', filter: 'keep' }, [], 4],
  ])('%s', (_name, rule, want, dropped) => {
    const result = run(rows, [rule]);
    expect(showAll(result)).toEqual(want);
    expect(result.counts).toEqual([{ rule: 'f', touched: dropped, dropped, rejected: 0, added: 0, ambiguous: 0 }]);
    expect(result.rejections).toEqual([]);
  });
});
