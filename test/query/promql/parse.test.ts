// biome-ignore-all lint/style/noExcessiveLinesPerFile: tables of expressions with what is said of each

import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { Expr } from '#query/promql/ast.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { parseSelector } from '#query/promql/parse-selector.ts';
import { formatExpr } from '#query/promql/print.ts';
import { corpus } from '#test/corpora.ts';
import { readEvalExpressions } from './eval-lines.ts';
import { withoutSpans } from './without-spans.ts';

function refusal(query: string): string {
  try {
    parseExpr(query);
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
}

/** Every operator and modifier with its operands in braces; names, numbers and strings as they are. */
function shape(expr: Expr): string {
  switch (expr.kind) {
    case 'binary':
      return `{${shape(expr.lhs)} ${expr.op} ${shape(expr.rhs)}}`;
    case 'unary':
      return `{${expr.op}${shape(expr.expr)}}`;
    case 'parens':
      return `(${shape(expr.expr)})`;
    case 'subquery':
      return `{${shape(expr.expr)} over ${expr.rangeMs}:${expr.stepMs} offset ${expr.modifiers.offsetMs}}`;
    case 'matrixSelector':
      return `{${expr.vector.name} over ${expr.rangeMs} offset ${expr.vector.modifiers.offsetMs}}`;
    case 'vectorSelector':
      return expr.modifiers.offsetMs === 0 ? expr.name : `{${expr.name} offset ${expr.modifiers.offsetMs}}`;
    case 'call':
      return `${expr.func}(${expr.args.map(shape).join(', ')})`;
    case 'aggregate':
      return `${expr.op}(${shape(expr.expr)})`;
    default:
      return String(expr.value);
  }
}

describe('numbers', () => {
  it.each([
    ['1', 1],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['+2.5E-1', 0.25],
    ['-7', -7],
    ['- +7', -7],
    ['1_000_000', 1e6],
    ['0x2a', 42],
    ['0X_ff', 255],
    ['0o17', undefined],
    ['017', 15],
    ['089', 89],
    ['9223372036854775808', 2 ** 63],
    ['Inf', Number.POSITIVE_INFINITY],
    ['-iNf', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['1h30m', 5400],
    ['1y', 31_536_000],
    ['-250ms', -0.25],
  ])('%s is %s', (text, value) => {
    if (value === undefined) expect(refusal(text)).toBe('1:1: parse error: bad number or duration syntax: "0"');
    else expect(parseExpr(text)).toMatchObject({ kind: 'number', value });
  });

  it('tells a duration from a number', () => {
    expect(parseExpr('5m')).toMatchObject({ value: 300, isDuration: true });
    expect(parseExpr('300')).toMatchObject({ value: 300, isDuration: false });
  });
});

describe('strings', () => {
  it.each([
    [String.raw`"a\tb"`, 'a\tb'],
    [String.raw`'it\'s "quoted"'`, 'it\'s "quoted"'],
    ['`raw \\n \'"`', 'raw \\n \'"'],
    [String.raw`"\x41\101é\U0001F600"`, 'AAé😀'],
    [String.raw`"\xe2\x82\xac \342\202\254"`, '€ €'],
    [String.raw`"\\xff \xff\xc3\xa9\xc3"`, '\\xff \udcffé\udcc3'],
    ['"\\a\\b\\f\\v\\\\"', '\u0007\b\f\v\\'],
    ['"#"', '#'],
  ])('%s', (literal, value) => {
    expect(parseExpr(literal)).toMatchObject({ kind: 'string', value });
  });
});

describe('structure', () => {
  it.each([
    ['sums bind looser than products', 'a + b * c - d', '{{a + {b * c}} - d}'],
    ['powers bind to the right', '2 ^ a ^ 3', '{2 ^ {a ^ 3}}'],
    ['a sign binds looser than a power', '-a ^ 2', '{-{a ^ 2}}'],
    ['a sign binds tighter than a product', '-a * b', '{{-a} * b}'],
    ['a sign is folded into a number', '- 3 ^ 2', '{-{3 ^ 2}}'],
    ['atan2 is a product', 'a + b atan2 c', '{a + {b atan2 c}}'],
    ['set operators are loosest, and before or', 'a or b and c > 1 unless d', '{a or {{b and {c > 1}} unless d}}'],
    ['trimming operators compare', 'h </ 2 + 1 >/ 3', '{{h </ {2 + 1}} >/ 3}'],
    ['an offset applies to its selector', 'a + b offset 5m', '{a + {b offset 300000}}'],
    ['an operator after an offset is outside of it', 'a offset 5m * 2', '{{a offset 300000} * 2}'],
    ['an offset may be negative', 'a offset -1h', '{a offset -3600000}'],
    ['a number is an offset in seconds', 'a[90] offset 1.5', '{a over 90000 offset 1500}'],
    [
      'a subquery has its own offset',
      'rate(a[1m] offset 1s)[1h:] offset 2s',
      '{rate({a over 60000 offset 1000}) over 3600000:0 offset 2000}',
    ],
    ['subqueries nest', 'a[5m:1m][1h:10m]', undefined],
    ['keywords are names too', 'sum + by offset 5m - offset', '{{sum + {by offset 300000}} - offset}'],
    ['fill is a keyword only before a parenthesis', 'fill + fill_left', '{fill + fill_left}'],
    ['functions may share names with keywords', 'start() + end() - step() + range()', '{{{start() + end()} - step()} + range()}'],
    ['min_of and max_of are functions too', 'max_of(1, min_of(2, 3))', 'max_of(1, min_of(2, 3))'],
    ['comments end with the line', '# first\na # second\n+ b # third', '{a + b}'],
    ['case of keywords does not matter', 'SUM BY (x) (a) AND b', '{sum(a) and b}'],
  ])('%s', (_, query, expected) => {
    if (expected === undefined)
      expect(refusal(query)).toBe('1:1: parse error: subquery is only allowed on instant vector, got matrix instead');
    else expect(shape(parseExpr(query))).toBe(expected);
  });
});

describe('selectors', () => {
  it('puts the name behind the matchers as a matcher of its own', () => {
    expect(parseExpr('up{job="a",zone!="b",x=~"c.*",y!~"d"}')).toMatchObject({
      name: 'up',
      matchers: [
        { name: 'job', op: '=', value: 'a' },
        { name: 'zone', op: '!=', value: 'b' },
        { name: 'x', op: '=~', value: 'c.*' },
        { name: 'y', op: '!~', value: 'd' },
        { name: '__name__', op: '=', value: 'up' },
      ],
    });
  });

  it('takes UTF-8 names in quotes, of metrics and of labels', () => {
    expect(parseExpr('{"http.requests", "été"="x",}')).toMatchObject({
      name: '',
      matchers: [
        { name: '__name__', op: '=', value: 'http.requests' },
        { name: 'été', op: '=', value: 'x' },
      ],
    });
    expect(parseExpr('sum by ("http.method") (x)')).toMatchObject({ grouping: ['http.method'] });
  });

  it.each([
    ['up @ 1.0005', 1001],
    ['up @ -0.0005', -1],
    ['up @ start()', 'start'],
    ['up @ end() offset 1m', 'end'],
    ['up offset 1m @ 1609746000', 1_609_746_000_000],
  ])('%s', (query, at) => {
    expect(parseExpr(query)).toMatchObject({ modifiers: { at } });
  });

  it('marks anchored and smoothed selectors, with a range or without', () => {
    expect(parseExpr('up[5m] anchored')).toMatchObject({ vector: { anchored: true, smoothed: false } });
    expect(parseExpr('up smoothed offset 1m')).toMatchObject({ anchored: false, smoothed: true, modifiers: { offsetMs: 60_000 } });
  });

  it('keeps durations that depend on the query as expressions', () => {
    expect(parseExpr('up[5m * 2 + step()] offset -(range())')).toMatchObject({
      rangeMs: 0,
      rangeExpr: {
        op: '+',
        args: [
          {
            op: '*',
            args: [
              { seconds: 300, isDuration: true },
              { seconds: 2, isDuration: false },
            ],
          },
          { op: 'step' },
        ],
      },
      vector: { modifiers: { offsetMs: 0, offsetExpr: { op: 'neg', args: [{ op: 'parens', args: [{ op: 'range' }] }] } } },
    });
    expect(parseExpr('up[max_of(step(), 1m):min_of(5s, step())]')).toMatchObject({ rangeExpr: { op: 'max' }, stepExpr: { op: 'min' } });
  });

  it('reads the selector of match[] by itself', () => {
    expect(parseSelector('up{job="a"}')).toEqual([
      { name: 'job', op: '=', value: 'a' },
      { name: '__name__', op: '=', value: 'up' },
    ]);
    expect(parseSelector('{}')).toEqual([]);
    expect(() => parseSelector('up offset 5m')).toThrow('1:4: parse error: unexpected <offset>');
    expect(() => parseSelector('')).toThrow('unknown position: parse error: unexpected end of input');
    expect(() => parseSelector('rate(up[5m])')).toThrow('1:5: parse error: unexpected "("');
  });
});

describe('binary operators', () => {
  it('reads matching, grouping and fill values', () => {
    expect(parseExpr('a / on (x, by) group_left (z) fill (0) b')).toMatchObject({
      matching: { card: 'many-to-one', on: true, labels: ['x', 'by'], include: ['z'], fill: { lhs: 0, rhs: 0 } },
    });
    expect(parseExpr('a == bool ignoring () group_right b')).toMatchObject({
      returnBool: true,
      matching: { card: 'one-to-many', on: false, labels: [], include: [] },
    });
    expect(parseExpr('a + fill_right (-1) fill_left (Inf) b')).toMatchObject({
      matching: { fill: { lhs: Number.POSITIVE_INFINITY, rhs: -1 } },
    });
    expect(parseExpr('a and on (x) b')).toMatchObject({ matching: { card: 'many-to-many' } });
  });

  it('has no matching where a side is a scalar', () => {
    expect(parseExpr('a + 1')).toHaveProperty('matching', undefined);
    expect(parseExpr('a + on () 1')).toHaveProperty('matching', undefined);
  });
});

describe('refusals say what Prometheus says', () => {
  it.each([
    ['', 'unknown position: parse error: no expression found in input'],
    [' # nothing', '1:1: parse error: no expression found in input'],
    ['up +', '1:5: parse error: unexpected end of input'],
    ['up up', '1:4: parse error: unexpected identifier "up"'],
    ['up job:rate', '1:4: parse error: unexpected metric identifier "job:rate"'],
    ['up\n  + * 2', '2:5: parse error: unexpected <op:*>'],
    ['"é" é', "1:6: parse error: unexpected character: 'é'"],
    ['(up', '1:4: parse error: unclosed left parenthesis'],
    ['up)', "1:4: parse error: unexpected right parenthesis ')'"],
    ['up[5m', '1:6: parse error: unclosed left bracket'],
    ['up]', "1:3: parse error: unexpected right bracket ']'"],
    ['up[5m[', "1:6: parse error: unexpected left bracket '['"],
    ['up[', '1:4: parse error: unexpected end of input in duration expression'],
    ['up[]', '1:4: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()'],
    ['up[5m 1]', '1:7: parse error: unexpected number "1" in subquery or range, expected ":" or "]"'],
    ['up[5m:1m 1]', '1:10: parse error: unexpected number "1" in subquery selector, expected "]"'],
    ['up[5m:)]', "1:8: parse error: unexpected right parenthesis ')'"],
    ['up[5m:,]', '1:7: parse error: unexpected "," in subquery selector, expected number, duration, step(), range(), or "]"'],
    ['up[:1m]', '1:5: parse error: unexpected colon before duration in duration expression'],
    ['up[5m:1m:]', "1:9: parse error: unexpected colon ':'"],
    ['up[foo]', "1:4: parse error: unexpected character in duration expression: 'f'"],
    ['up[5m foo]', "1:7: parse error: unexpected character: 'f', expected ':'"],
    ['up[0]', '1:4: parse error: duration must be greater than 0'],
    ['up[5m:-1s]', '1:7: parse error: duration must be greater than 0'],
    ['up[5m / 0]', '1:7: parse error: division by zero'],
    ['up[5m % 0]', '1:7: parse error: modulo by zero'],
    ['up[300y]', '1:4: parse error: duration out of range'],
    ['up[1e18]', '1:4: parse error: duration out of range'],
    ['up offset NaN', '1:11: parse error: duration out of range'],
    ['up[1s1m]', '1:4: parse error: not a valid duration string: "1s1m"'],
    ['1hs', '1:1: parse error: unknown unit "hs" in duration "1hs"'],
    ['1e999', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e999": value out of range'],
    ['0xfg', '1:1: parse error: bad number or duration syntax: "0xf"'],
    ['1_', '1:1: parse error: bad number or duration syntax: "1_"'],
    ['up{', '1:4: parse error: unexpected end of input inside braces'],
    ['up{{', "1:4: parse error: unexpected left brace '{'"],
    ['up{=', '1:4: parse error: unexpected "=" in label matching, expected identifier or "}"'],
    ['up{job}', '1:7: parse error: unexpected "}" in label matching, expected label matching operator'],
    ['up{job=x}', '1:8: parse error: unexpected identifier "x" in label matching, expected string'],
    ['up{job="a" x}', '1:12: parse error: unexpected identifier "x" in label matching, expected "," or "}"'],
    ['up{job!"a"}', "1:7: parse error: unexpected character after '!' inside braces: '\"'"],
    ['up{job=~"("}', '1:4: parse error: error parsing regexp: missing closing ): `(`'],
    ['up{job=~"a)|(?:b"}', '1:4: parse error: error parsing regexp: unexpected ): `a)|(?:b`'],
    ['up{job=~"*"}', '1:4: parse error: error parsing regexp: missing argument to repetition operator: `*`'],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['{a=~".*",b!="x"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['up{__name__="down"}', '1:1: parse error: metric name must not be set twice: "up" or "down"'],
    ['up{"down"}', '1:1: parse error: metric name must not be set twice: "up" or "down"'],
    ['!', "1:1: parse error: unexpected character after '!': '\ufffd'"],
    ['a =~ b', "1:3: parse error: unexpected character after '=': '~'"],
    ['a = b', '1:3: parse error: unexpected "="'],
    ['"abc', '1:1: parse error: unterminated quoted string'],
    ["'a\nb'", '1:1: parse error: unterminated quoted string'],
    ['`abc', '1:1: parse error: unterminated raw string'],
    [String.raw`"\q"`, "1:1: parse error: unknown escape sequence U+0071 'q'"],
    [String.raw`"\xg0"`, "1:1: parse error: illegal character U+0067 'g' in escape sequence"],
    [String.raw`"\ud800"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
    [String.raw`"\400"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
    ['"\ud800"', '1:1: parse error: invalid UTF-8 rune'],
    ['up offset', '1:10: parse error: unexpected end of input in offset, expected number, duration, step(), or range()'],
    ['up offset 1m offset 2m', '1:1: parse error: offset may not be set multiple times'],
    ['rate(up[5m])[5m] offset 1m', '1:13: parse error: ranges only allowed for vector selectors'],
    [
      '(up) offset 1m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['up offset 1m[5m]', '1:13: parse error: no offset modifiers allowed before range'],
    ['up @ 1 [5m]', '1:8: parse error: no @ modifiers allowed before range'],
    ['up @', '1:5: parse error: unexpected end of input in @, expected timestamp'],
    ['up @ 1 @ 2', '1:1: parse error: @ <timestamp> may not be set multiple times'],
    ['up @ Inf', '1:1: parse error: timestamp out of bounds for @ modifier: +Inf'],
    ['up @ 1e30', '1:1: parse error: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000'],
    ['1 @ 1', '1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery'],
    ['up anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
    ['up[5m:] smoothed', '1:1: parse error: smoothed modifier is not supported for subqueries'],
    ['1 anchored', '1:1: parse error: anchored modifier not implemented'],
    ['sum(', '1:5: parse error: unclosed left parenthesis'],
    ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
    ['sum(a, b)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2'],
    ['topk(a)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1'],
    ['topk(a, b)', '1:6: parse error: expected type scalar in aggregation parameter, got instant vector'],
    ['count_values(1, b)', '1:14: parse error: expected type string in aggregation parameter, got scalar'],
    ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
    ['sum(a b)', '1:7: parse error: unexpected identifier "b" in aggregation'],
    ['sum by a (b)', '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("'],
    ['sum by (1) (b)', '1:9: parse error: unexpected number "1" in grouping opts, expected label'],
    ['sum by (a b) (c)', '1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"'],
    ['sum by (without) (c)', '1:9: parse error: unexpected <without> in grouping opts, expected label'],
    ['sum by ("") (c)', '1:9: parse error: invalid label name for grouping: ""'],
    [String.raw`sum by ("\xff") (c)`, String.raw`1:9: parse error: invalid label name for grouping: "\xff"`],
    ['sum by (a) c', '1:12: parse error: unexpected identifier "c" in aggregation'],
    ['nope(a)', '1:1: parse error: unknown function with name "nope"'],
    ['START()', '1:1: parse error: unknown function with name "START"'],
    ['rate(up)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
    ['abs(up,)', '1:7: parse error: trailing commas not allowed in function call args'],
    ['abs()', '1:1: parse error: expected 1 argument(s) in call to "abs", got 0'],
    ['label_join(up, "a")', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2'],
    ['round(up, 1, 2)', '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
    ['info(a, b)', '1:9: parse error: expected label selectors only, got vector selector instead'],
    ['info(a, abs(b))', '1:9: parse error: expected label selectors only'],
    ['info(a, 1)', '1:1: parse error: expected type instant vector in call to function "info", got scalar'],
    ['1 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['a and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['a or on (x) group_left (y) b', '1:1: parse error: no grouping allowed for "or" operation'],
    ['a and fill (1) b', '1:1: parse error: filling in missing series not allowed for set operators'],
    ['a + fill (1) 2', '1:1: parse error: filling in missing series only allowed between instant vectors'],
    ['a + on (x) 2', '1:1: parse error: vector matching only allowed between instant vectors'],
    ['a + on (x) group_left (x) b', '1:3: parse error: label "x" must not occur in ON and GROUP clause at once'],
    ['a + group_left (x) b', '1:5: parse error: unexpected <group_left>'],
    ['a + "x"', '1:5: parse error: binary expression must contain only scalar and instant vector types'],
    ['-"x"', '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"'],
    ['-up[5m]', '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"'],
    ['1[5m:]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
    ['up "a string of some length"', '1:4: parse error: unexpected string "\\"a string "...'],
  ])('%s', (query, message) => {
    expect(refusal(query)).toBe(message);
  });
});

describe('size', () => {
  const many = 100_000;
  it.each([
    ['parentheses', `${'('.repeat(many)}1${')'.repeat(many)}`],
    ['signs', `${'-'.repeat(many)}a`],
    ['calls', `${'abs('.repeat(many)}a${')'.repeat(many)}`],
    ['aggregations', `${'sum('.repeat(many)}a${')'.repeat(many)}`],
    ['powers', `1${'^1'.repeat(many)}`],
    ['parentheses in a duration', `a[${'('.repeat(many)}1${')'.repeat(many)}]`],
  ])('refuses 100,000 nested %s', (_, query) => {
    expect(refusal(query)).toMatch(/^1:\d+: parse error: expression is nested too deeply: more than 250 levels$/);
  });

  it.each([
    ['sums', `1${'+1'.repeat(many)}`],
    ['subqueries', `a${'[5m:]'.repeat(many)}`],
    ['sums in a duration', `a[1${'+1'.repeat(many)}]`],
  ])('refuses a chain of 100,000 %s', (_, query) => {
    expect(refusal(query)).toMatch(/^1:\d+: parse error: expression has too many operators in a row: more than 1000$/);
  });

  it('reads what is just small enough, and every walk over it ends', () => {
    const nested = parseExpr(`${'abs('.repeat(249)}a${')'.repeat(249)}`);
    const chained = parseExpr(`a${' or a'.repeat(999)}`);
    expect(formatExpr(nested).length).toBe(249 * 5 + 1);
    expect(formatExpr(chained).length).toBe(999 * 5 + 1);
  });

  it.each([
    ['labels', `sum by (${'a,'.repeat(many)}) (x)`],
    ['matchers', `x{${'a="b",'.repeat(many)}}`],
    ['arguments', `label_join(x, "a", "b"${',"b"'.repeat(many)})`],
    ['escapes', `"${'\\n'.repeat(many)}"`],
    ['spaces', `${' '.repeat(many)}1`],
    ['words that may be followed by a parenthesis', `fill${' '.repeat(many)}`],
  ])('reads 100,000 %s', (_, query) => {
    expect(refusal(query)).toBe('accepted');
  });
});

const scripts = corpus('promqltest');
describe.skipIf(!scripts)('expressions of the promqltest scripts', () => {
  const expressions = scripts ? readEvalExpressions(scripts) : [];

  it('are there', () => {
    expect(expressions.length).toBeGreaterThan(1000);
  });

  it('are all accepted', () => {
    expect(expressions.filter((query) => refusal(query) !== 'accepted')).toEqual([]);
  });

  it('are the same when printed and read again', () => {
    for (const query of expressions) {
      const expr = parseExpr(query);
      expect(withoutSpans(parseExpr(formatExpr(expr))), query).toEqual(withoutSpans(expr));
    }
  });
});
