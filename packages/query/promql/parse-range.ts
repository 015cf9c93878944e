import type { DurationExpr, Expr } from './ast.ts';
import { isLiteral, parsePositiveDuration, toMilliseconds } from './parse-duration-expr.ts';
import { endOf } from './parse-literal.ts';
import { errorAt, failUnexpected, type ParseState, parseWithin, peekToken, raiseHeight, takeKind, takeToken } from './parse-state.ts';
import type { Token } from './tokens.ts';

const NUMBERS = 'number, duration, step(),';

function rangeOf(duration: DurationExpr): { rangeMs: number; rangeExpr?: DurationExpr } {
  return isLiteral(duration) ? { rangeMs: toMilliseconds(duration.seconds) } : { rangeMs: 0, rangeExpr: duration };
}

function stepOf(duration: DurationExpr | undefined): { stepMs: number; stepExpr?: DurationExpr } {
  if (duration === undefined) return { stepMs: 0 };
  return isLiteral(duration) ? { stepMs: toMilliseconds(duration.seconds) } : { stepMs: 0, stepExpr: duration };
}

function finishMatrix(state: ParseState, expr: Expr, open: Token, range: DurationExpr, end: number): Expr {
  if (expr.kind !== 'vectorSelector') throw errorAt(state, open.start, 'ranges only allowed for vector selectors');
  const { offsetMs, offsetExpr, at } = expr.modifiers;
  if (offsetMs !== 0 || offsetExpr !== undefined) throw errorAt(state, open.start, 'no offset modifiers allowed before range');
  if (at !== undefined) throw errorAt(state, open.start, 'no @ modifiers allowed before range');
  return { kind: 'matrixSelector', vector: expr, ...rangeOf(range), span: { start: expr.span.start, end } };
}

function parseSubqueryStep(state: ParseState): DurationExpr | undefined {
  if (peekToken(state).kind === ']') return undefined;
  const step = parseWithin(state, 'subquery selector', `${NUMBERS} range(), or "]"`, () => parsePositiveDuration(state));
  if (peekToken(state).kind !== ']') return failUnexpected(state, 'subquery selector', '"]"');
  return step;
}

/** A range or subquery in brackets, the opening one taken, behind the expression it applies to. */
export function parseBrackets(state: ParseState, open: Token, expr: Expr): Expr {
  let below = state.height;
  const range = parseWithin(state, 'subquery or range selector', `${NUMBERS} or range()`, () => parsePositiveDuration(state));
  below = Math.max(below, state.height);
  const { kind } = peekToken(state);
  if (kind === ']') {
    const close = endOf(takeToken(state));
    raiseHeight(state, below, open.start);
    return finishMatrix(state, expr, open, range, close);
  }
  if (kind !== ':') return failUnexpected(state, 'subquery or range', '":" or "]"');
  takeToken(state);
  const step = parseSubqueryStep(state);
  if (step !== undefined) below = Math.max(below, state.height);
  const end = endOf(takeKind(state, ']'));
  raiseHeight(state, below, open.start);
  const modifiers = { offsetMs: 0 };
  return { kind: 'subquery', expr, ...rangeOf(range), ...stepOf(step), modifiers, span: { start: expr.span.start, end } };
}
