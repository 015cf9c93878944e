import { describe, expect, it } from 'vitest';
import { rowsOf } from './decoded-rows.ts';
import { createTranslator, decode, decodeJson } from './otlp-decode.ts';
import { type AttributeValue, type Metric, otlpJson, type ResourceMetrics } from './otlp-writer.ts';

const T = 1_700_000_000_000;
const CUMULATIVE = 2;
const service = { 'service.namespace': 'shop', 'service.name': 'cart', 'service.instance.id': 'i-1' };
const identity = '"instance":"i-1","job":"shop/cart"';
const metrics = (...list: Metric[]): ResourceMetrics[] => [{ metrics: list }];
const rows = (...list: Metric[]) => rowsOf(decode(metrics(...list)));
const gauge = (name: string, unit = ''): Metric => ({ name, unit, gauge: [{ tsMs: T, double: 1 }] });
const sum = (name: string, unit = ''): Metric => ({
  name,
  unit,
  sum: { temporality: CUMULATIVE, monotonic: true, points: [{ tsMs: T, double: 1 }] },
});

describe('names and units', () => {
  it.each<[string, Metric, string]>([
    ['a monotonic sum gets _total', sum('http.requests'), 'http_requests_total'],
    ['which is not said twice', sum('http.requests.total'), 'http_requests_total'],
    ['nor in the middle', sum('total.requests'), 'requests_total'],
    ['seconds', gauge('http.server.duration', 's'), 'http_server_duration_seconds'],
    ['bytes', gauge('memory', 'By'), 'memory_bytes'],
    ['a unit that the name has', gauge('memory.bytes', 'By'), 'memory_bytes'],
    ['a unit before _total', sum('io', 'By'), 'io_bytes_total'],
    ['a gauge of unit 1 is a ratio', gauge('cpu.utilization', '1'), 'cpu_utilization_ratio'],
    ['a sum of unit 1 is none', sum('things', '1'), 'things_total'],
    ['braces say nothing', gauge('queue.length', '{items}'), 'queue_length'],
    ['a rate', gauge('net', 'By/s'), 'net_bytes_per_second'],
    ['a rate of things', gauge('fan', '{rotation}/m'), 'fan_per_minute'],
    ['an unknown unit as it is', gauge('x', 'furlong'), 'x_furlong'],
    ['percent', gauge('load', '%'), 'load_percent'],
    ['other characters become one underscore', gauge('a..b--c'), 'a_b_c'],
    ['a digit in front', gauge('1st.try'), '_1st_try'],
    ['Unicode becomes underscores', gauge('größe.x'), 'gr_e_x'],
  ])('%s', (_, metric, name) => {
    expect(rows(metric)).toEqual([`${name}{} 1 @${T}`]);
  });

  it('translates labels and joins those that become one', () => {
    const point = { tsMs: T, double: 1, attributes: { 'http.method': 'GET', http_method: 'POST', '1x': 'd', _y: 'u', __z: 'w' } };
    expect(rows({ name: 'm', gauge: [point] })).toEqual([`m{"__z":"w","http_method":"GET;POST","key_1x":"d","key_y":"u"} 1 @${T}`]);
  });

  it.each<[string, AttributeValue, string]>([
    ['a boolean', true, 'true'],
    ['an integer past 2^53', 9_223_372_036_854_775_807n, '9223372036854775807'],
    ['a negative integer', -5n, '-5'],
    ['a double', 1.5, '1.5'],
    ['a list', ['a', 1n, true], '["a",1,true]'],
    ['a map, sorted', { map: { b: 'x', a: 2n } }, '{"a":2,"b":"x"}'],
    ['bytes', Uint8Array.of(1, 2, 255), 'AQL/'],
  ])('writes %s as text', (_, value, text) => {
    const resources = metrics({ name: 'm', gauge: [{ tsMs: T, double: 1, attributes: { a: value } }] });
    const expected = [`m{"a":${JSON.stringify(text)}} 1 @${T}`];
    expect(rowsOf(decode(resources))).toEqual(expected);
    expect(rowsOf(decodeJson(otlpJson(resources)))).toEqual(expected);
  });

  it('keeps names where the setting says so', () => {
    const translator = createTranslator({ keepUtf8Names: true });
    const resource = { ...service, 'host.name': 'h' };
    const histogram = { temporality: CUMULATIVE, points: [{ tsMs: T, count: 1, counts: [1], bounds: [] }] };
    const list = [
      { ...sum('größe.x', 'By'), sum: { temporality: 2, monotonic: true, points: [{ tsMs: T, double: 1, attributes: { 'a.b': 'c' } }] } },
    ];
    expect(rowsOf(decode([{ resource, metrics: [...list, { name: 'h.d', unit: 's', histogram }] }], translator))).toEqual([
      `größe.x{"a.b":"c",${identity}} 1 @${T}`,
      `h.d_count{${identity}} 1 @${T}`,
      `h.d_bucket{${identity},"le":"+Inf"} 1 @${T}`,
      `target_info{"host.name":"h",${identity}} 1 @${T}`,
    ]);
  });

  it('takes metadata over', () => {
    const decoded = decode(metrics({ ...sum('http.requests'), description: 'All of them' }, gauge('m', 'By'), gauge('m', 'By')));
    expect(decoded.metadata).toEqual([
      { metric: 'http_requests_total', type: 'counter', help: 'All of them', unit: '' },
      { metric: 'm_bytes', type: 'gauge', help: '', unit: 'bytes' },
    ]);
  });
});

