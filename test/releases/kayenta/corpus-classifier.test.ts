import { describe, expect, it } from 'vitest';
import type { CanaryAnalysis } from '#releases/kayenta/canary-config.ts';
import { parseCanaryConfig } from '#releases/kayenta/canary-config.ts';
import { classifyByMean, classifyByShift } from '#releases/kayenta/classify-metric.ts';
import { judgeCanary } from '#releases/kayenta/judge-canary.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { readCases, skipped } from './kayenta-corpus.ts';

interface Case {
  readonly name: string;
  readonly classifier: 'mann-whitney' | 'mean-inequality';
  readonly control: readonly number[];
  readonly experiment: readonly number[];
  readonly direction: CanaryAnalysis['direction'];
  readonly tolerance?: number;
  readonly confLevel?: number;
  readonly effectSizeThresholds?: { readonly decrease: number; readonly increase: number };
  readonly criticalThresholds?: { readonly decrease: number; readonly increase: number };
  readonly effectSizeMeasure?: 'meanRatio' | 'cles';
  readonly nanStrategy?: 'remove' | 'replace';
  readonly critical?: boolean;
  readonly dataRequired?: boolean;
  readonly expected: {
    readonly classification?: string;
    readonly critical?: boolean;
    readonly deviation?: number | 'NaN';
    readonly reasonGiven?: boolean;
  };
}

const { cases } = readCases<{ cases: readonly Case[] }>('classifier.json', { cases: [] });

function analysisOf(one: Case) {
  const { effectSizeThresholds: allowed, criticalThresholds: severe } = one;
  return {
    direction: one.direction,
    nanStrategy: one.nanStrategy ?? 'remove',
    critical: one.critical ?? false,
    mustHaveData: one.dataRequired ?? false,
    effectSize: {
      measure: one.effectSizeMeasure ?? 'meanRatio',
      allowedIncrease: allowed?.increase ?? 1,
      allowedDecrease: allowed?.decrease ?? 1,
      criticalIncrease: severe?.increase ?? 1,
      criticalDecrease: severe?.decrease ?? 1,
    },
  } as const;
}

describe.skipIf(skipped)(`Kayenta's classifier cases${skipped}`, () => {
  it('are all there', () => expect(cases).toHaveLength(37));

  it.each(cases)('$name', (one) => {
    const arms = { control: Float64Array.from(one.control), experiment: Float64Array.from(one.experiment) };
    const options = { random: seededRandom(1), confidence: one.confLevel ?? 0.95, tolerance: one.tolerance ?? 0.25 };
    const told =
      one.classifier === 'mann-whitney' ? classifyByShift('m', arms, analysisOf(one), options) : classifyByMean('m', arms, analysisOf(one));
    const { classification, critical, deviation, reasonGiven } = one.expected;
    if (classification !== undefined) expect(told.classification).toBe(classification);
    if (critical !== undefined) expect(told.critical).toBe(critical);
    if (deviation !== undefined) expect(told.ratio).toBe(Number(deviation));
    if (reasonGiven !== undefined) expect(told.reason !== undefined).toBe(reasonGiven);
  });

  it.each(cases)('$name, by the configuration of a whole judgement', (one) => {
    const config = parseCanaryConfig({
      metrics: [{ name: 'm', groups: ['g'], analysisConfigurations: { canary: analysisOf(one) } }],
      classifier: { scoreThresholds: { pass: 95, marginal: 75 } },
    });
    const { confLevel: confidence = 0.95, tolerance, classifier } = one;
    const options = { random: seededRandom(2), confidence, tolerance, classifier };
    const { results, score } = judgeCanary(config, [{ name: 'm', values: one }], options);
    if (one.expected.classification !== undefined) expect(results[0].classification).toBe(one.expected.classification);
    expect(score.classification).toBe(results[0].classification === 'Pass' ? 'Pass' : 'Fail');
  });
});
