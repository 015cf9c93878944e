import type { Expr } from './ast.ts';
import type { Evaluation } from './evaluation.ts';
import { type Frame, newFrame } from './frame.ts';

/** The value of an instant-vector expression. */
export async function evalFrame(evaluation: Evaluation, expr: Expr): Promise<Frame> {
  if (evaluation.steps.count === 0) return newFrame(evaluation.steps, 0);
  const value = await evaluation.evaluate(evaluation, expr);
  if (value.kind === 'frame') return value;
  throw new TypeError(`the expression at ${expr.span.start} is no instant vector`);
}

/** The value of a scalar expression. */
export async function evalScalar(evaluation: Evaluation, expr: Expr): Promise<Float64Array> {
  const value = await evaluation.evaluate(evaluation, expr);
  if (value.kind === 'scalar') return value.values;
  throw new TypeError(`the expression at ${expr.span.start} is no scalar`);
}
