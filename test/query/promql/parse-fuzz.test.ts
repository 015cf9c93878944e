import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import type { Expr } from '#query/promql/ast.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { parseQueryJson } from '#query/promql/parse-query-json.ts';
import { prettyExpr } from '#query/promql/pretty.ts';
import { formatExpr } from '#query/promql/print.ts';
import { corpus } from '#test/corpora.ts';
import { readEvalExpressions } from './eval-lines.ts';
import { withoutSpans } from './without-spans.ts';

const WORDS = (
  'sum by without ( ) ( ) { } [ ] , + - * / ^ % atan2 == != < <= > >= </ >/ =~ !~ @ = : ! # offset anchored smoothed and or unless ' +
  'bool on ignoring group_left group_right fill( fill_left( fill_right( start() end() step() range() max_of min_of topk count_values ' +
  'rate( info( 5m 1h30m 3 0 -1 0x1f 1e9 Inf NaN foo bar:baz foo[5m] [5m:1m] {a="b"} {"a.b"} "x" \'y\' `z` "\\xff" "\\xc3\\xa9\\ufffd" "( \\ \ud800 é 😀 \n'
).split(' ');

const soup = fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }).map((words) => words.join(' '));

/** The expression, or undefined where it is refused as bad input; any other error fails the test. */
function parseOrRefuse(query: string): Expr | undefined {
  try {
    return parseExpr(query);
  } catch (error) {
    if (isOpsError(error, 'input') && error.message.includes('parse error: ')) return undefined;
    throw error;
  }
}

/** What is printed as Prometheus prints it, and then read otherwise: `+Inf ^ x` as `+(Inf ^ x)`, `-0s` as `0s`. */
const PRINTED_OTHERWISE = /\binf\s*\^|-\s*0+(?:ms|[smhdwy])/i;

function checkQuery(query: string): void {
  const expr = parseOrRefuse(query);
  if (expr === undefined || PRINTED_OTHERWISE.test(query)) return;
  const read = withoutSpans(expr);
  expect(withoutSpans(parseExpr(formatExpr(expr)))).toEqual(read);
  expect(withoutSpans(parseExpr(prettyExpr(expr)))).toEqual(read);
  expect(JSON.stringify(parseQueryJson(expr))).toContain('"type"');
}

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const edits = fc.array(
  fc.record({ at: fc.nat(), remove: fc.nat(6), insert: fc.oneof(fc.constant(''), fc.constantFrom(...WORDS), fc.string({ maxLength: 3 })) }),
  { minLength: 1, maxLength: 3 },
);

function applyEdit(text: string, { at, remove, insert }: Edit): string {
  const from = at % (text.length + 1);
  return text.slice(0, from) + insert + text.slice(from + remove);
}

describe('any text', () => {
  it('is read or refused, as characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), checkQuery), { numRuns: 2000 });
  });

  it('is read or refused, as a soup of tokens', () => {
    fc.assert(fc.property(soup, checkQuery), { numRuns: 5000 });
  });
});

const scripts = corpus('promqltest');
describe.skipIf(!scripts)('the promqltest expressions, altered', () => {
  const expressions = scripts ? readEvalExpressions(scripts) : [];

  it('are read or refused', () => {
    const mutated = fc.tuple(fc.constantFrom(...expressions), edits).map(([query, list]) => list.reduce(applyEdit, query));
    fc.assert(fc.property(mutated, checkQuery), { numRuns: 5000 });
  });
});
