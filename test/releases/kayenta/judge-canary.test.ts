import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCanaryConfig } from '#releases/kayenta/canary-config.ts';
import { judgeCanary, type MetricSetPair } from '#releases/kayenta/judge-canary.ts';
import { gaussian } from '#releases/kayenta/normal.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

const random = seededRandom(11);
const draw = (mean: number, deviation = 1, length = 60) => Float64Array.from({ length }, () => mean + deviation * gaussian(random));
const good = { control: draw(10), experiment: draw(10) };
const high = { control: draw(10), experiment: draw(20) };
const low = { control: draw(20), experiment: draw(10) };
const empty = { control: [], experiment: [] };
const thresholds = { pass: 95, marginal: 75 };

type Metric = Readonly<Record<string, unknown>> & { readonly name: string };
const metric = (name: string, canary: object = {}, groups = ['g']): Metric => ({ name, groups, analysisConfigurations: { canary } });
const configOf = (metrics: readonly Metric[], classifier: object = { scoreThresholds: thresholds }) =>
  parseCanaryConfig({ metrics, classifier });
const judge = (metrics: readonly Metric[], pairs: Readonly<Record<string, MetricSetPair['values']>>, classifier?: object) =>
  judgeCanary(
    configOf(metrics, classifier),
    Object.entries(pairs).map(([name, values]) => ({ name, values })),
    { random: seededRandom(1) },
  );
const classify = (canary: object, values: MetricSetPair['values']) => judge([metric('m', canary)], { m: values }).results[0];

