import { describe, expect, it } from 'vitest';
import { errorJson, limitList, statusOfErrorType, successJson, TRUNCATED } from '#api/prometheus/response.ts';
import { metricJson, resultJson } from '#api/prometheus/result-json.ts';
import { makeBody } from '#api/prometheus/stream-body.ts';
import { seriesFromLabels } from '#model/series.ts';
import type { MatrixSeries, QueryValue } from '#query/query-result.ts';

function series(labels: Record<string, string>) {
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

function write(result: QueryValue, ...rest: [({ warnings: string[]; infos: string[] } | undefined)?, number?]): string {
  return Buffer.concat([...resultJson(result, ...rest)]).toString();
}

const up = series({ __name__: 'up', job: 'api', instance: 'a"b' });

function points(one: ReturnType<typeof series>, ts: number[], values: number[]): MatrixSeries {
  return { series: one, ts: Float64Array.from(ts), values: Float64Array.from(values), count: ts.length };
}

const matrix: QueryValue = { type: 'matrix', series: [points(up, [1000, 2500], [1, Number.NaN]), points(series({}), [2500], [1e-7])] };

describe('metrics', () => {
  it.each([
    [{}, '{}'],
    [{ __name__: 'up' }, '{"__name__":"up"}'],
    [{ __name__: 'up', job: 'a' }, '{"__name__":"up","job":"a"}'],
    [{ __name__: 'up', Job: 'a', zone: 'b' }, '{"Job":"a","__name__":"up","zone":"b"}'],
    [{ job: 'a' }, '{"job":"a"}'],
    [{ 'a.b': 'é\n' }, '{"a.b":"é\\n"}'],
  ])('%j is written %s', (labels, json) => {
    expect(metricJson(series(labels as Record<string, string>))).toBe(json);
  });
});

describe('results', () => {
  it('of a scalar and of a string', () => {
    expect(write({ type: 'scalar', tMs: 1500, value: Number.POSITIVE_INFINITY })).toBe(
      '{"status":"success","data":{"resultType":"scalar","result":[1.500,"+Inf"]}}',
    );
    expect(write({ type: 'string', tMs: 0, value: '"é' })).toBe('{"status":"success","data":{"resultType":"string","result":[0,"\\"é"]}}');
  });

  it('of a vector', () => {
    const vector: QueryValue = { type: 'vector', tMs: 60_000, series: [up, series({})], values: Float64Array.of(2, 3) };
    expect(write(vector)).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[' +
        '{"metric":{"__name__":"up","instance":"a\\"b","job":"api"},"value":[60,"2"]},{"metric":{},"value":[60,"3"]}]}}',
    );
    expect(write({ ...vector, series: [] })).toContain('"result":[]}');
  });

  it('of a matrix, each series with the points that it has', () => {
    expect(write(matrix)).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[' +
        '{"metric":{"__name__":"up","instance":"a\\"b","job":"api"},"values":[[1,"1"],[2.500,"NaN"]]},{"metric":{},"values":[[2.500,"1e-07"]]}]}}',
    );
  });

  it('of a matrix whose series have times of their own', () => {
    const times: QueryValue = { type: 'matrix', series: [points(up, [1, 2000], [1, 2])] };
    expect(JSON.parse(write(times))).toMatchObject({
      data: {
        result: [
          {
            metric: { __name__: 'up' },
            values: [
              [0.001, '1'],
              [2, '2'],
            ],
          },
        ],
      },
    });
  });

  it('with warnings, infos and a limit', () => {
    const notes = { warnings: ['careful'], infos: ['by the way'] };
    expect(JSON.parse(write(matrix, notes, 1))).toMatchObject({
      data: { result: [{ metric: { __name__: 'up' } }] },
      warnings: ['careful', TRUNCATED],
      infos: ['by the way'],
    });
    expect(write(matrix, notes, 2)).not.toContain(TRUNCATED);
  });
});

describe('other answers', () => {
  it('name the kind of error and its status', () => {
    expect(errorJson('bad_data', 'invalid "x"')).toBe('{"status":"error","errorType":"bad_data","error":"invalid \\"x\\""}');
    expect(statusOfErrorType).toMatchObject({ bad_data: 400, execution: 422, timeout: 503, canceled: 499, internal: 500, not_found: 404 });
  });

  it('carry lists, cut where a limit says so', () => {
    expect(successJson(['a'])).toBe('{"status":"success","data":["a"]}');
    expect(limitList(['a', 'b'], 1)).toEqual({ items: ['a'], notes: { warnings: [TRUNCATED], infos: [] } });
    expect(limitList(['a', 'b'], 0).items).toHaveLength(2);
  });
});

describe('bodies', () => {
  it('are whole where they are short', () => {
    expect(makeBody([Buffer.from('a'), Buffer.from('b')])).toEqual(Buffer.from('ab'));
  });

  it('are streamed where they are long, piece by piece', async () => {
    let made = 0;
    const pieces = function* () {
      for (; made < 40; made++) yield Buffer.from('é'.repeat(50_000));
    };
    const body = makeBody(pieces());
    expect(body).toBeInstanceOf(ReadableStream);
    expect(made).toBeLessThan(10);
    expect((await new Response(body).text()).length).toBe(2_000_000);
  });

  it('stop being made where nobody reads on', async () => {
    let stopped = false;
    const pieces = function* () {
      try {
        for (;;) yield Buffer.alloc(100_000, 'x');
      } finally {
        stopped = true;
      }
    };
    await (makeBody(pieces()) as ReadableStream).cancel();
    expect(stopped).toBe(true);
  });
});
