import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { aggregateSamples, planAggregation } from '#ingest/pipeline/aggregate.ts';
import { AggregateRule } from '#ingest/pipeline/rule.ts';
import type { SampleColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import { rules, series, show } from './support.ts';

const MINUTE = 60_000;
type Sample = readonly [ts: number, value: number, mark?: 'stale' | 'delta'];

const columns = (...samples: Sample[]): SampleColumns => ({
  ts: Float64Array.from(samples, ([ts]) => ts),
  value: Float64Array.from(samples, ([, value]) => value),
  stale: Uint8Array.from(samples, ([, , mark]) => (mark === 'stale' ? 1 : 0)),
  delta: Uint8Array.from(samples, ([, , mark]) => (mark === 'delta' ? 1 : 0)),
});
const req = (pod: string, job = 'api'): Series => series({ __name__: 'req', job, pod });
const aggregate = (rule: object, inputs: [Series, SampleColumns][], range = { fromMs: 0, toMs: MINUTE }) =>
  show(
    aggregateSamples(
      AggregateRule.parse({ interval: '1m', ...rule }),
      inputs.map(([each, samples]) => ({ series: each, samples })),
      range,
    ),
  );

describe('an aggregation', () => {
  const two: [Series, SampleColumns][] = [
    [req('a'), columns([15_000, 1], [30_000, 2], [60_000, 3])],
    [req('b'), columns([15_000, 10], [45_000, 5])],
  ];
  it.each([
    ['sums last values', { op: 'sum', by: ['job'] }, ['req:sum{job="api"} 8@60000']],
    ['takes the least of all samples', { op: 'min', by: ['job'] }, ['req:min{job="api"} 1@60000']],
    ['takes the greatest of all samples', { op: 'max', by: ['job'] }, ['req:max{job="api"} 10@60000']],
    ['counts series', { op: 'count', by: ['job'] }, ['req:count{job="api"} 2@60000']],
    ['keeps all labels but some', { op: 'sum', without: ['job'] }, ['req:sum{pod="a"} 3@60000', 'req:sum{pod="b"} 5@60000']],
    ['keeps no label where none is named', { op: 'sum' }, ['req:sum{} 8@60000']],
    ['names its result', { op: 'sum', by: ['job'], metric: 'job:*:total' }, ['job:req:total{job="api"} 8@60000']],
  ])('%s', (_name, rule, want) => expect(aggregate(rule, two)).toEqual(want));

  it('keeps metrics apart by name, unless the name of the result has no place for it', () => {
    const inputs: [Series, SampleColumns][] = [
      [req('a'), columns([1, 1])],
      [series({ __name__: 'err', job: 'api' }), columns([1, 2])],
    ];
    expect(aggregate({ op: 'sum' }, inputs)).toEqual(['err:sum{} 2@60000', 'req:sum{} 1@60000']);
    expect(aggregate({ op: 'sum', metric: 'all' }, inputs)).toEqual(['all{} 3@60000']);
  });

  it('has windows that are open on the left and closed on the right', () => {
    const samples = columns([0, 1], [1, 2], [60_000, 3], [60_001, 4], [120_000, 5], [120_001, 6]);
    expect(aggregate({ op: 'min' }, [[req('a'), samples]], { fromMs: 0, toMs: 2 * MINUTE })).toEqual([
      'req:min{} 2@60000',
      'req:min{} 4@120000',
    ]);
  });

  it('writes nothing where there is nothing', () => {
    expect(aggregate({ op: 'count' }, [[req('a'), columns([130_000, 1])]], { fromMs: 0, toMs: 3 * MINUTE })).toEqual([
      'req:count{} 1@180000',
    ]);
    expect(aggregate({ op: 'count' }, [])).toEqual([]);
  });

  it.each([
    ['a series that ended leaves sums', 'sum', ['req:sum{} 5@60000']],
    ['and counts', 'count', ['req:count{} 1@60000']],
    ['but its samples were there', 'max', ['req:max{} 9@60000']],
  ])('%s', (_name, op, want) => {
    const inputs: [Series, SampleColumns][] = [
      [req('a'), columns([1, 9], [2, Number.NaN, 'stale'])],
      [req('b'), columns([1, 5])],
    ];
    expect(aggregate({ op }, inputs)).toEqual(want);
  });

  it('adds up all samples of delta series, and its result is a delta', () => {
    const inputs: [Series, SampleColumns][] = [
      [req('a'), columns([1, 1, 'delta'], [2, 2, 'delta'], [3, Number.NaN, 'stale'])],
      [req('b'), columns([5, 4, 'delta'])],
    ];
    expect(aggregate({ op: 'sum' }, inputs)).toEqual(['req:sum{} 7@60000 delta']);
    expect(aggregate({ op: 'sum' }, [...inputs, [req('c'), columns([1, 100])]])).toEqual(['req:sum{} 107@60000']);
  });

  it.each([
    ['min', 'req:min{} 1@60000'],
    ['max', 'req:max{} 1@60000'],
    ['sum', 'req:sum{} NaN@60000'],
  ])('%s meets NaN as PromQL does', (op, want) => {
    expect(
      aggregate({ op }, [
        [req('a'), columns([1, Number.NaN])],
        [req('b'), columns([1, 1])],
      ]),
    ).toEqual([want]);
  });

  it('is the same to the bit whatever order the series come in', () => {
    const inputs = fc
      .array(fc.double({ noDefaultInfinity: true, noNaN: true }), { minLength: 2, maxLength: 20 })
      .map((values) => values.map((value, i): [Series, SampleColumns] => [req(String(i)), columns([1, value])]));
    fc.assert(
      fc.property(inputs, fc.constantFrom('sum', 'min', 'max', 'count'), fc.nat(), (some, op, turn) => {
        const turned = [...some.slice(turn % some.length), ...some.slice(0, turn % some.length)].reverse();
        expect(aggregate({ op }, turned)).toEqual(aggregate({ op }, some));
      }),
    );
  });

  it.each([
    [0, MINUTE / 2],
    [0, 0],
    [0, 2_000 * MINUTE],
  ])('refuses a stretch from %d to %d', (fromMs, toMs) => {
    const call = () => aggregate({ op: 'sum' }, [], { fromMs, toMs });
    expect(call).toThrow('an aggregation covers 1 to 1000 whole intervals');
    try {
      call();
    } catch (error) {
      expect(isOpsError(error, 'input')).toBe(true);
    }
  });
});

describe('what is due', () => {
  const list = rules(
    { name: 'other', match: 'up', filter: 'drop' },
    { name: 'minutely', match: '{job="api"}', aggregate: { op: 'sum', interval: '1m', delay: '2m', drop: true } },
    { name: 'hourly', match: 'req', aggregate: { op: 'max', interval: '1h', delay: '0' } },
  );
  const due = (done: [string, number][], nowMs: number) =>
    planAggregation(list, new Map(done), nowMs).map(({ rule, fromMs, toMs, drop }) => [rule.name, fromMs / MINUTE, toMs / MINUTE, drop]);

  it('begins with the latest window whose delay is over', () => {
    expect(due([], 125.5 * MINUTE)).toEqual([
      ['minutely', 122, 123, true],
      ['hourly', 60, 120, false],
    ]);
  });

  it('goes on where the last pass ended, and is nothing until a window is over', () => {
    expect(
      due(
        [
          ['minutely', 100 * MINUTE],
          ['hourly', 120 * MINUTE],
        ],
        125.5 * MINUTE,
      ),
    ).toEqual([['minutely', 100, 123, true]]);
    expect(
      due(
        [
          ['minutely', 123 * MINUTE],
          ['hourly', 120 * MINUTE],
        ],
        125.9 * MINUTE,
      ),
    ).toEqual([]);
  });

  it('takes on no more than a thousand windows', () => {
    expect(
      due(
        [
          ['minutely', 0],
          ['hourly', 6_000 * MINUTE],
        ],
        5_000 * MINUTE,
      ),
    ).toEqual([['minutely', 0, 1_000, true]]);
  });

  it('reads what the rule matches, except what any rule has written', () => {
    const [minutely] = planAggregation(list, new Map(), 125 * MINUTE);
    expect(minutely?.matchers).toEqual([{ name: 'job', op: '=', value: 'api' }]);
    const names = ['req', 'req:sum', 'req:max', 'other'].filter((name) => minutely?.isInput(series({ __name__: name, job: 'api' })));
    expect(names).toEqual(['req', 'other']);
    expect(minutely?.isInput(series({ __name__: 'req', job: 'web' }))).toBe(false);
  });

  it('done again gives the same stretch, so that a pass that failed can be repeated', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(3_000), (done, ahead) => {
        const at: [string, number][] = [
          ['minutely', done * MINUTE],
          ['hourly', done * MINUTE],
        ];
        expect(due(at, (done + ahead) * MINUTE)).toEqual(due(at, (done + ahead) * MINUTE));
        for (const [, from, to] of due(at, (done + ahead) * MINUTE)) expect(Number(to)).toBeGreaterThan(Number(from));
      }),
    );
  });
});
