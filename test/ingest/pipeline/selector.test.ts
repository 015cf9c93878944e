import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { parseCalculation } from '#ingest/pipeline/calculation.ts';
import { compileSelector, parseSelector } from '#ingest/pipeline/selector.ts';
import { series } from './support.ts';

const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a selector', () => {
  const m = (name: string, op: string, value: string) => ({ name, op, value });
  it.each([
    ['a name', 'up', [m('__name__', '=', 'up')]],
    [
      'matchers of each kind',
      '{a="b",c!="d",e=~"f.*",g!~"h"}',
      [m('a', '=', 'b'), m('c', '!=', 'd'), m('e', '=~', 'f.*'), m('g', '!~', 'h')],
    ],
    ['a name and matchers, spaces and a last comma', ' job:up { a = "b" , } ', [m('__name__', '=', 'job:up'), m('a', '=', 'b')]],
    [
      'quotes of each kind',
      `{a='x"y',b=\`\\d\`,c="\\"\\\\\\n\\x41\\u00e4\\101"}`,
      [m('a', '=', 'x"y'), m('b', '=', '\\d'), m('c', '=', '"\\\nAäA')],
    ],
    ['quoted names', '{"http.requests","k8s.pod"=~"a|b"}', [m('__name__', '=', 'http.requests'), m('k8s.pod', '=~', 'a|b')]],
  ])('reads %s', (_name, text, matchers) => expect(parseSelector(text)).toEqual(matchers));

  it.each([
    ['nothing', '', 'a selector needs at least one matcher, such as {job="api"}; leave `match` out to match everything'],
    ['empty braces', '{}', 'a selector needs at least one matcher, such as {job="api"}; leave `match` out to match everything'],
    ['an open brace', '{a="b"', 'column 7: the selector ends where , or } should be'],
    ['something after', 'up{a="b"}[5m]', 'column 10: there is "[" where the end should be'],
    ['a missing operator', '{a "b"}', 'column 4: there is "\\"" where one of =, !=, =~, !~ should be'],
    ['two names', '{"a","b"}', 'column 9: there is "}" where one of =, !=, =~, !~ should be'],
    ['an open quote', '{a="b}', 'column 4: there is "\\"" where a text in quotes should be'],
    ['an unknown escape', '{a="\\q"}', `column 4: "\\q" has an escape that Go's strings do not know, or no valid text`],
    ['half a surrogate', '{a="\\ud800"}', `column 4: "\\ud800" has an escape that Go's strings do not know, or no valid text`],
    ['a broken pattern', '{a=~"["}', 'error parsing regexp: missing closing ]: `[`'],
  ])('refuses %s', (_name, text, message) => expect(refusal(() => parseSelector(text))).toBe(message));

  it('tests the metric and absent labels', () => {
    const api = series({ __name__: 'up', job: 'api' });
    const matches = (text: string | undefined) => compileSelector(text)(api);
    expect(['up', '{job="api"}', '{job!="x",none=""}', '{__name__=~"u.",none!~".+"}', undefined].map(matches)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(['down', '{job=""}', '{none=~".+"}', 'up{job!~"a.*"}'].map(matches)).toEqual([false, false, false, false]);
  });

  it('never fails otherwise, and never at length', () => {
    const piece = fc.constantFrom('{', '}', '"', "'", '`', '\\', 'a', '=', '=~', '!', ',', ' ', '\n', '\\u12', '(', '\ud800');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => void refusal(() => parseSelector(pieces.join('')))),
      { numRuns: 2_000 },
    );
    expect(refusal(() => parseSelector(`{a="${'\\n'.repeat(30_000)}"}`))).toBe('accepted');
    expect(refusal(() => parseSelector('{'.repeat(100_000)))).toMatch(/at most 65536 characters/);
  });
});

describe('an expression', () => {
  const value = (text: string, values: Record<string, number> = {}) => {
    const { metrics, evaluate } = parseCalculation(text);
    return evaluate(metrics.map((metric) => values[metric] ?? Number.NaN));
  };
  it.each([
    ['precedence', 'a + b * 2', 7],
    ['from left to right', 'a - b - 1', -3],
    ['power binds to the right', '2 ^ b ^ 2 + 0 * a', 512],
    ['unary minus binds less than power', '-b ^ 2 * a', -9],
    ['a negative power', 'b ^ -a', 1 / 3],
    ['parentheses', '(a + b) % 3', 1],
    ['division by zero', 'a / 0', Number.POSITIVE_INFINITY],
    ['one to any power', '1 ^ (a / 0 - a / 0)', 1],
    ['numbers', '1e3 * .5 + 2. * a', 502],
    ['signs', '+a - -b', 4],
  ])('computes %s', (_name, text, want) => expect(value(text, { a: 1, b: 3 })).toBe(want));

  it('names each metric once', () => expect(parseCalculation('b:x / (a + b:x)').metrics).toEqual(['b:x', 'a']));

  it.each([
    ['nothing', '', 'column 1: the expression ends where a metric name or a number should be'],
    ['no metric', '1 + 2', 'an expression names at least one metric'],
    ['an open parenthesis', '(a', 'column 3: the expression ends where ) should be'],
    ['two names', 'a b', 'column 3: there is "b" where an operator should be'],
    ['another character', 'a + #', 'column 5: "#" is no metric name, number or one of + - * / % ^ ( )'],
    ['a selector', 'a{x="y"}', 'column 2: "{" is no metric name, number or one of + - * / % ^ ( )'],
    ['depth', `${'('.repeat(200)}a`, 'column 102: the expression nests more than 100 deep'],
    ['length', 'a+'.repeat(5_000), 'an expression has at most 4096 characters; this one has 10000'],
  ])('refuses %s', (_name, text, message) => expect(refusal(() => parseCalculation(text))).toBe(message));

  it('never fails otherwise', () => {
    const piece = fc.constantFrom('a', '1', '.', 'e', '+', '-', '*', '^', '(', ')', ' ', '%', '/', '"', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => void refusal(() => parseCalculation(pieces.join('')))),
      { numRuns: 2_000 },
    );
  });
});