describe('judgeCanary', () => {
  it('answers as Kayenta does, with the statistic in it', () => {
    const { judgeName, results, groupScores, score } = judge([metric('latency', {}, ['speed']), metric('cpu', {}, ['speed', 'cost'])], {
      latency: high,
      cpu: good,
    });
    expect(judgeName).toBe('NetflixACAJudge-v1.0');
    expect(score).toEqual({ score: 75, classification: 'Marginal', classificationReason: '' });
    expect(groupScores.map(({ name, score: ofGroup }) => [name, ofGroup])).toEqual([
      ['speed', 50],
      ['cost', 100],
    ]);
    const [latency, cpu] = results;
    expect(latency).toMatchObject({ name: 'latency', id: 'latency', tags: {}, groups: ['speed'], classification: 'High', critical: false });
    expect(latency.classificationReason).toMatch(/^latency is High: the canary is off by \d/);
    expect(latency.experimentMetadata.stats.count).toBe(60);
    expect(latency.controlMetadata.stats.mean).toBeCloseTo(10, 0);
    expect(Object.keys(latency.resultMetadata)).toEqual(
      expect.arrayContaining(['ratio', 'statistic', 'pValue', 'lower', 'upper', 'estimate', 'effectSize', 'cohenD']),
    );
    expect(latency.resultMetadata.statistic).toBe(3_600);
    expect(latency.resultMetadata.pValue).toBeLessThan(1e-15);
    expect(cpu).toMatchObject({ classification: 'Pass', classificationReason: undefined });
  });

  it.each([
    ['a rise, whatever direction counts', {}, high, 'High'],
    ['a rise that does not count', { direction: 'decrease' }, high, 'Pass'],
    ['a fall', { direction: 'decrease' }, low, 'Low'],
    ['a fall that does not count', { direction: 'increase' }, low, 'Pass'],
    ['a rise that is allowed', { effectSize: { allowedIncrease: 3 } }, high, 'Pass'],
    ['a fall that is allowed', { effectSize: { allowedDecrease: 0.3 } }, low, 'Pass'],
    ['a rise by the chance of being greater', { effectSize: { measure: 'cles', allowedIncrease: 0.9 } }, high, 'High'],
    ['one that misses data', {}, { control: [1, 2, 3], experiment: [Number.NaN, Number.NaN] }, 'Nodata'],
    ['one that misses data it must have', { mustHaveData: true }, { control: [1, 2], experiment: [] }, 'NodataFailMetric'],
    ['one whose missing data is zeros', { nanStrategy: 'replace' }, { control: [0, 0, 0], experiment: [Number.NaN, Number.NaN] }, 'Pass'],
    ['infinities alone', {}, { control: [1, 2], experiment: [Number.POSITIVE_INFINITY] }, 'Nodata'],
    ['one value on each side', {}, { control: [1], experiment: [2] }, 'Error'],
    ['constants far apart', {}, { control: [1, 1, 1, 1, 1], experiment: [10, 10, 10, 10, 10] }, 'High'],
    ['constants below zero', {}, { control: [-1, -1, -1, -1, -1], experiment: [-10, -10, -10, -10, -10] }, 'Pass'],
    ['values near the end of what numbers can be', {}, { control: [-1e308, 0], experiment: [1e308, 1] }, 'Error'],
  ])('classifies %s', (_, canary, values, classification) => expect(classify(canary, values).classification).toBe(classification));

  it.each([
    ['fails where it passes its critical limit', { critical: true, effectSize: { criticalIncrease: 1.5 } }, high, true, 0],
    ['does not where it stays below', { critical: true, effectSize: { criticalIncrease: 5 } }, high, false, 50],
    ['fails where it falls below its critical limit', { critical: true, effectSize: { criticalDecrease: 0.7 } }, low, true, 0],
    ['fails without data', { critical: true }, empty, true, 0],
    ['fails where it must have data too', { critical: true, mustHaveData: true }, empty, true, 0],
    ['fails where it cannot be compared', { critical: true }, { control: [1], experiment: [2] }, true, 0],
    ['passes', { critical: true }, good, false, 100],
  ])('a critical metric %s', (_, canary, values, critical, score) => {
    const told = judge([metric('m', canary), metric('n')], { m: values, n: good });
    expect(told.results[0].critical).toBe(critical);
    expect(told.score.score).toBe(score);
    expect(told.score.classificationReason).toMatch(critical ? /^a critical metric did not pass: / : /^$/);
  });

  it('takes outliers out where it is told to', () => {
    const control = [...draw(10, 1, 100)];
    const experiment = [...draw(10, 1, 100), 1e6];
    expect(classify({ outliers: { strategy: 'remove' } }, { control, experiment }).experimentMetadata.stats.max).toBeLessThan(20);
    expect(classify({ outliers: { strategy: 'keep' } }, { control, experiment }).experimentMetadata.stats.max).toBe(1e6);
    expect(classify({}, { control, experiment }).experimentMetadata.stats.max).toBe(1e6);
  });

  it('does not count what is muted', () => {
    const told = judge([metric('m', { muted: true, critical: true }), metric('n')], { m: high, n: good });
    expect(told.results[0]).toMatchObject({ muted: true, classification: 'High' });
    expect(told.score).toMatchObject({ score: 100, classification: 'Pass' });
  });

  it.each([
    ['nothing at all', {}],
    ['half of what is configured', { m: good }],
    ['what cannot be compared', { m: { control: [1], experiment: [2] }, n: empty }],
  ])('never passes a canary of which it has %s', (_, pairs) => {
    const told = judge([metric('m'), metric('n')], pairs);
    expect(told.results).toHaveLength(2);
    expect(told.score).toMatchObject({ score: 0, classification: 'Fail' });
    expect(told.score.classificationReason).toMatch(/of 2 metrics have no data/);
  });

  it('shares what is left of 100 among groups without a weight', () => {
    const classifier = { groupWeights: { a: 40 }, scoreThresholds: { pass: 69, marginal: 10 } };
    const metrics = [metric('m', {}, ['a']), metric('n', {}, ['b']), metric('o', {}, ['c'])];
    expect(judge(metrics, { m: good, n: high, o: good }, classifier).score).toMatchObject({ score: 70, classification: 'Pass' });
    expect(judge(metrics, { m: high, n: good, o: good }, classifier).score).toMatchObject({ score: 60, classification: 'Marginal' });
  });

  it('judges each pair of a metric by itself, by its tags', () => {
    const pairs = [
      { name: 'm', id: '1', tags: { zone: 'a' }, values: good },
      { name: 'm', id: '2', tags: { zone: 'b' }, values: high },
    ];
    const { results } = judgeCanary(configOf([metric('m')]), pairs, { random });
    expect(results.map(({ id, tags, classification }) => [id, tags.zone, classification])).toEqual([
      ['1', 'a', 'Pass'],
      ['2', 'b', 'High'],
    ]);
  });

  it('has thresholds from the call before those of the configuration, and needs one of them', () => {
    const told = judgeCanary(configOf([metric('m')]), [{ name: 'm', values: high }], { random, scoreThresholds: { pass: 0, marginal: 0 } });
    expect(told.score.classification).toBe('Pass');
    expect(() => judgeCanary(configOf([metric('m')], {}), [], { random })).toThrow('classifier.scoreThresholds is missing');
  });

  it('refuses what the configuration does not know', () => {
    expect(() => judge([metric('m')], { unknown: good })).toThrow('has no metric "unknown"');
  });

  it('does not depend on the order of values or metrics, and is repeated exactly', () => {
    const side = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NaN)), { maxLength: 12 });
    fc.assert(
      fc.property(side, side, side, side, (a, b, c, d) => {
        const metrics = [metric('m', {}, ['a']), metric('n', { mustHaveData: true }, ['b'])];
        const there = judge(metrics, { m: { control: a, experiment: b }, n: { control: c, experiment: d } });
        const back = judge(metrics, { m: { control: a, experiment: b }, n: { control: c, experiment: d } });
        expect(back).toEqual(there);
        const [reversed] = [
          judge(metrics, { n: { control: c.toReversed(), experiment: d.toReversed() }, m: { control: a, experiment: b } }),
        ];
        expect(reversed.score).toEqual(there.score);
      }),
    );
  });

  it('finds low what it finds high with the arms exchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 5, maxLength: 20 }), (control) => {
        const experiment = control.map((value) => value + 100);
        expect(classify({}, { control, experiment }).classification).toBe('High');
        expect(classify({}, { control: experiment, experiment: control }).classification).toBe('Low');
      }),
    );
  });
});

