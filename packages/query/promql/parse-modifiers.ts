import type { Expr, TimeModifiers } from './ast.ts';
import { isLiteral, parseOffsetDuration, roundAway, toMilliseconds } from './parse-duration-expr.ts';
import { endOf, isNumberNext, takeNumber } from './parse-literal.ts';
import { errorAt, failUnexpected, type ParseState, peekToken, takeIf, takeKind, takeToken } from './parse-state.ts';
import type { Token } from './tokens.ts';

const SELECTORS = 'an instant vector selector or range vector selector or a subquery';

function modifiersOf(state: ParseState, expr: Expr, modifier: string): TimeModifiers {
  if (expr.kind === 'vectorSelector' || expr.kind === 'subquery') return expr.modifiers;
  if (expr.kind === 'matrixSelector') return expr.vector.modifiers;
  throw errorAt(state, expr.span.start, `${modifier} must be preceded by ${SELECTORS}`);
}

/** The expression with other time modifiers; its span ends where they do. */
function withModifiers(expr: Expr, modifiers: TimeModifiers, end: number): Expr {
  const span = { start: expr.span.start, end };
  if (expr.kind === 'vectorSelector' || expr.kind === 'subquery') return { ...expr, modifiers, span };
  if (expr.kind === 'matrixSelector') return { ...expr, vector: { ...expr.vector, modifiers }, span };
  return expr;
}

function parseOffset(state: ParseState, expr: Expr): Expr {
  const selectorHeight = state.height;
  state.contexts.push({ context: 'offset', expected: 'number, duration, step(), or range()' });
  const duration = parseOffsetDuration(state);
  state.contexts.pop();
  state.height = Math.max(selectorHeight, state.height + 1);
  const modifiers = modifiersOf(state, expr, 'offset modifier');
  if (modifiers.offsetMs !== 0 || modifiers.offsetExpr !== undefined) {
    throw errorAt(state, expr.span.start, 'offset may not be set multiple times');
  }
  const offset = isLiteral(duration) ? { offsetMs: toMilliseconds(duration.seconds) } : { offsetMs: 0, offsetExpr: duration };
  return withModifiers(expr, { ...modifiers, ...offset }, duration.span.end);
}

/** A number as Go's `%f` prints it, for the values no time can have. */
function formatFixed(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return `${BigInt(value)}.000000`;
}

function parseAtTime(state: ParseState, expr: Expr): { at: number; end: number } {
  const sign = takeIf(state, '+') ?? takeIf(state, '-');
  const number = takeNumber(state);
  const seconds = sign?.kind === '-' ? -number.value : number.value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    throw errorAt(state, expr.span.start, `timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`);
  }
  return { at: roundAway(seconds * 1000), end: number.end };
}

function parseAtPoint(state: ParseState, expr: Expr): { at: number | 'start' | 'end'; end: number } {
  const { kind } = peekToken(state);
  if (isNumberNext(state) || kind === '+' || kind === '-') return parseAtTime(state, expr);
  if (kind !== 'start' && kind !== 'end') return failUnexpected(state);
  takeToken(state);
  takeKind(state, '(');
  return { at: kind, end: endOf(takeKind(state, ')')) };
}

function parseAt(state: ParseState, expr: Expr): Expr {
  state.contexts.push({ context: '@', expected: 'timestamp' });
  const { at, end } = parseAtPoint(state, expr);
  state.contexts.pop();
  const modifiers = modifiersOf(state, expr, '@ modifier');
  if (modifiers.at !== undefined) throw errorAt(state, expr.span.start, '@ <timestamp> may not be set multiple times');
  return withModifiers(expr, { ...modifiers, at }, end);
}

function markExtended(state: ParseState, expr: Expr, mark: 'anchored' | 'smoothed'): Expr {
  const fail = (message: string) => errorAt(state, expr.span.start, message);
  if (expr.kind === 'subquery') throw fail(`${mark} modifier is not supported for subqueries`);
  if (expr.kind !== 'vectorSelector' && expr.kind !== 'matrixSelector') throw fail(`${mark} modifier not implemented`);
  const vector = { ...(expr.kind === 'matrixSelector' ? expr.vector : expr), [mark]: true };
  if (vector.anchored && vector.smoothed) throw fail('anchored and smoothed modifiers cannot be used together');
  return expr.kind === 'matrixSelector' ? { ...expr, vector } : vector;
}

/** Applies a modifier whose keyword has been taken: `offset`, `@`, `anchored` or `smoothed`. */
export function parseModifier(state: ParseState, keyword: Token, expr: Expr): Expr {
  if (keyword.kind === 'offset') return parseOffset(state, expr);
  if (keyword.kind === '@') return parseAt(state, expr);
  return markExtended(state, expr, keyword.kind as 'anchored' | 'smoothed');
}
