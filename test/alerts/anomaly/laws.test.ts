import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { decodeDetectorState, encodeDetectorState } from '#alerts/anomaly/state-codec.ts';
import { alertScore, updateDetector, type Verdict } from '#alerts/anomaly/update-detector.ts';
import { makeNoise } from './made-series.ts';

/** Any numbers, any steps of time, backwards too. */
const wild = fc.array(fc.tuple(fc.double(), fc.integer({ min: -1e6, max: 1e9 })), { maxLength: 400 });
/** Series such as there are: levels, noise, spikes and pauses over some days. */
const usual = fc
  .record({
    kind: fc.constantFrom('noise', 'daily', 'steps', 'still'),
    stepMs: fc.constantFrom(15_000, 300_000, 3_600_000),
    values: fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 200, maxLength: 700 }),
  })
  .map(({ kind, stepMs, values }) =>
    values.map((value, i): [number, number] => {
      if (kind === 'daily') return [10_000 * Math.sin((2 * Math.PI * i * stepMs) / 86_400_000) + value, stepMs];
      if (kind === 'steps') return [Math.floor(i / 50) * 100 + (value % 10), stepMs];
      return [kind === 'still' ? Math.sign(Math.trunc(value / 990)) : value, stepMs];
    }),
  );

function run(samples: readonly (readonly [number, number])[], state = createDetectorState(), fromMs = 0): Verdict[] {
  let tsMs = fromMs;
  return samples.map(([value, stepMs]) => {
    tsMs += stepMs;
    return updateDetector(state, tsMs, value);
  });
}

describe('for any samples', () => {
  it('scores are numbers from 0 to 1, and a score is muted or raw', () => {
    fc.assert(
      fc.property(fc.oneof(wild, usual), (samples) => {
        for (const { score, rawScore } of run(samples)) {
          expect(rawScore >= 0 && rawScore <= 1).toBe(true);
          expect(score === rawScore || score === 0).toBe(true);
        }
      }),
    );
  });

  it('a reason is given where the raw score is an alert, and only there', () => {
    fc.assert(
      fc.property(fc.oneof(wild, usual), (samples) => {
        for (const { rawScore, reasons } of run(samples)) {
          expect(reasons.length > 0).toBe(rawScore >= alertScore);
          for (const { text } of reasons) expect(text).not.toMatch(/undefined|Infinity/);
        }
      }),
    );
  });

  it('a band has its ends in order, and a value outside of it is an alert', () => {
    fc.assert(
      fc.property(fc.oneof(wild, usual), (samples) => {
        const verdicts = run(samples);
        for (let i = 0; i < samples.length; i++) {
          const { low, high, rawScore } = verdicts[i];
          expect(low > high).toBe(false);
          if (samples[i][0] < low || samples[i][0] > high) expect(rawScore).toBeGreaterThanOrEqual(alertScore - 1e-6);
        }
      }),
    );
  });

  it('what follows changes no verdict, and packing the state between any two samples changes none', () => {
    fc.assert(
      fc.property(fc.oneof(wild, usual), fc.nat(), (samples, at) => {
        const cut = samples.length === 0 ? 0 : at % samples.length;
        const state = createDetectorState();
        const prefix = run(samples.slice(0, cut), state);
        const bytes = encodeDetectorState(state);
        const cutMs = samples.slice(0, cut).reduce((sum, [, stepMs]) => sum + stepMs, 0);
        const rest = run(samples.slice(cut), decodeDetectorState(bytes), cutMs);
        expect([...prefix, ...rest]).toEqual(run(samples));
      }),
    );
  });

  it('packed and unpacked a state is the same, in at most 4 KB', () => {
    fc.assert(
      fc.property(fc.oneof(wild, usual), (samples) => {
        const state = createDetectorState({ expectedIntervalMs: samples.length });
        run(samples, state);
        const bytes = encodeDetectorState(state);
        expect(bytes.length).toBeLessThanOrEqual(4096);
        expect(decodeDetectorState(bytes)).toEqual(state);
        expect(encodeDetectorState(decodeDetectorState(bytes))).toEqual(bytes);
      }),
    );
  });

  it('upside down, or in a unit that is a power of two of the first, they score the same to the bit', () => {
    fc.assert(
      fc.property(usual, fc.constantFrom(-1, 2 ** 20, -(2 ** -20)), (samples, factor) => {
        const scaled = run(samples.map(([value, stepMs]) => [factor * value, stepMs]));
        expect(scaled.map(({ score }) => score)).toEqual(run(samples).map(({ score }) => score));
      }),
    );
  });

  it('moved by a constant they score the same but for rounding, if they do not stand still', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -4096, max: 4096 }), fc.constantFrom(0, 30), (seed, constant, amplitude) => {
        const samples = makeNoise(seed, 600).map((noise, i): [number, number] => [amplitude * Math.sin(i / 20) + noise, 300_000]);
        const moved = run(samples.map(([value, stepMs]) => [value + constant, stepMs]));
        const scores = run(samples);
        for (let i = 0; i < samples.length; i++) expect(Math.abs(moved[i].rawScore - scores[i].rawScore)).toBeLessThan(1e-5);
      }),
    );
  });
});
