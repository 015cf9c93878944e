import { compressSync } from 'snappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWriteRequestV2, type WireSeries, type WireSeriesV2 } from '#test/ingest/proto-writer.ts';
import { delivery } from './deliveries.ts';
import { times } from './refusals.ts';
import { type Ask, createWholeApi, NOW, remoteWrite, type WholeApi } from './whole-api.ts';

let api: WholeApi;
beforeAll(async () => {
  api = await createWholeApi();
});

const sample = { value: 1, ts: NOW };
const named = (metric: string, ...labels: [string, string][]): [string, string][] => [['__name__', metric], ...labels];
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

let names = 0;
const freshName = () => `fresh${++names}`;
const found = async (name: string) => (await api.series(`{__name__="${name}"}`)).length;

describe('bad items among good ones', () => {
  const good = (name: string): WireSeries => ({ labels: named(name), samples: [sample] });
  const bad: Record<string, [WireSeries, string]> = {
    'a name given twice': [{ labels: [...named('bad'), ['__name__', 'b']], samples: [sample] }, 'label name "__name__" appears twice'],
    'an empty name': [{ labels: [['__name__', '']], samples: [sample] }, 'has no metric name'],
    'no labels': [{ labels: [], samples: [sample] }, 'has no metric name'],
    'an empty label name': [{ labels: named('bad', ['', 'x']), samples: [sample] }, 'a label has no name'],
    'a label given twice': [{ labels: named('bad', ['a', '1'], ['a', '1']), samples: [sample] }, 'label name "a" appears twice'],
    '10^5 labels': [
      { labels: named('bad', ...Array.from({ length: 1e5 }, (_, i): [string, string] => [`l${i}`, 'v'])), samples: [sample] },
      'the limit is 64',
    ],
    'a name past the limit': [{ labels: named(times(1_025, 'n')), samples: [sample] }, 'has 1025 bytes, the limit is 1024'],
    'a label name past the limit': [{ labels: named('bad', [times(1_025, 'n'), 'v']), samples: [sample] }, 'the limit is 1024'],
    'a value past the limit': [{ labels: named('bad', ['l', times(8_193, 'v')]), samples: [sample] }, 'has 8193 bytes, the limit is 8192'],
    'the first of int64': [{ labels: named('bad'), samples: [{ value: 1, ts: -(2n ** 63n) }] }, 'outside +-2^53 milliseconds'],
    'the last of int64': [{ labels: named('bad'), samples: [{ value: 1, ts: 2n ** 63n - 1n }] }, 'outside +-2^53 milliseconds'],
    'a time past 2^53': [{ labels: named('bad'), samples: [{ value: 1, ts: 2n ** 53n + 2n }] }, 'outside +-2^53 milliseconds'],
    'a time that no calendar has': [{ labels: named('bad'), samples: [{ value: 1, ts: -8_640_000_000_000_001 }] }, 'is older than 360 h'],
    'a time past raw retention': [{ labels: named('bad'), samples: [{ value: 1, ts: NOW - 15 * 86_400_000 - 1 }] }, 'is older than 360 h'],
    'a time too far ahead': [{ labels: named('bad'), samples: [{ value: 1, ts: NOW + 600_001 }] }, 'more than 600 s ahead'],
  };

  it.each(Object.entries(bad))('%s is left out alone and named', async (_, [series, message]) => {
    const [before, after] = [freshName(), freshName()];
    const all = [good(before), series, good(after)];
    const one = await api.ask('/api/v1/write', remoteWrite(all));
    expect([one.status, one.text]).toEqual([400, expect.stringMatching(/^\d+ samples? (was|were) left out, the rest is stored; /)]);
    expect(one.text).toContain(message);
    const body = compressSync(Buffer.from(encodeWriteRequestV2(all as WireSeriesV2[])));
    const two = await api.ask('/api/v1/write', { headers: { 'content-type': V2, 'content-encoding': 'snappy' }, body });
    expect([two.status, two.headers.get('x-prometheus-remote-write-samples-written')]).toEqual([400, '2']);
    expect([await found(before), await found(after), await found('bad')]).toEqual([1, 1, 0]);
  });

  it('names that are special elsewhere are names like any other', async () => {
    const metric = freshName();
    const labels = ['__foo__', '__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name): [string, string] => [name, 'v']);
    expect((await api.ask('/api/v1/write', remoteWrite([{ labels: named(metric, ...labels), samples: [sample] }]))).status).toBe(204);
    const lines = `{"metric":{"__name__":"${metric}","__proto__":"w","constructor":"w"},"values":[2],"timestamps":[${NOW}]}\n`;
    expect((await api.ask('/api/v1/import', { body: lines })).status).toBe(204);
    expect(await api.series(metric)).toEqual([
      `{"__foo__":"v","__name__":"${metric}","__proto__":"v","constructor":"v","hasOwnProperty":"v","toString":"v"}`,
      `{"__name__":"${metric}","__proto__":"w","constructor":"w"}`,
    ]);
    expect(JSON.parse((await api.ask('/api/v1/label/__proto__/values')).text).data).toEqual(['v', 'w']);
    expect(({} as Record<string, unknown>).w).toBeUndefined();
  });

  it('NaN and infinities are values', async () => {
    const metric = freshName();
    const body = `${metric}{v="nan"} NaN\n${metric}{v="inf"} +Inf\n${metric}{v="minus"} -Inf\n`;
    expect((await api.ask('/api/v1/import/prometheus', { body })).status).toBe(204);
    const { text: answer } = await api.ask(`/api/v1/query?query=${metric}`);
    expect(['"NaN"', '"+Inf"', '"-Inf"'].every((value) => answer.includes(value))).toBe(true);
  });

  it.each<[string, Ask & { path: string }, string]>(
    [
      [
        'bytes that are no UTF-8, in a label',
        { path: '/api/v1/write', ...remoteWrite([{ labels: named('bad', ['l', 'v']), samples: [sample] }]) },
        '',
      ],
      [
        'lines that are no UTF-8',
        { path: '/api/v1/import/prometheus', body: Buffer.from('ok 1\nx{l="\xff"} 1\n', 'latin1') },
        'line 2, column 1: the line is not valid UTF-8',
      ],
      ['JSON 10^5 deep', { path: '/api/v1/import', body: times(1e5, '[') }, 'not valid JSON'],
      [
        'a record of JSON 10^5 deep',
        { path: '/firehose', body: times(1e5, '{"a":'), headers: { 'content-type': 'application/json' } },
        'must be JSON',
      ],
      [
        'an attribute 10^5 deep',
        {
          path: '/v1/metrics',
          headers: { 'content-type': 'application/json' },
          body: `{"resourceMetrics":[{"resource":{"attributes":[{"key":"k","value":${times(1e5, '{"arrayValue":{"values":[')}{}${times(1e5, ']}}')}}]}}]}`,
        },
        'nested',
      ],
      [
        'a number of 10^5 digits',
        {
          path: '/v1/metrics',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ asInt: times(1e5, '9') }] } }] }] }],
          }),
        },
        'asInt must be a whole number',
      ],
      ['an unknown precision', { path: '/write?precision=__proto__', body: 'x v=1' }, 'precision \\"__proto__\\" is not known'],
    ].slice(1) as [string, Ask & { path: string }, string][],
  )('%s are refused', async (_, { path, ...ask }, message) => {
    const told = await api.ask(path, ask);
    expect([told.status, told.text]).toEqual([400, expect.stringContaining(message)]);
  });
});