describe('parseCanaryConfig', () => {
  it('takes a configuration as Spinnaker writes it', () => {
    const config = parseCanaryConfig({
      id: '1',
      name: 'checkout',
      description: '',
      configVersion: '1',
      createdTimestamp: 1_700_000_000_000,
      applications: ['checkout'],
      judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
      metrics: [
        {
          name: 'errors',
          query: { type: 'prometheus', serviceType: 'prometheus', metricName: 'errors_total' },
          groups: ['Errors'],
          analysisConfigurations: {
            canary: {
              direction: 'increase',
              nanStrategy: 'replace',
              critical: true,
              mustHaveData: false,
              effectSize: { allowedIncrease: 1.1, criticalIncrease: 5, measure: 'meanRatio' },
              outliers: { strategy: 'remove', outlierFactor: 2.5 },
            },
          },
          scopeName: 'default',
        },
      ],
      templates: {},
      classifier: { groupWeights: { Errors: 100 }, scoreThresholds: { pass: 95, marginal: 75 } },
    });
    expect(config.metrics[0].analysisConfigurations.canary).toMatchObject({ direction: 'increase', outliers: { outlierFactor: 2.5 } });
    expect(config).toMatchObject({ templates: {}, metrics: [{ query: { metricName: 'errors_total' } }] });
  });

  it('has what Kayenta has where nothing is said', () => {
    const { metrics, classifier } = parseCanaryConfig({ metrics: [{ name: 'm' }, { name: 'n', analysisConfigurations: {} }] });
    for (const { analysisConfigurations, groups } of metrics) {
      expect(groups).toEqual([]);
      expect(analysisConfigurations.canary).toEqual({
        direction: 'either',
        nanStrategy: 'remove',
        critical: false,
        muted: false,
        mustHaveData: false,
      });
    }
    expect(classifier.groupWeights).toEqual({});
  });

  const bad = (canary: object) => ({ metrics: [metric('m', canary)] });
  it.each([
    ['no object', 3, /the configuration: /],
    ['no metrics', { metrics: [] }, /^.*: metrics: /],
    ['a direction that is none', bad({ direction: 'up' }), /metrics\.0\.analysisConfigurations\.canary\.direction: .*"increase"/],
    ['a strategy that is none', bad({ nanStrategy: 'drop' }), /nanStrategy: .*"remove"/],
    ['a flag in words', bad({ critical: 'yes' }), /critical: .*boolean/],
    [
      'a limit that is misspelt',
      bad({ effectSize: { alowedIncrease: 1 } }),
      /effectSize: is not a field here; accepted: measure, allowedIncrease/,
    ],
    ['a limit below zero', bad({ effectSize: { allowedIncrease: -1 } }), /allowedIncrease: /],
    ['a measure that is none', bad({ effectSize: { measure: 'cohen' } }), /measure: .*"cles"/],
    ['a factor of zero', bad({ outliers: { strategy: 'remove', outlierFactor: 0 } }), /outlierFactor: /],
    ['two metrics of one name', { metrics: [{ name: 'm' }, { name: 'm' }] }, /metrics: two metrics have the same name/],
    [
      'weights over 100',
      { metrics: [{ name: 'm' }], classifier: { groupWeights: { a: 60, b: 50 } } },
      /groupWeights: the weights come to more/,
    ],
    [
      'thresholds the wrong way round',
      { metrics: [{ name: 'm' }], classifier: { scoreThresholds: { pass: 50, marginal: 60 } } },
      /marginal: marginal must be at most pass/,
    ],
  ])('refuses %s', (_, config, message) => expect(() => parseCanaryConfig(config)).toThrow(message));
});
