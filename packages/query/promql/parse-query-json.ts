import type { Matcher } from '#model/matcher.ts';
import type { DurationExpr, Expr, TimeModifiers, VectorMatching } from './ast.ts';
import { formatDecimal } from './format-number.ts';
import { SIGNATURES, type Signature } from './signatures.ts';

/** A value that JSON can write. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const DURATION_OPS: Record<string, string> = { neg: '-', min: 'min_of', max: 'max_of' };

/** The tree that Prometheus answers to /api/v1/parse_query; times and durations in milliseconds. */
export function parseQueryJson(expr: Expr): Json {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatDecimal(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'parens':
      return { type: 'parenExpr', expr: parseQueryJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: parseQueryJson(expr.expr) };
    case 'aggregate':
      return aggregateJson(expr);
    case 'binary':
      return binaryJson(expr);
    case 'call':
      return { type: 'call', func: signatureJson(expr.func), args: expr.args.map(parseQueryJson) };
    case 'vectorSelector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrixSelector':
      return { type: 'matrixSelector', ...selectorJson(expr.vector), range: expr.rangeMs, rangeExpr: durationJson(expr.rangeExpr) };
    case 'subquery':
      return subqueryJson(expr);
  }
}

function aggregateJson(expr: Extract<Expr, { kind: 'aggregate' }>): Json {
  const { op, grouping, without, param } = expr;
  const parameter = param === undefined ? null : parseQueryJson(param);
  return { type: 'aggregation', op, expr: parseQueryJson(expr.expr), param: parameter, grouping, without };
}

function binaryJson(expr: Extract<Expr, { kind: 'binary' }>): Json {
  const matching = expr.matching === undefined ? null : matchingJson(expr.matching);
  const sides = { lhs: parseQueryJson(expr.lhs), rhs: parseQueryJson(expr.rhs) };
  return { type: 'binaryExpr', op: expr.op, ...sides, matching, bool: expr.returnBool };
}

function matchingJson({ card, labels, on, include, fill }: VectorMatching): Json {
  return { card, labels, on, include, fillValues: { lhs: fill?.lhs ?? null, rhs: fill?.rhs ?? null } };
}

function signatureJson(name: string): Json {
  const { args, variadic, returns } = SIGNATURES.get(name) as Signature;
  return { name, argTypes: args, variadic, returnType: returns };
}

function modifiersJson({ offsetMs, offsetExpr, at }: TimeModifiers): { readonly [key: string]: Json } {
  return {
    offset: offsetMs,
    offsetExpr: durationJson(offsetExpr),
    timestamp: typeof at === 'number' ? at : null,
    startOrEnd: typeof at === 'string' ? at : null,
  };
}

function matcherJson({ name, op, value }: Matcher): Json {
  return { name, value, type: op };
}

function selectorJson(expr: Extract<Expr, { kind: 'vectorSelector' }>): { readonly [key: string]: Json } {
  const { name, matchers, modifiers, anchored, smoothed } = expr;
  return { name, matchers: matchers.map(matcherJson), ...modifiersJson(modifiers), anchored, smoothed };
}

function subqueryJson(expr: Extract<Expr, { kind: 'subquery' }>): Json {
  return {
    type: 'subquery',
    expr: parseQueryJson(expr.expr),
    range: expr.rangeMs,
    rangeExpr: durationJson(expr.rangeExpr),
    step: expr.stepMs,
    stepExpr: durationJson(expr.stepExpr),
    ...modifiersJson(expr.modifiers),
  };
}

/** Prometheus keeps parentheses as a mark on what they hold, and lifts a number in them into a plus sign that it does not print. */
function durationJson(expr: DurationExpr | undefined, wrapped = false): Json {
  if (expr === undefined) return null;
  const [first, second] = expr.args;
  if (expr.op === 'number')
    return { type: 'numberLiteral', val: formatDecimal(expr.seconds as number), duration: expr.isDuration === true };
  if (expr.op === 'parens' && first.op !== 'number') return durationJson(first, true);
  const type = 'durationExpr';
  if (expr.op === 'parens') return { type, op: '+', lhs: null, rhs: durationJson(first), wrapped: true };
  if (expr.op === 'neg') return { type, op: '-', lhs: null, rhs: durationJson(first), wrapped };
  return { type, op: DURATION_OPS[expr.op] ?? expr.op, lhs: durationJson(first), rhs: durationJson(second), wrapped };
}
