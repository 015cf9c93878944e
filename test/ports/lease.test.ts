import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import { faultAt, faulty } from '#ports/faulty.ts';
import { withLease } from '#ports/lease.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

function start() {
  const table = createMemoryTable();
  const clock = { nowMs: Date.parse('2026-11-23T12:00:00Z') };
  let ids = 0;
  const deps = { table, now: () => clock.nowMs, newId: () => `id${ids++}` };
  return { table, clock, deps, run: (job: () => Promise<string>) => withLease(deps, 'work', MINUTE_MS, job) };
}

/** A holder that never ends, as one that was killed. */
const killed = () => new Promise<string>(() => {});

describe('withLease', () => {
  it('lets one at a time do the work, and the next once it is done', async () => {
    const { run } = start();
    const done = await run(async () => `outer, inner ${await run(async () => 'too')}`);
    expect([done, await run(async () => 'next')]).toEqual(['outer, inner undefined', 'next']);
  });

  it('is given back where the work fails', async () => {
    const { run } = start();
    await expect(run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await run(async () => 'next')).toBe('next');
  });

  it.each([
    ['runs out', MINUTE_MS - 1, undefined],
    ['has run out', MINUTE_MS, 'taken over'],
    ['was taken by a clock that has gone back by a day since', -DAY_MS, 'taken over'],
    ['was taken by a clock that is some seconds ahead', -20_000, undefined],
  ])('of a holder that was killed %s', async (_, laterMs, result) => {
    const { clock, run } = start();
    void run(killed);
    await new Promise((resolve) => setImmediate(resolve));
    clock.nowMs += laterMs;
    expect(await run(async () => 'taken over')).toBe(result);
  });

  it('knows a lease of its own whose answer got lost', async () => {
    const { deps } = start();
    const { ports } = faulty({ table: deps.table }, faultAt(1, 'fail-after'));
    expect(await withLease({ ...deps, ...ports }, 'work', MINUTE_MS, async () => 'done')).toBe('done');
  });
});
