import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import type { SampleSource, SelectInput } from '#ports/sample-source.ts';
import { queryErrorType } from '#query/query-errors.ts';
import { evaluate, everyMinute, failureOf, minute, series, valuesOf } from './evaluate-text.ts';

describe('results', () => {
  const source = createMemorySource();
  source.append(series('m', { b: '2' }), everyMinute([1, 2, 3]));
  source.append(series('m', { a: '1' }), [...everyMinute([4]), { ts: 2 * minute, value: Number.NaN, stale: true }]);

  it('of a range are sorted columns of the points there are', async () => {
    const result = await evaluate(source, 'm', { endMs: 2 * minute, stepMs: minute });
    if (result.type !== 'matrix') throw new Error(result.type);
    const shown = result.series.map((row) => [row.series.json, [...row.ts], [...row.values], row.count]);
    expect(shown).toEqual([
      ['{"a":"1"}', [0, minute], [4, 4], 2],
      ['{"b":"2"}', [0, minute, 2 * minute], [1, 2, 3], 3],
    ]);
  });

  it('of an instant query for a range vector are the samples themselves', async () => {
    const result = await evaluate(source, 'm{b="2"}[2m]', { startMs: 2 * minute });
    expect(result.type === 'matrix' && result.series.map(({ ts, values }) => [[...ts], [...values]])).toEqual([
      [
        [minute, 2 * minute],
        [2, 3],
      ],
    ]);
  });

  it('say what was read and which tier answered', async () => {
    const result = await evaluate(source, 'm + m offset 1m', { startMs: minute });
    expect([result.read.samples, result.tiers]).toEqual([5, ['hot']]);
  });

  it('of a scalar over a range are one series without labels', async () => {
    expect(await valuesOf(source, '2 * 3', { endMs: minute, stepMs: minute })).toEqual([6, 6]);
  });

  it('of a query for a string are the string', async () => {
    const result = await evaluate(source, '"text"');
    expect(result.type === 'string' && result.value).toBe('text');
  });
});

describe('reads', () => {
  it('ask for what can matter, all selectors at once and equal ones once', async () => {
    const asked: SelectInput[] = [];
    let underWay = 0;
    let most = 0;
    const memory = createMemorySource();
    const source: SampleSource = {
      ...memory,
      async select(input) {
        asked.push(input);
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 5));
        underWay--;
        return memory.select(input);
      },
    };
    const at = 100 * minute;
    await evaluate(source, 'm + m + rate(m_total[2m]) + max_over_time(m[10m:1m] offset 1m)', {
      startMs: at,
      endMs: at + 10 * minute,
      stepMs: minute,
    });
    const shown = asked.map(({ func, startMs, endMs, rangeMs, stepMs }) => [func, startMs - at, endMs - at, rangeMs, stepMs]);
    expect(shown).toEqual([
      ['', -5 * minute + 1, 10 * minute, 0, minute],
      ['rate', -2 * minute + 1, 10 * minute, 2 * minute, minute],
      ['', -15 * minute + 1, 9 * minute, 0, minute],
    ]);
    expect(most).toBe(3);
  });
});

