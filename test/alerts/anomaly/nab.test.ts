import { describe, expect, it } from 'vitest';
import { alertScore } from '#alerts/anomaly/update-detector.ts';
import { corpus } from '#test/corpora.ts';
import { detectNab } from './detect.ts';
import { readNabCorpus } from './nab-corpus.ts';
import { nabProfiles, scoreNab, scoreNabAt } from './nab-score.ts';

const path = corpus('nab');

describe.skipIf(path === undefined)('the detector on the Numenta benchmark', () => {
  const results = path === undefined ? [] : detectNab(readNabCorpus(path));

  it('scores 70 or more in the standard profile, at the threshold that is best and at the one that is frozen', () => {
    const { normalized, threshold } = scoreNab(results, nabProfiles.standard);
    expect(normalized).toBeGreaterThanOrEqual(70);
    expect(scoreNabAt(results, nabProfiles.standard, alertScore)).toBeGreaterThanOrEqual(70);
    expect(Math.abs(threshold - alertScore)).toBeLessThan(0.1);
  });

  it('holds when false alarms cost twice as much, and when misses do', () => {
    expect(scoreNab(results, nabProfiles.reward_low_FP_rate).normalized).toBeGreaterThanOrEqual(62);
    expect(scoreNab(results, nabProfiles.reward_low_FN_rate).normalized).toBeGreaterThanOrEqual(75);
  });
});