describe('resources and scopes', () => {
  it('makes job, instance and target_info of a resource', () => {
    const resource = { ...service, 'host.name': 'h' };
    expect(rowsOf(decode([{ resource, metrics: [gauge('m')] }]))).toEqual([
      `m{${identity}} 1 @${T}`,
      `target_info{"host_name":"h",${identity}} 1 @${T}`,
    ]);
  });

  it.each<[string, ResourceMetrics['resource'], string]>([
    ['only a name', { 'service.name': 'cart' }, '{"job":"cart"}'],
    ['only an instance', { 'service.instance.id': 'i' }, '{"instance":"i"}'],
    ['a namespace alone', { 'service.namespace': 'shop' }, '{}'],
    ['nothing of a service', { 'host.name': 'h' }, '{}'],
    ['none', undefined, '{}'],
  ])('has no target_info for a resource with %s', (_, resource, json) => {
    expect(rowsOf(decode([{ ...(resource && { resource }), metrics: [gauge('m')] }]))).toEqual([`m${json} 1 @${T}`]);
  });

  it('repeats target_info often enough to be found at every point', () => {
    const points = [0, 60_000, 400_000, 30_000, 401_000].map((after) => ({ tsMs: 1_650_000_000_000 + after, double: 1 }));
    const decoded = decode([{ resource: { 'service.name': 'a', b: 'c' }, metrics: [{ name: 'm', gauge: points }] }]);
    const info = rowsOf(decoded).filter((row) => row.startsWith('target_info'));
    expect(info).toEqual([`target_info{"b":"c","job":"a"} 1 @1650000060000`, `target_info{"b":"c","job":"a"} 1 @1650000401000`]);
  });

  it('adds scope labels only where the setting says so', () => {
    const scope = { name: 'lib', version: '2', attributes: { a: 'b' } };
    const resources = [{ scope, schemaUrl: 'u', metrics: [gauge('m')] }];
    expect(rowsOf(decode(resources))).toEqual([`m{} 1 @${T}`]);
    expect(rowsOf(decode(resources, createTranslator({ scopeLabels: true })))).toEqual([
      `m{"otel_scope_a":"b","otel_scope_name":"lib","otel_scope_schema_url":"u","otel_scope_version":"2"} 1 @${T}`,
    ]);
  });

  it('lets the resource win over a point that names its own job', () => {
    const point = { tsMs: T, double: 1, attributes: { job: 'mine', instance: 'mine' } };
    expect(rowsOf(decode([{ resource: service, metrics: [{ name: 'm', gauge: [point] }] }]))).toEqual([`m{${identity}} 1 @${T}`]);
  });
});