describe('failures', () => {
  const source = createMemorySource();
  for (let i = 0; i < 20; i++) source.append(series('many', { i: String(i) }), everyMinute([1, 2, 3]));

  it.each([
    [
      'a range query for a range vector',
      'many[5m]',
      'input',
      'bad_data',
      'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
    [
      'a range query for a string',
      '"a"',
      'input',
      'bad_data',
      'invalid expression type "string" for range query, must be Scalar or instant Vector',
    ],
    [
      'series that cannot be told apart',
      'label_replace(many, "i", "", "", "")',
      'conflict',
      'execution',
      'vector cannot contain metrics with the same labelset',
    ],
    [
      'matching that is not one to one',
      'sum(many) + on () many',
      'conflict',
      'execution',
      'found duplicate series for the match group {} on the right hand-side of the operation: [{__name__="many", i="0"}, {__name__="many", i="1"}];many-to-many matching not allowed: matching labels must be unique on one side',
    ],
    [
      'many to one without saying so',
      'many + on () sum(many)',
      'conflict',
      'execution',
      'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
    ],
    [
      'a subquery of more steps than there may be samples',
      'max_over_time(many[100y:1ms])',
      'limit',
      'execution',
      'query processing would load too many samples into memory in query execution',
    ],
  ])('%s', async (_, query, kind, type, message) => {
    const error = await failureOf(evaluate(source, query, { endMs: 2 * minute, stepMs: minute }));
    expect([error.kind, queryErrorType(error), error.message]).toEqual([kind, type, message]);
  });

  it('more points than allowed are refused', async () => {
    const limits = { maxSeries: 100, maxSamples: 59, maxBytes: 1e9, timeoutMs: 10_000 };
    const error = await failureOf(evaluate(source, 'many', { endMs: 2 * minute, stepMs: minute, limits }));
    expect([error.kind, queryErrorType(error)]).toEqual(['limit', 'execution']);
    expect(await valuesOf(source, 'many', { endMs: 2 * minute, stepMs: minute, limits: { ...limits, maxSamples: 60 } })).toHaveLength(60);
  });

  it('a query is over when its time is', async () => {
    let clock = 0;
    const error = await failureOf(evaluate(source, 'many', { now: () => (clock += 6_000) }));
    expect([error.kind, queryErrorType(error), error.message]).toEqual([
      'unavailable',
      'timeout',
      'query timed out in expression evaluation',
    ]);
  });

  it('a source that does not answer is not waited for beyond the time', async () => {
    const silent: SampleSource = { ...source, select: () => new Promise(() => undefined) };
    const limits = { maxSeries: 100, maxSamples: 59, maxBytes: 1e9, timeoutMs: 20 };
    expect(queryErrorType(await failureOf(evaluate(silent, 'many', { limits })))).toBe('timeout');
  });

  it('a cancelled query stops, and so do its reads', async () => {
    const controller = new AbortController();
    let stopped = false;
    const slow: SampleSource = {
      ...source,
      select: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            stopped = true;
            reject(new Error('stopped'));
          });
        }),
    };
    const running = failureOf(evaluate(slow, 'many', { signal: controller.signal }));
    controller.abort();
    expect([queryErrorType(await running), stopped]).toEqual(['canceled', true]);
    expect(queryErrorType(await failureOf(evaluate(source, 'many', { signal: controller.signal })))).toBe('canceled');
  });

  it('what a source refuses comes through as it is', async () => {
    const refusing: SampleSource = { ...source, select: () => Promise.reject(new OpsError('limit', 'more than 5 series')) };
    const error = await failureOf(evaluate(refusing, 'many'));
    expect([error.message, queryErrorType(error)]).toEqual(['more than 5 series', 'execution']);
  });
});

describe('long evaluations', () => {
  it('let the event loop run, and are cancelled in between', async () => {
    const source = createMemorySource();
    const values = Float64Array.from({ length: 20_000 }, (_, i) => i % 97);
    for (let i = 0; i < 40; i++)
      source.appendColumns(series('m', { i: String(i) }), { ts: values.map((__, k) => k * 1_000), value: values });
    const controller = new AbortController();
    const limits = { maxSeries: 100, maxSamples: 5e7, maxBytes: 1e9, timeoutMs: 60_000 };
    const times = { startMs: 0, endMs: 20_000_000, stepMs: 4_000 };
    const running = failureOf(evaluate(source, 'stddev_over_time(m[2h])', { ...times, limits, signal: controller.signal }));
    const start = Date.now();
    setTimeout(() => controller.abort(), 60);
    expect(queryErrorType(await running)).toBe('canceled');
    expect(Date.now() - start).toBeLessThan(5_000);
  });
});
