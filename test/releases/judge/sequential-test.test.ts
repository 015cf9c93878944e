import { describe, expect, it } from 'vitest';
import { alignArms } from '#releases/judge/align.ts';
import { contrastArms } from '#releases/judge/contrast.ts';
import { longRunVariance } from '#releases/judge/long-run-variance.ts';
import { type TestPlan, testMetric, untested } from '#releases/judge/sequential-test.ts';
import { correlated, seeded } from './seeded.ts';

const base: TestPlan = {
  comparison: { kind: 'mean' },
  layout: 'concurrent',
  missing: 'drop',
  goal: 'deterioration',
  direction: 'either',
  margin: { relative: 0, absolute: 0 },
  alpha: 0.05,
  passAlpha: 0.05,
  minSamples: 12,
  minCoverage: 0.5,
  consecutiveErrorLimit: 4,
  looks: { kind: 'planned', looks: 12, samples: 144, spending: 'power' },
};

/** All looks over the growing beginning of two arms; the outcome that ended it, or the last. */
function watch(plan: TestPlan, canary: Float64Array, baseline: Float64Array, looks = 12) {
  let state = untested;
  for (let look = 1; ; look++) {
    const until = (series: Float64Array) => ({ values: series.subarray(0, Math.floor((series.length * look) / looks)) });
    const outcome = testMetric(plan, { canary: until(canary), baselines: [until(baseline)] }, state, look);
    state = outcome.state;
    if (outcome.verdict !== 'continue' || look === looks) return { ...outcome, look };
  }
}

function rateOf(runs: number, once: (random: () => number) => boolean): number {
  const random = seeded(42);
  let count = 0;
  for (let run = 0; run < runs; run++) if (once(random)) count++;
  return count / runs;
}

describe('the long-run variance', () => {
  it.each([0, 0.5, 0.8])('is found without being told that rho is %d', (rho) => {
    const random = seeded(7);
    const truth = (1 + rho) / (1 - rho);
    const all = Array.from({ length: 40 }, () => longRunVariance(correlated(random, 1_440, rho))?.variance as number);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    expect(mean / truth).toBeGreaterThan(0.9);
    expect(mean / truth).toBeLessThan(1.25);
  });

  it('is not told of too few samples', () => {
    expect(longRunVariance(new Float64Array(11))).toBeUndefined();
  });
});

describe('false alarms', () => {
  it.each([
    ['independent data', { rho: 0, plan: base }],
    ['data of rho .8', { rho: 0.8, plan: base }],
    ['ranks of data of rho .5', { rho: 0.5, plan: { ...base, comparison: { kind: 'mann-whitney' } } as TestPlan }],
    ['a quantile', { rho: 0.3, plan: { ...base, comparison: { kind: 'quantile', quantile: 0.9 } } as TestPlan }],
    ['looks without a plan', { rho: 0.5, plan: { ...base, looks: { kind: 'anytime', tunedFor: 144, mostSamples: 9_999 } } as TestPlan }],
  ])('are bounded over twelve looks: %s', (_, { rho, plan }) => {
    const rate = rateOf(400, (random) => watch(plan, correlated(random, 144, rho), correlated(random, 144, rho)).verdict === 'fail');
    expect(rate).toBeLessThan(0.085);
  });
});

describe('a worse canary', () => {
  it.each([
    ['mean', base],
    ['mann-whitney', { ...base, comparison: { kind: 'mann-whitney' } } as TestPlan],
    ['quantile', { ...base, comparison: { kind: 'quantile', quantile: 0.5 } } as TestPlan],
    ['without planned looks', { ...base, looks: { kind: 'anytime', tunedFor: 144, mostSamples: 9_999 } } as TestPlan],
  ])('is found: %s', (_, plan) => {
    const rate = rateOf(60, (random) => watch(plan, correlated(random, 144, 0, 1), correlated(random, 144)).verdict === 'fail');
    expect(rate).toBeGreaterThan(0.9);
  });

  it.each([
    ['increase', 1, 'fail'],
    ['increase', -1, 'pass'],
    ['decrease', -1, 'fail'],
    ['decrease', 1, 'pass'],
    ['either', -1, 'fail'],
  ] as const)('is one that goes the wrong way: %s, moved by %d', (direction, mean, verdict) => {
    const random = seeded(3);
    const canary = correlated(random, 144, 0, mean);
    expect(watch({ ...base, direction }, canary, correlated(random, 144)).verdict).toBe(verdict);
  });

  it('is told by its ratio, in which steps without traffic weigh nothing', () => {
    const arm = (errors: number) => ({ values: Float64Array.from({ length: 48 }, (_, i) => (i % 2 ? errors + (i % 3) : 0)) });
    const totals = Float64Array.from({ length: 48 }, (_, i) => (i % 2 ? 100 : 0));
    const contrast = contrastArms({
      comparison: { kind: 'ratio' },
      layout: 'concurrent',
      canary: { ...arm(5), totals },
      baselines: [{ ...arm(1), totals }],
    });
    expect(contrast?.estimate).toBeCloseTo(0.04, 12);
    expect(contrast?.baseline).toBeCloseTo(0.02, 12);
  });

  it('fails in time though neither arm varies at all, and stays failed', () => {
    const outcome = watch(base, new Float64Array(144).fill(1), new Float64Array(144));
    expect(outcome.verdict).toBe('fail');
    const later = testMetric(base, { canary: { values: new Float64Array() }, baselines: [] }, outcome.state, outcome.look + 1);
    expect(later.verdict).toBe('fail');
  });

  it('is no canary that equals its baseline', () => {
    expect(watch(base, new Float64Array(144).fill(3), new Float64Array(144).fill(3))).toMatchObject({ verdict: 'pass', statistic: 0 });
  });
});

