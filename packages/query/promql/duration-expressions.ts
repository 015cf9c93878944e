import { OpsError } from '#core/errors.ts';
import type { DurationExpr } from './ast.ts';

/** What `step()` and `range()` stand for. */
export interface DurationContext {
  readonly stepMs: number;
  readonly rangeMs: number;
}

/** The milliseconds of a duration expression. `input` where it is no usable duration, with the place as `start:end`. */
export function resolveDuration(expr: DurationExpr, context: DurationContext, allowNegative: boolean): number {
  const seconds = resolveSeconds(expr, context);
  if (!Number.isFinite(seconds)) throw durationError(expr, 'duration is NaN or infinite');
  if (seconds <= 0 && !allowNegative) throw durationError(expr, 'duration must be greater than 0');
  if (Math.abs(seconds) > 2 ** 63 / 1e9) throw durationError(expr, 'duration is out of range');
  return Math.trunc(seconds * 1000);
}

function durationError(expr: DurationExpr, message: string): OpsError {
  return new OpsError('input', `${expr.span.start}:${expr.span.end}: ${message}`);
}

function resolveSeconds(expr: DurationExpr, context: DurationContext): number {
  const arg = (index: number) => {
    const child = expr.args[index];
    return child === undefined ? 0 : resolveSeconds(child, context);
  };
  switch (expr.op) {
    case 'number':
      return expr.seconds ?? 0;
    case 'step':
      return context.stepMs / 1000;
    case 'range':
      return context.rangeMs / 1000;
    case 'parens':
      return arg(0);
    case 'neg':
      return -arg(0);
    case 'min':
      return Math.min(arg(0), arg(1));
    case 'max':
      return Math.max(arg(0), arg(1));
    case '+':
      return expr.args.length === 1 ? arg(0) : arg(0) + arg(1);
    case '-':
      return expr.args.length === 1 ? -arg(0) : arg(0) - arg(1);
    case '*':
      return arg(0) * arg(1);
    case '/':
      return divide(expr, arg(0), arg(1), 'division by zero', (a, b) => a / b);
    case '%':
      return divide(expr, arg(0), arg(1), 'modulo by zero', (a, b) => a % b);
    case '^':
      return arg(0) ** arg(1);
  }
}

function divide(expr: DurationExpr, lhs: number, rhs: number, message: string, apply: (a: number, b: number) => number): number {
  if (rhs === 0) throw durationError(expr, message);
  return apply(lhs, rhs);
}
