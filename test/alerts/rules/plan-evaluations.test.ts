import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planEvaluations } from '#alerts/rules/plan-evaluations.ts';

const plan = (lastMs: number | undefined, nowMs: number, maxCatchUp = 5) =>
  planEvaluations({ intervalMs: 60_000, lastMs, nowMs, maxCatchUp });

describe('the evaluations that are due', () => {
  it.each([
    ['a group that never was begins with the latest time', undefined, 125_000, [120_000], 0],
    ['none before the next multiple has come', 120_000, 179_999, [], 0],
    ['one when it has', 120_000, 180_000, [180_000], 0],
    ['all that were missed', 120_000, 305_000, [180_000, 240_000, 300_000], 0],
    ['the latest of too many', 0, 600_000, [360_000, 420_000, 480_000, 540_000, 600_000], 5],
    ['none when the clock goes back', 300_000, 100_000, [], 0],
    ['the next multiple after a time that is none', 130_000, 250_000, [180_000, 240_000], 0],
  ])('%s', (_, lastMs, nowMs, timesMs, skipped) => {
    expect(plan(lastMs, nowMs)).toEqual({ timesMs, skipped });
  });

  it('are the same however often one looks', () => {
    const times = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), times, (intervalMs, looks) => {
        const sorted = [...looks].sort((a, b) => a - b);
        const done: number[] = [];
        for (const nowMs of sorted) done.push(...planEvaluations({ intervalMs, lastMs: done.at(-1) ?? 0, nowMs, maxCatchUp: 1e6 }).timesMs);
        const once = planEvaluations({ intervalMs, lastMs: 0, nowMs: sorted.at(-1) as number, maxCatchUp: 1e6 });
        expect(done).toEqual(once.timesMs);
      }),
    );
  });
});
