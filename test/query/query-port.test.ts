import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { everyMinute, minute, series } from './evaluate-text.ts';

const limits = { maxSeries: 2, maxSamples: 1_000, maxBytes: 1e9, timeoutMs: 10_000 };

function openPort(more: { subqueryStepMs?: number; lookbackMs?: number } = {}) {
  const source = createMemorySource();
  source.append(series('up', { job: 'a' }), everyMinute([1, 2, 3, 4, 5]));
  source.append(series('up', { job: 'b' }), everyMinute([5, 6, 7, 8, 9]));
  const cache = createExprCache();
  return { source, cache, query: createQueryPort({ source, limits, now: Date.now, cache, ...more }) };
}

async function kindOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  return isOpsError(error) ? `${error.kind}: ${error.message}` : String(error);
}

describe('the query port', () => {
  it.each([
    ['up{job="a"} > 0', 'vector', 'up{job="a"} > 0', ['up']],
    ['sum(rate(a[5m]))/on()   {__name__=~"b.*"}', 'vector', 'sum(rate(a[5m])) / on () {__name__=~"b.*"}', ['a', undefined]],
    ['1+1', 'scalar', '1 + 1', []],
    ['topk(scalar(k), max_over_time((-x)[5m:1m]))', 'vector', 'topk(scalar(k), max_over_time((-x)[5m:1m]))', ['k', 'x']],
    ['"a"', 'string', '"a"', []],
    ['up[5m]', 'matrix', 'up[5m]', ['up']],
  ])('tells of %s what can be told without data', (expr, type, text, metrics) => {
    expect(openPort().query.check(expr)).toEqual({ type, text, metrics });
  });

  it('refuses what does not parse, in the words of Prometheus', () => {
    expect(() => openPort().query.check('sum(')).toThrow('1:5: parse error: unclosed left parenthesis');
  });

  it('gives a vector, or a scalar as one sample without labels', async () => {
    const { query } = openPort();
    const at = async (expr: string) =>
      (await query.instant({ tenant: 't', expr, atMs: 2 * minute })).samples.map(({ series: { metric, json }, value }) => [
        metric,
        json,
        value,
      ]);
    expect(await at('up * 2')).toEqual([
      ['', '{"job":"a"}', 6],
      ['', '{"job":"b"}', 14],
    ]);
    expect(await at('time()')).toEqual([['', '{}', 120]]);
  });

  it('keeps what the engine says beside a value', async () => {
    const { warnings } = await openPort().query.instant({ tenant: 't', expr: 'quantile(2, up)', atMs: 0 });
    expect(warnings).toEqual([expect.stringContaining('quantile value should be between 0 and 1')]);
  });

  it('gives each step of a range at which a series has a value', async () => {
    const { query } = openPort({ lookbackMs: minute / 2 });
    const range = (expr: string, endMs: number) => query.range({ tenant: 't', expr, startMs: 3 * minute, endMs, stepMs: minute });
    const { series: found } = await range('up{job="a"}', 6.5 * minute);
    expect(found.map(({ ts, values }) => [[...ts], [...values]])).toEqual([
      [
        [3 * minute, 4 * minute],
        [4, 5],
      ],
    ]);
    expect((await range('down', 6 * minute)).series).toEqual([]);
    expect(await kindOf(range('up[5m]', 6 * minute))).toMatch(/^input: invalid expression type "range vector"|^input: .*matrix/);
  });

  it('takes the step of subqueries and the lookback it is given', async () => {
    const { query } = openPort({ subqueryStepMs: 2 * minute, lookbackMs: minute });
    const count = await query.instant({ tenant: 't', expr: 'count_over_time(up{job="a"}[5m:])', atMs: 4 * minute });
    expect(count.samples[0]?.value).toBe(3);
    expect((await query.instant({ tenant: 't', expr: 'up', atMs: 5 * minute + 1 })).samples).toEqual([]);
  });

  it('parses an expression once for all ports that share a cache', async () => {
    const { query, cache, source } = openPort();
    query.check('up');
    const parsed = cache.get('up');
    const other = createQueryPort({ source, limits, now: Date.now, cache });
    await other.instant({ tenant: 't', expr: 'up', atMs: 0 });
    expect([cache.get('up') === parsed, cache.size]).toEqual([true, 1]);
  });

  it.each([
    ['up[5m]', 'input: rule result is not a vector or scalar'],
    ['"text"', 'input: rule result is not a vector or scalar'],
    ['sum(', 'input: 1:5: parse error: unclosed left parenthesis'],
    ['up + on() up', 'conflict: found duplicate series for the match group {} on the left hand-side of the operation: '],
    ['{__name__=~".+"}', 'limit: more than 2 series'],
  ])('fails for %s with %s', async (expr, message) => {
    const { query, source } = openPort();
    if (message.startsWith('limit')) source.append(series('third'), everyMinute([1]));
    expect(await kindOf(query.instant({ tenant: 't', expr, atMs: 0 }))).toContain(message.split(' on the left')[0]);
  });
});
