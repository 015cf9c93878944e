import type { DurationExpr } from './ast.ts';
import { endOf, isNumberNext, takeNumber } from './parse-literal.ts';
import {
  enterLevel,
  errorAt,
  failUnexpected,
  type ParseState,
  peekToken,
  raiseHeight,
  takeIf,
  takeKind,
  takeToken,
} from './parse-state.ts';
import type { Token } from './tokens.ts';

type BinaryDurationOp = '+' | '-' | '*' | '/' | '%' | '^';

const PRECEDENCE: Record<string, number> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 };

/** The longest duration a number may stand for, in seconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** The nearest integer, halves away from zero as Go's math.Round; never -0. */
export function roundAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value)) + 0;
}

/** Whole milliseconds of a number of seconds, rounded to nanoseconds first as Prometheus does. */
export function toMilliseconds(seconds: number): number {
  return Math.trunc(roundAway(seconds * 1e9) / 1e6) + 0;
}

/** Whether the duration is a plain number, known before the query's step and range are. */
export function isLiteral(expr: DurationExpr): expr is DurationExpr & { readonly seconds: number } {
  return expr.op === 'number';
}

function checkRange(state: ParseState, seconds: number, position: number): void {
  if (!(Math.abs(seconds) <= MAX_SECONDS)) throw errorAt(state, position, 'duration out of range');
}

function takeLiteral(state: ParseState): DurationExpr {
  const { value, isDuration, start, end } = takeNumber(state);
  checkRange(state, value, start);
  state.height = 1;
  return { op: 'number', seconds: value, isDuration, args: [], span: { start, end } };
}

/** A sign before a duration: folded into a number, `neg` before anything else. */
function applySign(state: ParseState, sign: Token, operand: DurationExpr): DurationExpr {
  const span = { start: sign.start, end: operand.span.end };
  if (isLiteral(operand)) {
    const seconds = sign.kind === '-' ? -operand.seconds : operand.seconds;
    checkRange(state, seconds, sign.start);
    return { ...operand, seconds, span };
  }
  if (sign.kind === '+') return operand;
  raiseHeight(state, state.height, sign.start);
  return { op: 'neg', args: [operand], span };
}

function parseDurationCall(state: ParseState): DurationExpr {
  const name = takeToken(state);
  takeKind(state, '(');
  const args: DurationExpr[] = [];
  let below = 0;
  if (name.kind === 'max_of' || name.kind === 'min_of') {
    args.push(parseDurationExpr(state));
    below = state.height;
    takeKind(state, ',');
    args.push(parseDurationExpr(state));
    below = Math.max(below, state.height);
  }
  const end = endOf(takeKind(state, ')'));
  raiseHeight(state, below, name.start);
  const op = { step: 'step', range: 'range', max_of: 'max', min_of: 'min' } as const;
  return { op: op[name.kind as keyof typeof op], args, span: { start: name.start, end } };
}

function isDurationCallNext(state: ParseState): boolean {
  return ['step', 'range', 'max_of', 'min_of'].includes(peekToken(state).kind);
}

function parseParens(state: ParseState): DurationExpr {
  const { start } = takeKind(state, '(');
  const inner = parseDurationExpr(state);
  const end = endOf(takeKind(state, ')'));
  if (inner.op === 'parens') return inner;
  raiseHeight(state, state.height, start);
  return { op: 'parens', args: [inner], span: { start, end } };
}

function parseOperand(state: ParseState): DurationExpr {
  if (isNumberNext(state)) return takeLiteral(state);
  if (isDurationCallNext(state)) return parseDurationCall(state);
  const sign = takeIf(state, '+') ?? takeIf(state, '-');
  if (sign !== undefined) return applySign(state, sign, parseDurationExpr(state, PRECEDENCE['^']));
  return peekToken(state).kind === '(' ? parseParens(state) : failUnexpected(state);
}

function combine(state: ParseState, op: Token, lhs: DurationExpr, rhs: DurationExpr): DurationExpr {
  if (isLiteral(rhs) && rhs.seconds === 0) {
    if (op.kind === '/') throw errorAt(state, op.start, 'division by zero');
    if (op.kind === '%') throw errorAt(state, op.start, 'modulo by zero');
  }
  return { op: op.kind as BinaryDurationOp, args: [lhs, rhs], span: { start: lhs.span.start, end: rhs.span.end } };
}

function parseRest(state: ParseState, first: DurationExpr, minPrecedence: number): DurationExpr {
  let left = first;
  for (;;) {
    const precedence = PRECEDENCE[peekToken(state).kind] ?? 0;
    if (precedence === 0 || precedence < minPrecedence) return left;
    const op = takeToken(state);
    const leftHeight = state.height;
    left = combine(state, op, left, parseDurationExpr(state, op.kind === '^' ? precedence : precedence + 1));
    raiseHeight(state, Math.max(leftHeight, state.height), op.start);
  }
}

/** A duration: numbers, `step()`, `range()`, `min_of`, `max_of` and arithmetic on them. */
function parseDurationExpr(state: ParseState, minPrecedence = 1): DurationExpr {
  enterLevel(state);
  const left = parseRest(state, parseOperand(state), minPrecedence);
  state.nesting--;
  return left;
}

/** A duration in brackets, which must not be zero or negative where it is a plain number. */
export function parsePositiveDuration(state: ParseState): DurationExpr {
  const expr = parseDurationExpr(state);
  if (isLiteral(expr) && expr.seconds <= 0) throw errorAt(state, expr.span.start, 'duration must be greater than 0');
  return expr;
}

/**
 * The duration after `offset`. Operators after a number, a call or a sign belong to the expression around it (`a offset 5m * 2` is
 * `(a offset 5m) * 2`); those after a closing parenthesis belong to the duration.
 */
export function parseOffsetDuration(state: ParseState): DurationExpr {
  if (isNumberNext(state)) return takeLiteral(state);
  if (isDurationCallNext(state)) return parseDurationCall(state);
  const sign = takeIf(state, '+') ?? takeIf(state, '-');
  if (sign === undefined) return parseDurationExpr(state);
  if (isNumberNext(state)) return applySign(state, sign, takeLiteral(state));
  if (isDurationCallNext(state)) return applySign(state, sign, parseDurationCall(state));
  if (peekToken(state).kind === '(') return applySign(state, sign, parseParens(state));
  return parseRest(state, applySign(state, sign, parseDurationExpr(state, PRECEDENCE['^'])), 1);
}
