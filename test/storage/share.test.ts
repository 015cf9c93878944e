import { expect, it } from 'vitest';
import type { SampleBatch } from '#model/samples.ts';
import { seriesFromLabels } from '#model/series.ts';
import { createSampleStore } from '#storage/append.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { selectSeries } from '#storage/select.ts';
import { memoryStorage, type TestStorage, wholeMetric } from './store.ts';

const DAY_MS = 86_400_000;
const DAY = Date.parse('2026-11-22T00:00:00Z');
const SCRAPES = DAY_MS / 15_000;

/** A day of one metric of so many services, one series each, compacted and downsampled. */
async function storeDay(services: number): Promise<TestStorage> {
  const deps = memoryStorage();
  const count = services * SCRAPES;
  const series = Array.from({ length: services }, (_, i) =>
    seriesFromLabels([
      { name: '__name__', value: 'up' },
      { name: 'job', value: `service-${i}` },
    ]),
  );
  const batch: SampleBatch = {
    series,
    seriesIndex: Uint32Array.from({ length: count }, (_, i) => Math.floor(i / SCRAPES)),
    ts: Float64Array.from({ length: count }, (_, i) => DAY + (i % SCRAPES) * 15_000),
    value: Float64Array.from({ length: count }, (_, i) => Math.round(Math.sin(i * 7_919) * 1e4) / 100),
    flags: new Uint8Array(count),
  };
  await createSampleStore(deps).append({ tenant: 't', id: '0'.repeat(32), batch });
  await compact(deps);
  await downsample(deps);
  return deps;
}

async function readOne(deps: TestStorage, aggregates: boolean) {
  const whole = wholeMetric('t', 'up', DAY, DAY + DAY_MS - 1);
  const matchers = [...whole.matchers, { name: 'job', op: '=' as const, value: 'service-3' }];
  const long = { startMs: DAY - 3 * DAY_MS, rangeMs: 4 * 3_600_000, stepMs: 3_600_000, func: 'rate' };
  const { tier, series, read } = await selectSeries(deps, { ...whole, matchers, ...(aggregates && long) });
  return { tier, found: series.map((one) => one.series.json), read };
}

it('a query for one service reads as much whether there are few other services or many', async () => {
  const few = await storeDay(45);
  const many = await storeDay(135);
  const [fromFew, fromMany] = [await readOne(few, false), await readOne(many, false)];
  expect(fromMany.found).toEqual(['{"job":"service-3"}']);
  expect(fromMany.read.bytes).toBeLessThan(1.5 * fromFew.read.bytes);
  expect(fromMany.read.requests).toBe(fromFew.read.requests);
  const coldOfMany = await readOne(many, true);
  expect(coldOfMany).toMatchObject({ tier: 'cold', found: ['{"job":"service-3"}'] });
});
