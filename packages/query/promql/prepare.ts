import type { Expr, TimeModifiers } from './ast.ts';
import { resolveDuration } from './duration-expressions.ts';
import { withoutParens } from './value-types.ts';

/** The query that an expression is prepared for; `stepMs` 0 for an instant query. */
export interface QueryTimes {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/**
 * The expression with everything resolved that depends on the query's times alone: duration expressions, `@ start()` and
 * `@ end()`, calls of start(), end(), range() and step(), and parentheses around arguments. `input` where a duration expression gives no usable duration.
 */
export function prepareExpr(expr: Expr, times: QueryTimes): Expr {
  const durations = { stepMs: times.stepMs, rangeMs: times.endMs - times.startMs };
  const prepare = (node: Expr): Expr => {
    switch (node.kind) {
      case 'number':
      case 'string':
        return node;
      case 'vectorSelector':
        return { ...node, modifiers: prepareModifiers(node.modifiers) };
      case 'matrixSelector': {
        const vector = { ...node.vector, modifiers: prepareModifiers(node.vector.modifiers) };
        const rangeMs = node.rangeExpr ? resolveDuration(node.rangeExpr, durations, false) : node.rangeMs;
        return { ...node, vector, rangeMs };
      }
      case 'subquery': {
        const modifiers = prepareModifiers(node.modifiers);
        const stepMs = node.stepExpr ? resolveDuration(node.stepExpr, durations, false) : node.stepMs;
        const rangeMs = node.rangeExpr ? resolveDuration(node.rangeExpr, durations, false) : node.rangeMs;
        return { ...node, expr: prepare(node.expr), modifiers, rangeMs, stepMs };
      }
      case 'call': {
        const known = queryContextValue(node.func, times);
        if (known !== undefined) return { kind: 'number', value: known, isDuration: false, span: node.span };
        return { ...node, args: node.args.map((arg) => prepare(withoutParens(arg))) };
      }
      case 'aggregate': {
        const param = node.param === undefined ? {} : { param: prepare(withoutParens(node.param)) };
        return { ...node, expr: prepare(withoutParens(node.expr)), ...param };
      }
      case 'binary':
        return { ...node, lhs: prepare(node.lhs), rhs: prepare(node.rhs) };
      case 'unary':
      case 'parens':
        return { ...node, expr: prepare(node.expr) };
    }
  };
  const prepareModifiers = (modifiers: TimeModifiers): TimeModifiers => {
    const offsetMs = modifiers.offsetExpr ? resolveDuration(modifiers.offsetExpr, durations, true) : modifiers.offsetMs;
    const { at } = modifiers;
    if (at === undefined) return { offsetMs };
    return { offsetMs, at: at === 'start' ? times.startMs : at === 'end' ? times.endMs : at };
  };
  return prepare(expr);
}

function queryContextValue(func: string, times: QueryTimes): number | undefined {
  switch (func) {
    case 'start':
      return times.startMs / 1000;
    case 'end':
      return times.endMs / 1000;
    case 'range':
      return (times.endMs - times.startMs) / 1000;
    case 'step':
      return times.startMs === times.endMs ? 0 : times.stepMs / 1000;
    default:
      return undefined;
  }
}

/** Functions whose value depends on the time of evaluation even where their arguments do not. */
const timeDependentFunctions: ReadonlySet<string> = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'end',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'range',
  'start',
  'step',
  'time',
  'timestamp',
]);

/** True if the expression has the same value at every step, so that one evaluation will do. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'vectorSelector':
    case 'subquery':
      return expr.modifiers.at !== undefined;
    case 'matrixSelector':
      return expr.vector.modifiers.at !== undefined;
    case 'call':
      return !timeDependentFunctions.has(expr.func) && expr.args.every(isStepInvariant);
    case 'aggregate':
      return isStepInvariant(expr.expr) && (expr.param === undefined || isStepInvariant(expr.param));
    case 'binary':
      return isStepInvariant(expr.lhs) && isStepInvariant(expr.rhs);
    case 'unary':
    case 'parens':
      return isStepInvariant(expr.expr);
  }
}

/** True where evaluating at `@ t` gives the same as evaluating at t; the functions above do not. */
export function isTimeDependent(func: string): boolean {
  return timeDependentFunctions.has(func);
}
