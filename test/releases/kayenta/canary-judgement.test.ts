import { describe, expect, it } from 'vitest';
import { parseCanaryConfig } from '#releases/kayenta/canary-config.ts';
import { canaryJudgement } from '#releases/kayenta/canary-judgement.ts';
import { judgeCanary } from '#releases/kayenta/judge-canary.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

const steady = Array.from({ length: 40 }, (_, i) => 10 + (i % 7));
const same = { control: steady, experiment: steady };
const high = { control: steady, experiment: steady.map((value) => value + 20) };
const none = { control: steady, experiment: [] };
type Values = typeof same | typeof none;

function judge(pairs: readonly Values[], canary: object, look: { look: number; looks?: number }) {
  const named = pairs.map((values, i) => ({ name: `m${i}`, values }));
  const metrics = named.map(({ name }) => ({ name, groups: ['g'], analysisConfigurations: { canary } }));
  const config = parseCanaryConfig({ metrics, classifier: { scoreThresholds: { pass: 95, marginal: 60 } } });
  return canaryJudgement(judgeCanary(config, named, { random: seededRandom(1) }), look);
}

describe('canaryJudgement', () => {
  const [first, last] = [
    { look: 1, looks: 3 },
    { look: 3, looks: 3 },
  ];
  it.each([
    ['a score that passes', [same, same], {}, first, 'continue'],
    ['a score that passes at the last look', [same, same], {}, last, 'pass'],
    ['a score that passes, of the only look', [same, same], {}, { look: 1 }, 'pass'],
    ['a marginal score', [same, same, high], {}, first, 'continue'],
    ['a marginal score at the last look', [same, same, high], {}, last, 'inconclusive'],
    ['a score that fails', [same, high], {}, first, 'fail'],
    ['half of the metrics without data', [same, none], {}, last, 'inconclusive'],
    ['all of them without data', [none, none], {}, last, 'inconclusive'],
    ['critical ones without data', [same, none], { critical: true }, last, 'fail'],
    ['required data that is missing', [same, none], { mustHaveData: true }, last, 'fail'],
    ['muted ones alone', [same], { muted: true }, last, 'inconclusive'],
  ] as const)('of %s', (_, pairs, canary, look, verdict) => expect(judge(pairs, canary, look).verdict).toBe(verdict));

  it('says what decided, with the numbers that are known', () => {
    const { sentence, metrics, look, looks } = judge([same, high, none], {}, first);
    expect(sentence).toMatch(/^the score is 50 of 100, Fail: m1 is High: the canary is off by 20 /);
    expect([look, looks]).toEqual([1, 3]);
    expect(metrics.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['pass', 'Pass'],
      ['fail', 'High'],
      ['inconclusive', 'Nodata'],
    ]);
    expect(metrics[1].numbers).toMatchObject({ canarySamples: 40, baselineSamples: 40, statistic: 1_600 });
    for (const metric of metrics) expect(Object.values(metric.numbers).every(Number.isFinite)).toBe(true);
  });
});
