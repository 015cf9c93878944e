import { beforeAll, describe, expect, it } from 'vitest';
import { countTurns, form, list, refusal, times } from './refusals.ts';
import { type Ask, createWholeApi, type WholeApi } from './whole-api.ts';

let api: WholeApi;
beforeAll(async () => {
  api = await createWholeApi();
  const lines = list(1_000, (i) => `m{i="${i}",v="${times(40, 'a')}${i}"} ${i}`, '\n');
  expect((await api.ask('/api/v1/import/prometheus', { body: `${lines}\n` })).status).toBe(204);
});

describe('parameters', () => {
  it.each<[string, string, Ask, number, RegExp]>([
    [
      'a time that is a word',
      'query',
      form({ query: 'm', time: 'yesterday' }),
      400,
      /"time": .*cannot parse "yesterday" to a valid timestamp/,
    ],
    ['a day that is none', 'query', form({ query: 'm', time: '2026-13-45T00:00:00Z' }), 400, /cannot parse "2026-13-45T00:00:00Z"/],
    ['a time past all', 'query', form({ query: 'm', time: '1e309' }), 400, /cannot parse "1e309"/],
    ['no time', 'query_range', form({ query: 'm' }), 400, /"start": cannot parse "" to a valid timestamp/],
    [
      'an end before the start',
      'query_range',
      form({ query: 'm', start: '2', end: '1', step: '1' }),
      400,
      /end timestamp must not be before start/,
    ],
    [
      'too small a step',
      'query_range',
      form({ query: 'm', start: '0', end: '1', step: '0.0000001' }),
      400,
      /zero or negative query resolution/,
    ],
    [
      'too many steps',
      'query_range',
      form({ query: 'm', start: '0', end: '9e9', step: '1' }),
      400,
      /exceeded maximum resolution of 11,000 points/,
    ],
    ['a limit below nothing', 'query', form({ query: 'm', limit: '-1' }), 400, /"limit": limit must be non-negative/],
    ['a limit past int64', 'query', form({ query: 'm', limit: times(30, '9') }), 400, /"limit": .*value out of range/],
    ['a limit that is a word', 'series', form({ 'match[]': 'm', limit: 'all' }), 400, /"limit": .*invalid syntax/],
    ['a timeout that is a word', 'query', form({ query: 'm', timeout: 'soon' }), 400, /"timeout": cannot parse "soon"/],
    ['no time left', 'query', form({ query: 'm', timeout: '-1' }), 503, /query timed out/],
    ['a lookback past int64', 'query', form({ query: 'm', lookback_delta: '1e30' }), 400, /lookback delta duration: .*overflows int64/],
    ['an unknown extrapolation', 'query', form({ query: 'm', extrapolation: '__proto__' }), 400, /"extrapolation": unknown value/],
    ['no match[]', 'series', form({}), 400, /no match\[\] parameter provided/],
    ['an empty match[]', 'series', form({ 'match[]': '{}' }), 400, /at least one non-empty matcher/],
    ['a match[] that is none', 'labels', form({ 'match[]': '((((' }), 400, /unexpected "\("/],
    ['a metadata limit that is a word', 'metadata?limit=all', {}, 400, /limit must be a number/],
    ['a metadata limit with a fraction', 'metadata?limit=1.5', {}, 400, /limit must be a number/],
    ['a metadata limit a metric', 'metadata?limit_per_metric=x', {}, 400, /limit_per_metric must be a number/],
    ['an empty label name', 'label/U__/values', {}, 400, /invalid label name/],
  ])('with %s are refused', async (_, path, ask, status, message) => {
    const [told, type, error] = refusal(await api.ask(`/api/v1/${path}`, ask));
    expect([told, type, error]).toEqual([status, status === 503 ? 'timeout' : 'bad_data', expect.stringMatching(message)]);
  });

  const encoded = { 'content-type': 'application/x-www-form-urlencoded' };
  it.each([
    ['too many match[]', 'series', list(1_001, (i) => `match[]=m{i="${i}"}`, '&'), 400, '1001 match[] parameters are more than 1000'],
    ['10^5 match[]', 'series', list(1e5, (i) => `match[]=m{i="${i}"}`, '&'), 422, 'the form has more than 10000 parameters'],
    ['10^6 empty parameters', 'query', times(1e6, 'a&'), 422, 'the form has more than 10000 parameters'],
    ['11 MB', 'query', `query=${times(11e6, 'x')}`, 422, 'the body is larger than 10485760 bytes'],
  ])('of a form with %s are refused', async (_, path, body, status, message) => {
    expect(refusal(await api.ask(`/api/v1/${path}`, { headers: encoded, body }))).toEqual([
      status,
      status === 400 ? 'bad_data' : 'execution',
      expect.stringContaining(message),
    ]);
  });

  it('that are no UTF-8 are refused', async () => {
    const body = Buffer.from('query=\xff', 'latin1');
    expect(refusal(await api.ask('/api/v1/query', { headers: encoded, body }))).toEqual([
      400,
      'bad_data',
      'error parsing form values: the form is not UTF-8',
    ]);
  });

  it('of metadata that no metric can have find nothing', async () => {
    for (const metric of [times(5_000, 'x'), '\0', '%ff', '\ud800', '__proto__'])
      expect(JSON.parse((await api.ask(`/api/v1/metadata?metric=${encodeURIComponent(metric.toWellFormed())}`)).text)).toEqual({
        status: 'success',
        data: {},
      });
    expect((await api.ask('/api/v1/metadata?limit=')).status).toBe(200);
  });

  it('in many match[] let others have their turn', async () => {
    const body = list(100, (i) => `match[]=${encodeURIComponent(`{v=~"b+${i}(b|c)*"}`)}`, '&');
    const { told, turns } = await countTurns(api.ask('/api/v1/series', { headers: encoded, body }));
    expect([told.text, turns > 5]).toEqual(['{"status":"success","data":[]}', true]);
  });

  it.each(['%ff', '%', '%00', '%2f', 'U___ffffff_', '__proto__', 'constructor', times(8_000, 'x')])(
    'in an address, such as a label, find what there is',
    async (name) => expect((await api.ask(`/api/v1/label/${name}/values`)).text).toBe('{"status":"success","data":[]}'),
  );
});

it('reports no defect for anything above', () => expect(api.defects).toEqual([]));
