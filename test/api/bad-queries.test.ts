import { beforeAll, describe, expect, it } from 'vitest';
import { countTurns, form, list, refusal, times } from './refusals.ts';
import { createWholeApi, NOW, type WholeApi } from './whole-api.ts';

const SERIES = 1_000;

let api: WholeApi;
beforeAll(async () => {
  api = await createWholeApi();
  const lines = list(SERIES, (i) => `m{i="${i}",v="${times(40, 'a')}${i}"} ${i}`, '\n');
  expect((await api.ask('/api/v1/import/prometheus', { body: `${lines}\n` })).status).toBe(204);
});

const query = (text: string, fields: Record<string, string> = {}) => api.ask('/api/v1/query', form({ query: text, ...fields }));
const queryRange = (text: string, fields: Record<string, string> = {}) =>
  api.ask('/api/v1/query_range', form({ query: text, start: String(NOW / 1000 - 3600), end: String(NOW / 1000), step: '60', ...fields }));

describe('an expression', () => {
  it.each([
    ['10^5 parentheses', `${times(1e5, '(')}1${times(1e5, ')')}`, '1:251: parse error: expression is nested too deeply'],
    ['10^5 open parentheses', times(1e5, '('), '1:251: parse error: expression is nested too deeply'],
    ['10^5 signs', `${times(1e5, '-')}1`, '1:251: parse error: expression is nested too deeply'],
    ['10^5 calls', `${times(1e5, 'abs(')}m`, 'parse error: expression is nested too deeply'],
    ['10^5 operands', `1${times(1e5, '+1')}`, 'parse error: expression has too many operators in a row'],
    ['10^5 powers', `1${times(1e5, '^1')}`, 'parse error: expression is nested too deeply'],
    ['10^5 set operators', `m${times(1e5, ' or m')}`, 'parse error: expression has too many operators in a row'],
    ['10^5 subqueries', `m${times(1e5, '[5m:1m]')}`, 'parse error: expression has too many operators in a row'],
    ['10^5 parentheses in a duration', `m[${times(1e5, '(')}5m${times(1e5, ')')}]`, 'parse error: expression is nested too deeply'],
    ['10^5 durations', `m[5m${times(1e5, '+5m')}]`, 'parse error: expression has too many operators in a row'],
    ['10^6 digits', times(1e6, '1'), 'parse error: error parsing number'],
    ['10^6 blanks', times(1e6, ' '), 'parse error: no expression found in input'],
    ['a duration past all time', 'm[99999999999999999999y]', 'parse error: not a valid duration string'],
    ['a time that is none', 'm @ NaN', 'parse error: timestamp out of bounds for @ modifier'],
    ['a regular expression of 10^5 groups', `m{v=~"${times(1e5, '(')}${times(1e5, ')')}"}`, 'error parsing regexp: '],
    ['a regular expression of 10^6 repeats', 'm{v=~"((a{1,1000}){1,1000})"}', 'error parsing regexp: expression too large'],
    ['half a character', 'm{v="\ud800', 'parse error: invalid UTF-8 rune'],
  ])('of %s is refused with its place', async (_, text, message) => {
    for (const path of ['query', 'format_query', 'parse_query']) {
      expect(refusal(await api.ask(`/api/v1/${path}`, form({ query: text })))).toEqual([400, 'bad_data', expect.stringContaining(message)]);
    }
  });

  it.each([
    ['(a*)*b'],
    ['(a|a)*b|(.*.*.*.*.*)*x'],
    ['(a+a+)+y'],
    ['(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)z'],
    [times(1e3, '.*a')],
    [list(2e3, (i) => `b${i}.*c`, '|')],
  ])('with the slow pattern %.40s is answered', async (pattern) => {
    expect((await query(`count(m{v=~"${pattern}"})`)).text).toContain('"result":[]');
  });

  it.each([
    ['everything for ever', '{__name__=~".+"}', { start: '-9007199254740', end: '9007199254740', step: '1638036219' }, 200],
    ['all steps there may be', 'vector(1)', { start: String(NOW / 1000 - 11_000), step: '1' }, 200],
  ])('over %s is answered', async (_, text, fields, status) => expect((await queryRange(text, fields)).status).toBe(status));

  it.each([
    [
      '10^5 labels to group by',
      `sum by (${list(1e5, (i) => `a${i}`)}) (m)`,
      '100000 labels to group sum by are more than the 1000 that a query may have',
    ],
    ['10^5 labels to match by', `m + on (${list(1e5, (i) => `a${i}`)}) m`, '100000 labels to match + by'],
    ['10^5 labels not to match by', `m + ignoring (${list(1e5, (i) => `a${i}`)}) m`, '100000 labels to match + by'],
    ['10^5 labels to include', `m + on (i) group_left (${list(1e5, (i) => `a${i}`)}) m`, '100000 labels to include in +'],
    ['10^5 matchers', `max_over_time((-m{${list(1e5, (i) => `a${i}=""`)}})[5m:])`, '100001 matchers in a selector'],
    ['10^5 arguments', `topk(3, label_join(m, "x", ",", ${list(1e5, () => '"v"')}))`, '100003 arguments of label_join()'],
    ['a subquery of 10^11 steps', 'count_over_time(vector(1)[10y:1ms])', 'too many samples'],
    [
      'values that double 30 times',
      Array(30)
        .fill(0)
        .reduce((e) => `label_join(${e}, "v", "", "v", "v")`, 'm'),
      'more than 16384 characters',
    ],
    ['a label of 10^5 groups', `label_replace(m, "v", "${times(1e5, '$1')}", "v", "(.*)")`, 'more than 16384 characters'],
    ['more than int64 of the highest', 'topk(1e300, m)', 'overflows int64'],
  ])('of %s meets a limit', async (_, text, message) => {
    expect(refusal(await query(text))).toEqual([422, 'execution', expect.stringContaining(message)]);
  });

  it('at the ends of time has an answer', async () => {
    for (const time of ['-9007199254740.991', '9007199254740.991']) {
      for (const text of ['m', 'm offset 100y', 'rate(m[100y])', 'count_over_time(m[100y:1y])', 'year() + month() + day_of_month()'])
        expect((await query(text, { time })).status).toBe(200);
    }
  });

  it('that reads very much lets others have their turn', async () => {
    const selectors = await countTurns(query(list(200, (i) => `sum(m{i!="${i}"})`, '+')));
    expect([selectors.told.status, selectors.turns > 5]).toEqual([200, true]);
    const patterns = await countTurns(query(`count(m{${list(150, (i) => `v!~"x${i}(a|b)*c+"`)}})`));
    expect([patterns.told.text, patterns.turns > 5]).toEqual([expect.stringContaining(`"${SERIES}"`), true]);
    const longPattern = await countTurns(query(`count(m{v!~"${list(1e3, (i) => `b${i}.*c`, '|')}"})`));
    expect([longPattern.told.text, longPattern.turns > 2]).toEqual([expect.stringContaining(`"${SERIES}"`), true]);
  });
});

it('reports no defect for anything above', () => expect(api.defects).toEqual([]));
