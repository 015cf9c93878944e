import { describe, expect, it } from 'vitest';
import { compilePipeline, type PipelineResult, runPipeline } from '#ingest/pipeline/pipeline.ts';
import type { LookupTable } from '#ingest/pipeline/rule.ts';
import { DELTA, STALE } from '#model/samples.ts';
import { batch, type Row, rules, series, showAll } from './support.ts';

const run = (rows: readonly Row[], list: readonly object[], tables = new Map<string, LookupTable>()): PipelineResult =>
  runPipeline(compilePipeline('default', rules(...list), tables), batch(rows));

describe('calculate', () => {
  const node = (name: string, labels: Record<string, string> = {}) => series({ __name__: name, instance: 'a', ...labels });
  const free = node('free');
  const total = node('total');
  const used = { name: 'used', calculate: { metric: 'used_ratio', expr: '1 - free / total' } };

  it('adds a sample where all metrics have one with the same labels at the same time', () => {
    const elsewhere = series({ __name__: 'total', instance: 'b' });
    const rows: Row[] = [
      [free, 1, 25],
      [total, 1, 100],
      [free, 2, 50],
      [total, 3, 100],
      [elsewhere, 1, 100],
    ];
    const result = run(rows, [used]);
    expect(showAll(result).slice(rows.length)).toEqual(['used_ratio{instance="a"} 0.75@1']);
    expect(result.counts[0]).toEqual({ rule: 'used', touched: 0, dropped: 0, rejected: 0, added: 1, ambiguous: 0 });
  });

  it('on some labels pairs series that differ otherwise, and keeps those labels only', () => {
    const rows: Row[] = [
      [node('free', { unit: 'b' }), 1, 25],
      [total, 1, 100],
    ];
    expect(showAll(run(rows, [used]))).toHaveLength(2);
    expect(showAll(run(rows, [{ name: 'used', calculate: { ...used.calculate, on: ['instance'] } }]))[2]).toBe(
      'used_ratio{instance="a"} 0.75@1',
    );
  });

  it('gives nothing where two series of one metric meet, and counts that', () => {
    const rows: Row[] = [
      [node('free', { unit: 'b' }), 1, 25],
      [node('free', { unit: 'c' }), 1, 26],
      [total, 1, 100],
    ];
    const result = run(rows, [{ name: 'used', calculate: { ...used.calculate, on: ['instance'] } }]);
    expect(showAll(result)).toHaveLength(3);
    expect(result.counts[0]).toMatchObject({ added: 0, ambiguous: 1 });
  });

  it('leaves stale markers and deltas alone, and takes the winner of two samples at one time', () => {
    const rows: Row[] = [
      [free, 1, 30],
      [free, 1, 40],
      [total, 1, 100],
      [free, 2, Number.NaN, STALE],
      [total, 2, 100],
      [free, 3, 5, DELTA],
      [total, 3, 100],
    ];
    expect(showAll(run(rows, [used])).slice(rows.length)).toEqual(['used_ratio{instance="a"} 0.6@1']);
  });

  it('feeds the rules that follow', () => {
    const list = [
      used,
      { name: 'only', match: '{__name__=~"used_.*"}', filter: 'keep' },
      { name: 'percent', calculate: { metric: 'used_percent', expr: '100 * used_ratio' } },
    ];
    expect(
      showAll(
        run(
          [
            [free, 1, 25],
            [total, 1, 100],
          ],
          list,
        ),
      ),
    ).toEqual(['used_ratio{instance="a"} 0.75@1', 'used_percent{instance="a"} 75@1']);
  });

  it('adds to a series that was sent, if it has the same name and labels', () => {
    const sent = node('used_ratio');
    const rows: Row[] = [
      [sent, 9, 0.5],
      [free, 1, 25],
      [total, 1, 100],
    ];
    const result = run(rows, [used, { ...used, name: 'again' }]);
    expect(result.outputs[0]?.batch.series).toEqual([sent, free, total]);
    expect(showAll(result).slice(rows.length)).toEqual(['used_ratio{instance="a"} 0.75@1', 'used_ratio{instance="a"} 0.75@1']);
  });

  it('keeps the start times of what was sent', () => {
    const input = {
      ...batch([
        [free, 1, 25],
        [total, 1, 100],
      ]),
      startTs: Float64Array.of(5, 6),
    };
    const [output] = runPipeline(compilePipeline('default', rules(used)), input).outputs;
    expect(Array.from(output?.batch.startTs ?? [])).toEqual([5, 6, Number.NaN]);
  });
});
