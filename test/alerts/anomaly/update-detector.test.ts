import { describe, expect, it } from 'vitest';
import { detectorParameters } from '#alerts/anomaly/parameters.ts';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { type AlertOptions, alertScore, updateDetector, type Verdict } from '#alerts/anomaly/update-detector.ts';
import { detectAll } from './detect.ts';
import { makeNoise, seededRandom } from './made-series.ts';

const STEP_MS = 300_000;
const PER_DAY = 288;
const isAlert = ({ score }: Verdict) => score >= alertScore;
const alertsIn = (verdicts: readonly Verdict[], from: number, to = verdicts.length) => verdicts.slice(from, to).filter(isAlert);
const codes = (verdict: Verdict | undefined) => verdict?.reasons.map(({ code }) => code) ?? [];

const noisy = (length: number, of: (i: number, noise: number) => number, seed = 1) =>
  makeNoise(seed, length).map((noise, i) => of(i, noise));
const daily = (i: number) => 50 + 20 * Math.sin((2 * Math.PI * i) / PER_DAY);
/** Busy by day from Monday to Friday; the epoch was a Thursday. */
const working = (i: number) => {
  const weekday = (Math.floor(i / PER_DAY) + 3) % 7;
  return weekday < 5 && i % PER_DAY >= 96 && i % PER_DAY < 216 ? 100 : 20;
};

describe('what the detector finds', () => {
  const flatAfter = (at: number, length: number) => {
    const values = noisy(length, (_, noise) => 50 + noise);
    return values.fill(values[at], at);
  };
  const cases: [string, number[], number, number, string][] = [
    [
      'a value beyond all before is a new extreme',
      noisy(1500, (i, noise) => 50 + noise + (i === 1200 ? 12 : 0)),
      1200,
      1200,
      'new-extreme',
    ],
    ['one far below, too', noisy(1500, (i, noise) => 50 + noise - (i === 1200 ? 12 : 0)), 1200, 1200, 'new-extreme'],
    [
      'a jump on a smooth curve is a spike, though it stays within what was seen',
      noisy(3000, (i, noise) => 50 + 40 * Math.sin(i / 60) + 0.2 * noise + (i === 2450 ? 8 : 0)),
      2450,
      2450,
      'spike',
    ],
    [
      'a lasting move within the range is a level shift',
      noisy(2000, (i, noise) => 50 + noise + (i >= 1500 ? 1.5 : 0)),
      1500,
      1548,
      'level-shift',
    ],
    [
      'a quiet noon in a daily pattern is seasonal, though as low as each night',
      noisy(14 * PER_DAY, (i, noise) => (i >= 3744 && i < 3780 ? 35 : daily(i)) + noise),
      3744,
      3756,
      'seasonal',
    ],
    [
      'a working day that is like a Sunday is seasonal by the day of the week',
      noisy(35 * PER_DAY, (i, noise) => (Math.floor(i / PER_DAY) === 32 ? 20 : working(i)) + noise),
      32 * PER_DAY + 96,
      32 * PER_DAY + 120,
      'seasonal',
    ],
    ['a series that always moves and stops moving is a flat line', flatAfter(1500, 1600), 1523, 1526, 'flat-line'],
    [
      'a series that moves more than before has another distribution',
      noisy(1600, (i, noise) => (i === 0 ? 0 : i % 2) + (i >= 1500 ? 3 : 1) * 0.3 * Math.max(-2, Math.min(2, noise))),
      1500,
      1548,
      'distribution-change',
    ],
    ['a constant that moves for the first time', Array.from({ length: 300 }, (_, i) => (i === 250 ? 1 : 0)), 250, 250, 'new-extreme'],
  ];
  for (const [name, values, from, to, code] of cases) {
    it(name, () => {
      const verdicts = detectAll(values);
      const found = verdicts
        .slice(from, to + 1)
        .find((verdict) => verdict.rawScore >= alertScore && codes(verdict).includes(code as never));
      expect(codes(found)).toContain(code);
      expect(alertsIn(verdicts, from - 90, to + 1).length).toBeGreaterThan(0);
    });
  }

  it('tells each reason in words with the figures that made it', () => {
    const [verdict] = alertsIn(detectAll(noisy(1500, (i, noise) => 50 + noise + (i === 1200 ? 12 : 0))), 1200);
    expect(verdict.reasons[0].text).toMatch(/^6\d\.\d+ is above all that is remembered \(4\d\.\d+ to 5\d\.\d+\)$/);
    expect(verdict.high).toBeLessThan(60);
    expect(verdict.low).toBeGreaterThan(40);
  });
});

