import { describe, expect, it } from 'vitest';
import { PipelineRule } from '#ingest/pipeline/rule.ts';
import { readDroppedRanges, runAggregation } from '#ingest/run-aggregation.ts';
import { createSampleStore } from '#storage/append.ts';
import { compact } from '#storage/compact.ts';
import { createSampleSource } from '#storage/sample-source.ts';
import { batchOf, memoryStorage, noLimits, type TestStorage, wholeMetric } from '#test/storage/store.ts';

const START = Date.parse('2026-11-23T10:00:00Z');
const MINUTE = 60_000;
const rules = [
  PipelineRule.parse({
    name: 'by job',
    match: 'used',
    aggregate: { op: 'sum', by: ['job'], interval: '1m', delay: '1m', metric: 'job:used', drop: true },
  }),
];

/** Storage that drops what the rules replaced, with two instances' samples a minute from `fromMinute` on. */
async function filled(fromMinute: number, toMinute: number): Promise<TestStorage> {
  const base = memoryStorage({ nowMs: START });
  const deps = { ...base, droppedRanges: () => readDroppedRanges(base.table, 't', rules, base.now()) };
  for (let minute = fromMinute; minute < toMinute; minute++) {
    const rows = [1, 2].map((i) => ({ series: `used,job=a,instance=${i}`, ts: START + minute * MINUTE + 30_000, value: i * 10 }));
    await createSampleStore(deps).append({ tenant: 't', id: String(minute + 100).padStart(32, '0'), batch: batchOf(rows) });
  }
  return deps;
}

function pass(deps: TestStorage, atMinute: number) {
  deps.setNow(START + atMinute * MINUTE);
  const store = createSampleStore(deps);
  return runAggregation(
    { source: createSampleSource(deps), store, table: deps.table, now: deps.now, rules: () => rules, limits: () => noLimits },
    ['t'],
  );
}

async function values(deps: TestStorage, metric: string): Promise<number[][]> {
  const result = await createSampleSource(deps).select(wholeMetric('t', metric, START - 86_400_000, START + 86_400_000));
  return result.tier === 'hot' ? result.series.map(({ samples }) => [...samples.value]) : [];
}

describe('the aggregation pass', () => {
  it('adds up each interval once its delay is over, and goes on from there', async () => {
    const deps = await filled(0, 6);
    expect(await pass(deps, 3)).toMatchObject([{ rule: 'by job', inputs: 2, samples: 1 }]);
    expect(await pass(deps, 3)).toEqual([]);
    expect(await pass(deps, 5)).toMatchObject([{ samples: 2 }]);
    expect(await values(deps, 'job:used')).toEqual([[30, 30, 30]]);
  });

  it('stores a pass once that was cut off before it was noted', async () => {
    const deps = await filled(0, 6);
    await pass(deps, 3);
    await deps.table.delete({ pk: 'aggregation/t', sk: 'by job' });
    await pass(deps, 3);
    expect(await values(deps, 'job:used')).toEqual([[30]]);
  });

  it('drops at compaction just what it replaced, and never what came before its first pass', async () => {
    const deps = await filled(-5, 6);
    await pass(deps, 3);
    await pass(deps, 5);
    await compact(deps, { force: true });
    expect((await values(deps, 'used')).map((list) => list.length)).toEqual([8, 8]);
    expect(await values(deps, 'job:used')).toEqual([[30, 30, 30]]);
  });
});
