import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBoundary, type Spending, spentAlpha, type TakenLook } from '#releases/judge/boundary.ts';
import { anytimeBoundary } from '#releases/judge/confidence-sequence.ts';
import { type LookState, noLooks, takePlannedLook } from '#releases/judge/planned-looks.ts';

function boundariesOf(times: readonly number[], spending: Spending, alpha: number): readonly number[] {
  const taken: TakenLook[] = [];
  times.forEach((information, i) => {
    const spend = spentAlpha(spending, alpha, information) - spentAlpha(spending, alpha, times[i - 1] ?? 0);
    taken.push({ information, boundary: nextBoundary({ taken, information, spend }) });
  });
  return taken.map(({ boundary }) => boundary);
}

const fifths = [0.2, 0.4, 0.6, 0.8, 1];

describe('a boundary', () => {
  it.each([
    ['obrien-fleming', [4.8769, 3.3569, 2.6803, 2.2898, 2.031]],
    ['pocock', [2.438, 2.4268, 2.4101, 2.3966, 2.3859]],
  ] as const)('is that of Lan and DeMets for five looks and %s spending, as the package ldbounds prints it', (spending, published) => {
    boundariesOf(fifths, spending, 0.025).forEach((z, i) => {
      expect(Math.abs(z - (published[i] as number))).toBeLessThan(2e-4);
    });
  });

  it('is the fixed-sample quantile where there is one look', () => {
    expect(boundariesOf([1], 'power', 0.025)[0]).toBeCloseTo(1.959_964, 5);
  });

  it('reproduces the constants of Pocock for equal boundaries: 2.413 for five looks', () => {
    const crossing = (z: number, looks: number) => {
      let low = 0;
      let high = 0.05;
      for (let round = 0; round < 40; round++) {
        const spend = (low + high) / 2;
        const taken = fifths.slice(0, looks - 1).map((information) => ({ information, boundary: z }));
        if (nextBoundary({ taken, information: fifths[looks - 1] as number, spend }) > z) low = spend;
        else high = spend;
      }
      return low;
    };
    const total = [1, 2, 3, 4, 5].reduce((sum, looks) => sum + crossing(2.413, looks), 0);
    expect(2 * total).toBeCloseTo(0.05, 4);
  });
});

function run(informations: readonly number[], alpha = 0.025) {
  let state: LookState = noLooks;
  return informations.map((information) => {
    const look = takePlannedLook({ alpha, spending: 'power' }, state, information);
    state = JSON.parse(JSON.stringify(look.state)) as LookState;
    return look;
  });
}

describe('planned looks', () => {
  it('spend all of alpha by the end, and nothing for a look without new information', () => {
    const looks = run([0.25, 0.25, 0.5, 0.4, 1, 1]);
    expect(looks.map(({ boundary }) => Number.isFinite(boundary))).toEqual([true, false, true, false, true, false]);
    expect(looks.at(-1)?.alphaSpent).toBeCloseTo(0.025, 12);
  });

  it('keep a state that stays small over a thousand looks, and boundaries that stay finite and fall', () => {
    const looks = run(Array.from({ length: 1_000 }, (_, i) => (i + 1) / 1_000));
    expect(JSON.stringify(looks.at(-1)?.state).length).toBeLessThan(1_000);
    const last = looks.findLast(({ boundary }) => Number.isFinite(boundary))?.boundary as number;
    expect(last).toBeGreaterThan(1.96);
    expect(last).toBeLessThan(2.8);
  });

  it('never spend more than alpha, however the looks fall', () => {
    void fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1.2, noNaN: true }), { minLength: 1, maxLength: 12 }), (informations) => {
        const looks = run(informations);
        expect(looks.at(-1)?.alphaSpent).toBeLessThanOrEqual(0.025 + 1e-12);
        for (const { boundary } of looks) expect(boundary).toBeGreaterThan(1.9);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a confidence sequence', () => {
  it('is sharpest, beside its own best at that number, where it is tuned for', () => {
    const at = (tunedFor: number) => anytimeBoundary(1_000, tunedFor, 0.025);
    expect(at(1_000)).toBeLessThan(at(250));
    expect(at(1_000)).toBeLessThan(at(4_000));
    expect(at(1_000)).toBeGreaterThan(2.4);
    expect(at(1_000)).toBeLessThan(3.4);
  });
});
