import { describe, expect, it } from 'vitest';
import { beyondDeviations, handleMissing, outsideFences, removeOutliers } from '#releases/kayenta/clean-values.ts';
import { gaussian } from '#releases/kayenta/normal.ts';
import { type ScoredMetric, scoreGroups } from '#releases/kayenta/score-groups.ts';
import { cohenD, commonLanguageEffect, meanOf, meanRatio, percentileOf, summarize } from '#releases/kayenta/statistics.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { readCases, skipped } from './kayenta-corpus.ts';

interface Arms {
  readonly name: string;
  readonly control: readonly number[];
  readonly experiment: readonly number[];
  readonly expected: number | 'NaN';
  readonly tolerance?: number;
}

interface Statistics {
  readonly summary: readonly {
    readonly data: readonly number[];
    readonly stdTolerance?: number;
    readonly expected: { readonly min: number; readonly max: number; readonly mean: number; readonly std: number; readonly count: number };
  }[];
  readonly percentile: readonly {
    readonly data: readonly number[];
    readonly p: number;
    readonly expected: number;
    readonly tolerance?: number;
  }[];
  readonly meanRatio: readonly Arms[];
  readonly cohenD: readonly Arms[];
  readonly cles: readonly Arms[];
}

interface Detection {
  readonly name: string;
  readonly detector: 'iqr' | 'ksigma';
  readonly parameter: number;
  readonly data: readonly number[];
  readonly outlier: readonly boolean[];
}

interface Transform {
  readonly name: string;
  readonly op: 'removeNaNs' | 'replaceNaNs' | 'removeOutliers' | 'addGaussianNoise';
  readonly data: readonly (number | null)[];
  readonly expected: readonly number[];
  readonly detector?: 'iqr' | 'ksigma';
  readonly parameter?: number;
}

interface Scoring {
  readonly name: string;
  readonly groupWeights: Readonly<Record<string, number>>;
  readonly metrics: readonly ScoredMetric[];
  readonly expected: { readonly summaryScore: number; readonly groupScores?: number[]; readonly groupScoresSorted?: number[] };
}

const none: Statistics = { summary: [], percentile: [], meanRatio: [], cohenD: [], cles: [] };
const statistics = readCases<Statistics>('statistics.json', none);
const { cases: detections } = readCases<{ cases: readonly Detection[] }>('detectors.json', { cases: [] });
const { cases: transforms } = readCases<{ cases: readonly Transform[] }>('transforms.json', { cases: [] });
const { cases: scorings } = readCases<{ cases: readonly Scoring[] }>('scorer.json', { cases: [] });
const floats = (values: readonly (number | null)[]) => Float64Array.from(values, (value) => value ?? Number.NaN);
const detect = (detector: 'iqr' | 'ksigma', data: Float64Array, parameter: number) =>
  detector === 'iqr' ? outsideFences(data, parameter, false) : beyondDeviations(data, parameter);

function expectWithin(value: number, expected: number | 'NaN', tolerance?: number) {
  if (tolerance === undefined || expected === 'NaN') expect(value).toBe(Number(expected));
  else expect(Math.abs(value - expected)).toBeLessThanOrEqual(tolerance);
}

describe.skipIf(skipped)(`Kayenta's statistics cases${skipped}`, () => {
  it('are all there', () => {
    const { summary, percentile, meanRatio: ratios, cohenD: distances, cles } = statistics;
    expect([summary.length, percentile.length, ratios.length, distances.length, cles.length]).toEqual([3, 8, 5, 1, 4]);
    expect([detections.length, transforms.length, scorings.length]).toEqual([6, 6, 13]);
  });

  it.each(statistics.summary)('summarize $data', ({ data, expected, stdTolerance }) => {
    const { std, ...rest } = summarize(floats(data));
    expect({ ...rest, std: expected.std }).toEqual(expected);
    expectWithin(std, expected.std, stdTolerance);
  });

  it.each(statistics.percentile)('take percentile $p of $data', ({ data, p, expected, tolerance }) =>
    expectWithin(percentileOf(floats(data).sort(), p), expected, tolerance),
  );

  it.each(statistics.meanRatio)('tell: $name', ({ control, experiment, expected, tolerance }) =>
    expectWithin(meanRatio(floats(control), floats(experiment)), expected, tolerance),
  );

  it.each(statistics.cohenD)('tell: $name', ({ control, experiment, expected, tolerance }) =>
    expectWithin(cohenD(floats(control), floats(experiment)), expected, tolerance),
  );

  it.each(statistics.cles)('tell: $name', ({ control, experiment, expected, tolerance }) =>
    expectWithin(commonLanguageEffect(floats(control), floats(experiment)), expected, tolerance),
  );
});

describe.skipIf(skipped)(`Kayenta's detector cases${skipped}`, () => {
  it.each(detections)('$name', ({ detector, parameter, data, outlier }) => {
    const isOutlier = detect(detector, floats(data), parameter);
    expect(data.map(isOutlier)).toEqual(outlier);
  });
});

describe.skipIf(skipped)(`Kayenta's transforms${skipped}`, () => {
  it.each(transforms.filter(({ op }) => op !== 'addGaussianNoise'))('$name', ({ op, data, expected, detector = 'iqr', parameter = 0 }) => {
    const values = floats(data);
    const done =
      op === 'removeOutliers'
        ? removeOutliers(values, detect(detector, values, parameter))
        : handleMissing(values, op === 'removeNaNs' ? 'remove' : 'replace');
    expect([...done]).toEqual(expected);
  });

  it('have noise of the mean and deviation asked for, by any generator', () => {
    const random = seededRandom(12_345);
    const noise = Float64Array.from({ length: 20_000 }, () => 1 + gaussian(random));
    expect(Math.abs(meanOf(noise) - 1)).toBeLessThan(0.03);
    expect(Math.abs(summarize(noise).std - 1)).toBeLessThan(0.03);
  });
});

describe.skipIf(skipped)(`Kayenta's scorer cases${skipped}`, () => {
  it.each(scorings)('$name', ({ groupWeights, metrics, expected }) => {
    const { score, groups } = scoreGroups(metrics, groupWeights);
    expect(score).toBe(expected.summaryScore);
    const scores = groups.map((group) => group.score);
    if (expected.groupScores) expect(scores).toEqual(expected.groupScores);
    if (expected.groupScoresSorted) expect(scores.sort((a, b) => a - b)).toEqual(expected.groupScoresSorted);
  });
});
