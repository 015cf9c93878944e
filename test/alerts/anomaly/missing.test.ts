import { describe, expect, it } from 'vitest';
import { missingSince } from '#alerts/anomaly/missing.ts';
import { createDetectorState, type DetectorOptions } from '#alerts/anomaly/state.ts';
import { updateDetector } from '#alerts/anomaly/update-detector.ts';

const MINUTE = 60_000;

function afterSamples(times: readonly number[], options: DetectorOptions = {}) {
  const state = createDetectorState(options);
  for (const time of times) updateDetector(state, time, time % 7);
  return state;
}
const everyMinute = Array.from({ length: 21 }, (_, i) => i * MINUTE);

describe('samples are missing', () => {
  const cases: [string, readonly number[], DetectorOptions, number, number | undefined][] = [
    ['never in a series that was never seen', [], {}, 1e12, undefined],
    ['never while the interval is not known', [0, MINUTE], {}, 1e12, undefined],
    ['not within five of the intervals that were learned', everyMinute, {}, 24 * MINUTE, undefined],
    ['after five, since the first was due', everyMinute, {}, 25 * MINUTE, 21 * MINUTE],
    ['not within three of the intervals that are expected', everyMinute, { expectedIntervalMs: 2 * MINUTE }, 25 * MINUTE, undefined],
    ['after three, since the first was due', everyMinute, { expectedIntervalMs: 2 * MINUTE }, 26 * MINUTE, 22 * MINUTE],
    ['after the first already where they are expected', [0], { expectedIntervalMs: MINUTE }, 3 * MINUTE, MINUTE],
    ['not within twice the longest gap so far', [...everyMinute, 24 * MINUTE, 25 * MINUTE], {}, 30 * MINUTE, undefined],
    ['not where the clock went back', everyMinute, {}, -5 * MINUTE, undefined],
  ];
  for (const [name, times, options, nowMs, since] of cases) {
    it(name, () => {
      const found = missingSince(afterSamples(times, options), nowMs);
      if (since === undefined) expect(found).toBeUndefined();
      else expect(found).toBeCloseTo(since, -4);
    });
  }

  it('soon again after an outage of a month', () => {
    const month = 30 * 24 * 60 * MINUTE;
    const state = afterSamples([...everyMinute, ...everyMinute.map((time) => month + time)]);
    expect(missingSince(state, month + 30 * MINUTE)).toBeDefined();
  });
});