describe('a goal', () => {
  const margin = { relative: 0.1, absolute: 0 };
  const ends = (plan: Partial<TestPlan>, mean: number) => {
    const random = seeded(11);
    const canary = correlated(random, 144, 0, 10 + mean);
    return watch({ ...base, direction: 'increase', ...plan }, canary, correlated(random, 144, 0, 10));
  };

  it('of non-inferiority passes before the last look, fails past the margin, and cannot tell at it', () => {
    expect(ends({ goal: 'non-inferiority', margin }, 0)).toMatchObject({ verdict: 'pass', reason: 'within margin', isLast: false });
    expect(ends({ goal: 'non-inferiority', margin }, 2)).toMatchObject({ verdict: 'fail', reason: 'boundary crossed' });
    expect(ends({ goal: 'non-inferiority', margin }, 1)).toMatchObject({ verdict: 'inconclusive', reason: 'not shown' });
    expect(ends({ goal: 'non-inferiority', margin, direction: 'either' }, 0)).toMatchObject({ verdict: 'pass' });
  });

  it('of superiority takes an improvement', () => {
    expect(ends({ goal: 'superiority' }, -1)).toMatchObject({ verdict: 'pass', reason: 'better' });
    expect(ends({ goal: 'superiority' }, 0)).toMatchObject({ verdict: 'inconclusive', reason: 'not shown' });
  });

  it('of no deterioration bears a margin', () => {
    expect(ends({ goal: 'deterioration', margin: { relative: 0, absolute: 2 } }, 1)).toMatchObject({
      verdict: 'pass',
      reason: 'no sign of harm',
    });
  });
});

describe('data that is not there', () => {
  const some = (length: number) => correlated(seeded(5), length);
  const judge = (canary: Float64Array, baseline: Float64Array, look: number, state = untested) =>
    testMetric(base, { canary: { values: canary }, baselines: [{ values: baseline }] }, state, look);

  it.each([
    ['neither arm', [], [], 'both'],
    ['no canary', new Array(24).fill(Number.NaN), some(24), 'canary'],
    ['no baseline', some(24), new Array(24).fill(Number.NaN), 'baseline'],
    ['no step in common', [1, Number.NaN], [Number.NaN, 1], 'both'],
  ])('is told and never passes: %s', (_, canary, baseline, lacking) => {
    const arms = [Float64Array.from(canary), Float64Array.from(baseline)] as const;
    expect(judge(...arms, 1)).toMatchObject({ verdict: 'continue', reason: 'no data', lacking });
    expect(judge(...arms, 12)).toMatchObject({ verdict: 'inconclusive', reason: 'no data' });
  });

  it('is too little below the least number of samples, and for a pass below the share of those planned', () => {
    expect(judge(some(11), some(11), 2)).toMatchObject({ verdict: 'continue', reason: 'too little data' });
    expect(judge(some(11), some(11), 12)).toMatchObject({ verdict: 'inconclusive', reason: 'too little data' });
    expect(judge(correlated(seeded(5), 60), correlated(seeded(6), 60), 12)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'too little data',
    });
  });

  it('ends the test when it stays away in the middle, and not when it comes back in time', () => {
    let state = judge(some(48), correlated(seeded(6), 48), 1).state;
    const verdicts = [2, 3, 4, 5, 6].map((look) => {
      const outcome = judge(some(48), correlated(seeded(6), 48), look, state);
      state = outcome.state;
      return outcome.verdict;
    });
    expect(verdicts).toEqual(['continue', 'continue', 'continue', 'continue', 'inconclusive']);
    expect(judge(some(60), correlated(seeded(6), 60), 7, state).verdict).toBe('continue');
  });

  it('is left out or 0 step by step, but a canary without any value is not made of zeros', () => {
    const arm = (...values: number[]) => ({ values: Float64Array.from(values) });
    const align = (missing: 'drop' | 'zero', canary: number[], baseline: number[]) =>
      alignArms({ layout: 'concurrent', missing, canary: arm(...canary), baselines: [arm(...baseline)] });
    const dropped = align('drop', [1, Number.NaN, 3, Number.POSITIVE_INFINITY], [1, 2, 3, 4]);
    expect([...dropped.canary.values]).toEqual([1, 3]);
    expect(dropped.dropped).toBe(2);
    expect([...align('zero', [1, Number.NaN], [Number.NaN, Number.NaN]).canary.values]).toEqual([1, 0]);
    expect(align('zero', [Number.NaN, Number.NaN], [1, 2]).lacking).toBe('canary');
  });
});

describe('other baselines', () => {
  it('of another time allow for drift, which no step by step comparison has', () => {
    const drift = (from: number) => ({ values: Float64Array.from({ length: 48 }, (_, i) => (from + i) / 10 + Math.sin(i)) });
    const apart = contrastArms({ comparison: { kind: 'mean' }, layout: 'apart', canary: drift(48), baselines: [drift(0)] });
    const z = (apart?.estimate ?? 0) / (apart?.standardError ?? 1);
    expect(z).toBeLessThan(5);
    expect(apart?.dof).toBeLessThanOrEqual(6);
  });

  it('of weeks are at least as uncertain as weeks differ', () => {
    const random = seeded(9);
    const weeks = [0, 2, -2, 1].map((level) => ({ values: correlated(random, 96, 0, level) }));
    const contrast = contrastArms({
      comparison: { kind: 'mean' },
      layout: 'weeks',
      canary: { values: correlated(random, 96, 0, 1) },
      baselines: weeks,
    });
    expect(contrast?.standardError).toBeGreaterThan(1);
    expect(contrast?.dof).toBe(3);
  });
});
