import { describe, expect, it } from 'vitest';
import { parseExpr } from '#query/promql/parse.ts';
import { parseQueryJson } from '#query/promql/parse-query-json.ts';
import { prettyExpr } from '#query/promql/pretty.ts';
import { formatExpr } from '#query/promql/print.ts';

describe('one line', () => {
  it.each([
    ['sum(x)by(b,a)', 'sum by (b, a) (x)'],
    ['sum by () (x)', 'sum(x)'],
    ['avg without() (x)', 'avg without () (x)'],
    ['topk by("a.b", c)(3,x)', 'topk by ("a.b", c) (3, x)'],
    ['up{zone="b",job=~"a|c",} offset 90m', 'up{job=~"a|c",zone="b"} offset 1h30m'],
    ['{__name__="up"}', '{__name__="up"}'],
    ['{"up", "a b"!="c"}', '{"a b"!="c",__name__="up"}'],
    ['up[300]offset-7d@end()', 'up[5m] @ end() offset -1w'],
    ['up[8d:] @ 1.5', 'up[8d:] @ 1.500'],
    ['up[1y:90s]', 'up[1y:1m30s]'],
    ['up[5m*2+step()] offset -(5)', 'up[5m * 2 + step()] offset -(5)'],
    ['up[min_of((range()),1)^-2] smoothed', 'up[min_of((range()), 1) ^ -2] smoothed'],
    ['a+on()b', 'a + on () b'],
    ['a>bool ignoring()b', 'a > bool b'],
    ['a*ignoring(x)group_right b', 'a * ignoring (x) group_right () b'],
    ['a-fill(1e6)b', 'a - fill (1e+06) b'],
    ['a-fill_left(-1)fill_right(0.5)b', 'a - fill_left (-1) fill_right (0.5) b'],
    ['- - a ^-1', '--a ^ -1'],
    ['1e21+1e-7-Inf*-nan', '1000000000000000000000 + 0.0000001 - +Inf * NaN'],
    ['1m30s+0s+1500ms', '1m30s + 0s + 1s500ms'],
    ['"a\\nb\\"é\\x00"', '"a\\nb\\"é\\x00"'],
    ["'\\xff\\ufffd'", '"\\xff\\ufffd"'],
  ])('%s', (query, line) => {
    expect(formatExpr(parseExpr(query))).toBe(line);
  });
});

const long = 'a_metric_with_a_name_that_takes_some_room{label="value",other="another value of some length"}';

describe('several lines', () => {
  it('leaves what fits on 100 bytes alone', () => {
    expect(prettyExpr(parseExpr('sum( rate(up[5m]) )by(job)/2'))).toBe('sum by (job) (rate(up[5m])) / 2');
    expect(prettyExpr(parseExpr(long))).toBe(long);
  });

  it('breaks aggregations, calls and operators', () => {
    expect(prettyExpr(parseExpr(`topk by (job) (5, rate(${long}[5m])) / on (job) group_left (zone) (b + 1)`))).toBe(
      ['  topk by (job) (', '    5,', '    rate(', `      ${long}[5m]`, '    )', '  )', '/ on (job) group_left (zone)', '  (b + 1)'].join(
        '\n',
      ),
    );
  });

  it('breaks parentheses, signs and subqueries', () => {
    expect(prettyExpr(parseExpr(`-max_over_time((${long} > bool 0)[1h:1m] offset 5m)`))).toBe(
      ['-max_over_time(', '  (', `      ${long}`, '    > bool', '      0', '  )[1h:1m] offset 5m', ')'].join('\n'),
    );
  });

  it('counts bytes, not characters', () => {
    const query = `abs({"${'é'.repeat(45)}"})`;
    expect(query.length).toBeLessThan(100);
    expect(prettyExpr(parseExpr(query))).toContain('\n');
  });

  it('refuses a result without measure', () => {
    const terms = Array.from({ length: 900 }, () => `label_join(x,"a"${',"0123456789"'.repeat(60)})`);
    expect(() => prettyExpr(parseExpr(terms.join('+')))).toThrow('the formatted query is longer than');
  });
});

describe('the tree of parse_query', () => {
  it('has a selector with its matchers and modifiers', () => {
    expect(parseQueryJson(parseExpr('up{job!~"a"} @ start() offset -5m'))).toEqual({
      type: 'vectorSelector',
      name: 'up',
      matchers: [
        { name: 'job', type: '!~', value: 'a' },
        { name: '__name__', type: '=', value: 'up' },
      ],
      offset: -300_000,
      offsetExpr: null,
      timestamp: null,
      startOrEnd: 'start',
      anchored: false,
      smoothed: false,
    });
  });

  it('has ranges as milliseconds or as expressions', () => {
    expect(parseQueryJson(parseExpr('up[5m] anchored @ 2'))).toMatchObject({
      type: 'matrixSelector',
      range: 300_000,
      rangeExpr: null,
      timestamp: 2000,
      anchored: true,
    });
    expect(parseQueryJson(parseExpr('up[-(5):max_of(1m, step())]'))).toMatchObject({
      type: 'subquery',
      range: 0,
      rangeExpr: {
        type: 'durationExpr',
        op: '-',
        lhs: null,
        rhs: { type: 'durationExpr', op: '+', lhs: null, rhs: { type: 'numberLiteral', val: '5', duration: false }, wrapped: true },
        wrapped: false,
      },
      step: 0,
      stepExpr: { op: 'max_of', lhs: { val: '60', duration: true }, rhs: { op: 'step', lhs: null, rhs: null } },
    });
    expect(parseQueryJson(parseExpr('up[(step() + 1)]'))).toMatchObject({ rangeExpr: { op: '+', wrapped: true } });
  });

  it('has operators, calls and aggregations', () => {
    expect(parseQueryJson(parseExpr('a / on (x) group_left fill_left (2) b'))).toMatchObject({
      type: 'binaryExpr',
      op: '/',
      lhs: { name: 'a' },
      matching: { card: 'many-to-one', labels: ['x'], on: true, include: [], fillValues: { lhs: 2, rhs: null } },
      bool: false,
    });
    expect(parseQueryJson(parseExpr('-(1 + 2)'))).toEqual({
      type: 'unaryExpr',
      op: '-',
      expr: {
        type: 'parenExpr',
        expr: {
          type: 'binaryExpr',
          op: '+',
          lhs: { type: 'numberLiteral', val: '1' },
          rhs: { type: 'numberLiteral', val: '2' },
          matching: null,
          bool: false,
        },
      },
    });
    expect(parseQueryJson(parseExpr('count_values without (x) ("v", round(a))'))).toMatchObject({
      type: 'aggregation',
      op: 'count_values',
      param: { type: 'stringLiteral', val: 'v' },
      grouping: ['x'],
      without: true,
      expr: { type: 'call', func: { name: 'round', argTypes: ['vector', 'scalar'], variadic: 1, returnType: 'vector' } },
    });
    expect(parseQueryJson(parseExpr('sum(a)'))).toMatchObject({ param: null, grouping: [] });
  });
});
