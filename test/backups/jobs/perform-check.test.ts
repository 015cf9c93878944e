import { describe, expect, it } from 'vitest';
import { DAY_MS } from '#core/time.ts';
import { createJobBench, damage, FILE, storeOf } from './job-bench.ts';

const inOneCheck = { ...FILE, repositories: { main: { at: 's3://acme-backups/main', readAllInChecks: 1 } } };

describe('a check job', () => {
  it('tells that a repository is sound', async () => {
    const bench = await createJobBench(inOneCheck);
    await bench.runToEnd('snapshot', 'shop');
    expect(await bench.runToEnd('check', 'main')).toMatchObject({ state: 'done', sentence: expect.stringContaining('are sound') });
    expect(await bench.events()).toContain('Check Completed');
  });

  it('finds one bit that is another in a pack, and tells of it', async () => {
    const bench = await createJobBench(inOneCheck);
    await bench.runToEnd('snapshot', 'shop');
    const pack = await damage(bench.places, 'packs/', 5_000);
    expect(await bench.runToEnd('check', 'main')).toMatchObject({ state: 'failed', sentence: expect.stringContaining(pack) });
    expect(await bench.events()).toContain('Check Failed');
    expect((await bench.stateOf('check', 'main'))?.last).toMatchObject({
      ok: false,
      result: { problemCount: 1, problems: [{ object: pack }] },
    });
  });

  it('finds a pack that is gone at once, and a damaged one once its part has come round', async () => {
    const days = 5;
    const bench = await createJobBench({ ...FILE, repositories: { main: { at: 's3://acme-backups/main', readAllInChecks: days } } });
    await bench.runToEnd('snapshot', 'shop');
    await damage(bench.places, 'packs/', 5_000);
    const states: string[] = [];
    for (let day = 0; day < days; day++) {
      states.push((await bench.runToEnd('check', 'main')).state);
      bench.clock.nowMs += DAY_MS;
    }
    expect(states).toContain('failed');
    const blobs = storeOf(bench.places);
    await blobs.delete((await blobs.list('packs/')).entries.map(({ key }) => key));
    expect(await bench.runToEnd('check', 'main')).toMatchObject({ state: 'failed' });
  });
});