describe('what the detector leaves alone', () => {
  const quiet: [string, number[]][] = [
    ['a constant', new Array(2000).fill(42.1)],
    ['a ramp, as a counter is', Array.from({ length: 3000 }, (_, i) => 17 * i)],
    ['an exact daily pattern', Array.from({ length: 20 * PER_DAY }, (_, i) => daily(i))],
    ['a square wave', Array.from({ length: 3000 }, (_, i) => (i % 100 < 50 ? 20 : 80))],
    ['a counter of few values that often stays', Array.from({ length: 3000 }, (_, i) => Math.floor(i / 10) % 3)],
  ];
  for (const [name, values] of quiet) it(name, () => expect(alertsIn(detectAll(values), 0)).toEqual([]));

  const noises: [string, (i: number, noise: number) => number][] = [
    ['noise', (_, noise) => noise],
    ['a ramp with jitter', (i, noise) => 100 * i + 20 * noise],
    ['a daily pattern with noise', (i, noise) => daily(i) + noise],
  ];
  for (const [name, of] of noises) {
    it(`all but one of 500 samples of ${name}`, () => {
      const counts = [1, 2, 3].map((seed) => alertsIn(detectAll(noisy(10_000, of, seed)), 0).length);
      expect(counts.reduce((a, b) => a + b) / 30_000).toBeLessThan(1 / 500);
    });
  }

  it('a new level, once it has been told', () => {
    const verdicts = detectAll(noisy(6000, (i, noise) => (i < 2000 ? 50 : 80) + noise));
    expect(alertsIn(verdicts, 2000, 2010).length).toBe(1);
    expect(alertsIn(verdicts, 2010, 2200)).toEqual([]);
    expect(alertsIn(verdicts, 3000).length).toBeLessThan(6);
    const { low, high } = verdicts[5999];
    expect(low).toBeLessThan(80);
    expect(high).toBeGreaterThan(80);
  });

  it('what follows an alert within 100 samples, but for what stands out three times as much', () => {
    const values = noisy(1500, (i, noise) => 50 + noise + (i === 1200 || i === 1230 ? 6 : 0) + (i === 1260 ? 200 : 0), 3);
    const verdicts = detectAll(values);
    expect(isAlert(verdicts[1200])).toBe(true);
    expect(alertsIn(verdicts, 1201, 1260)).toEqual([]);
    expect(isAlert(verdicts[1260])).toBe(true);
    expect(verdicts[1260].rawScore).toBe(verdicts[1260].score);
  });

  it('the first hundred samples, whatever they are', () => {
    const random = seededRandom(5);
    expect(alertsIn(detectAll(Array.from({ length: 100 }, () => 10 ** (10 * random()))), 0)).toEqual([]);
  });
});

describe('samples that are odd', () => {
  const learned = (length = 500) => {
    const state = createDetectorState();
    makeNoise(1, length).forEach((noise, i) => {
      updateDetector(state, i * STEP_MS, 50 + noise);
    });
    return state;
  };

  it('one that comes twice, or late, is left out', () => {
    const state = learned();
    const before = structuredClone(state);
    for (const i of [499, 400]) expect(updateDetector(state, i * STEP_MS, 1e6)).toMatchObject({ score: 0, reasons: [] });
    expect(state).toEqual(before);
  });

  it('after a clock was set back by more than a day they count again', () => {
    const state = createDetectorState();
    updateDetector(state, 10 * 86_400_000, 1);
    updateDetector(state, 86_400_000, 2);
    expect(state).toMatchObject({ lastMs: 86_400_000, recent: { count: 2 } });
  });

  it('NaN is a missing sample: nothing at first, then missing data, and nothing is learned of it', () => {
    const state = learned();
    const before = structuredClone(state);
    expect(updateDetector(state, 500 * STEP_MS, Number.NaN)).toMatchObject({ score: 0, reasons: [] });
    const late = updateDetector(state, 506 * STEP_MS, Number.NaN);
    expect(isAlert(late)).toBe(true);
    expect(late.reasons).toEqual([{ code: 'missing-data', text: 'no sample since one was due at 1970-01-02T17:40:00.000Z' }]);
    expect(state).toEqual(before);
  });

  it('infinities are extremes, are not learned, and do not blind for what follows', () => {
    const state = learned();
    const verdict = updateDetector(state, 500 * STEP_MS, Number.POSITIVE_INFINITY);
    expect(isAlert(verdict)).toBe(true);
    expect(verdict.reasons[0]).toMatchObject({ code: 'new-extreme', text: expect.stringMatching(/^it is \+Inf /) });
    makeNoise(2, 100).forEach((noise, i) => {
      expect(updateDetector(state, (501 + i) * STEP_MS, 50 + noise / 2).reasons).toEqual([]);
    });
    expect(isAlert(updateDetector(state, 601 * STEP_MS, 60))).toBe(true);
    expect(updateDetector(createDetectorState(), 0, Number.NEGATIVE_INFINITY)).toMatchObject({ score: 0, reasons: [] });
  });

  it('a single absurd value does not blind either', () => {
    const state = learned();
    expect(isAlert(updateDetector(state, 500 * STEP_MS, 1e300))).toBe(true);
    for (let i = 501; i < 700; i++) updateDetector(state, i * STEP_MS, 50 + (i % 3));
    expect(isAlert(updateDetector(state, 700 * STEP_MS, 500))).toBe(true);
  });
});

describe('what counts as an alert', () => {
  /** What is said of a small record and of a larger one soon after it. */
  const twoRecords = (alert: AlertOptions) => {
    const state = createDetectorState();
    const noise = makeNoise(5, 1000);
    for (const [i, value] of noise.entries()) updateDetector(state, i * STEP_MS, value, detectorParameters, alert);
    state.sinceAlert = Number.POSITIVE_INFINITY; // whatever alert of the noise is long ago
    const judge = (i: number, share: number) => {
      const { low, high } = state.ranges.value;
      return updateDetector(state, i * STEP_MS, high + share * (high - low), detectorParameters, alert);
    };
    return [judge(1000, 0.04), judge(1001, 0), judge(1002, 0.095)] as const;
  };

  it('is every new record by default, which mutes a larger one unless that is three times as large', () => {
    const [small, , large] = twoRecords({});
    expect([small.rawScore > alertScore, small.rawScore < 0.9, large.rawScore > 0.9]).toEqual([true, true, true]);
    expect([small.score, large.score]).toEqual([small.rawScore, 0]);
  });

  it('is only what reaches the score that is told, and what does not mutes nothing', () => {
    const [small, , large] = twoRecords({ score: 0.9 });
    expect([small.score < 0.9, large.score]).toEqual([true, large.rawScore]);
  });

  it('is only what has one of the reasons that are told', () => {
    const [, , large] = twoRecords({ reasons: new Set(['flat-line']) });
    expect([large.rawScore, large.reasons]).toEqual([0, []]);
  });
});
