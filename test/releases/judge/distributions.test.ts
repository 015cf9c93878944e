import { describe, expect, it } from 'vitest';
import { normalQuantile, normalTail } from '#releases/judge/normal.ts';
import { logGamma, studentEquivalent, studentTail } from '#releases/judge/student.ts';

describe('the normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.158_655_253_931_457_05],
    [1.959_963_984_540_054, 0.025],
    [2.5, 0.006_209_665_325_776_132],
    [5, 2.866_515_718_791_939e-7],
    [10, 7.619_853_024_160_525e-24],
    [30, 4.906_713_927_148_2e-198],
  ])('exceeds %d with the published chance', (z, tail) => {
    expect(Math.abs(normalTail(z) / tail - 1)).toBeLessThan(1e-10);
    expect(normalTail(-z)).toBeCloseTo(1 - tail, 14);
    expect(Math.abs(normalQuantile(tail) - z)).toBeLessThan(1e-9);
  });
});

describe("Student's distribution", () => {
  it.each([
    [12.706_204_736, 1, 0.025],
    [2.228_138_852, 10, 0.025],
    [3.169_272_673, 10, 0.005],
    [1.983_971_519, 100, 0.025],
    [4.143_700_494, 10, 0.001],
  ])('exceeds %d at %d degrees of freedom as tables say', (t, dof, tail) => {
    expect(Math.abs(studentTail(t, dof) / tail - 1)).toBeLessThan(1e-7);
  });

  it('knows ln gamma', () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 11);
  });

  it.each([
    [1.959_963_984_540_054, 1],
    [1.959_963_984_540_054, 5.5],
    [4.5, 30],
    [6, 200],
  ])('turns the normal quantile %d into one of t at %d degrees of freedom', (z, dof) => {
    const t = studentEquivalent(z, dof);
    expect(t).toBeGreaterThan(z);
    expect(Math.abs(studentTail(t, dof) / normalTail(z) - 1)).toBeLessThan(1e-7);
  });

  it('has no t for a chance that is none', () => {
    expect(studentEquivalent(Number.POSITIVE_INFINITY, 5)).toBe(Number.POSITIVE_INFINITY);
    expect(studentEquivalent(30, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});