describe('metadata', () => {
  const emoji = '\ud83d\ude00';
  it.each<[string, string, (name: string) => Ask]>([
    ['a name that no key can be', '/api/v1/import/prometheus', (name) => ({ body: `# HELP ${times(5_000, 'n')} x\n${name} 1\n` })],
    [
      'such a name in OpenMetrics',
      '/api/v1/import/prometheus',
      (name) => ({
        body: `# TYPE ${times(5_000, 'n')} gauge\n# TYPE ${name} gauge\n${name} 1\n# EOF\n`,
        headers: { 'content-type': 'application/openmetrics-text' },
      }),
    ],
    [
      'a help text cut through a character',
      '/api/v1/import/prometheus',
      (name) => ({ body: `# HELP ${name} x${times(10_000, emoji)}\n${name} 1\n` }),
    ],
    [
      'a unit of 10^6 characters',
      '/firehose',
      (name) => ({
        body: delivery({ namespace: 'n', metric_name: name, timestamp: NOW, value: { sum: 1 }, unit: times(1e6, 'u') }),
        headers: { 'content-type': 'application/json' },
      }),
    ],
    [
      'a name that no key can be, of CloudWatch',
      '/firehose',
      (name) => ({
        body: delivery(
          { namespace: 'n', metric_name: times(5_000, 'm'), timestamp: NOW, value: { sum: 1 } },
          { namespace: 'n', metric_name: name, timestamp: NOW, value: { sum: 1 } },
        ),
        headers: { 'content-type': 'application/json' },
      }),
    ],
  ])('with %s costs no sample', async (_, path, askFor) => {
    const name = freshName();
    expect((await api.ask(path, askFor(name))).status).toBeLessThan(205);
    expect((await api.series(`{__name__=~".*${name}.*"}`)).length).toBe(1);
    expect((await api.ask('/api/v1/metadata')).status).toBe(200);
  });
});

it('reports no defect for any of that', () => expect(api.defects).toEqual([]));
