import { evalAggregation } from './aggregations.ts';
import type { Expr } from './ast.ts';
import { evalCountValues } from './count-values.ts';
import { evalCall } from './eval-call.ts';
import { evalFrame, evalScalar } from './eval-operand.ts';
import type { Aggregate, Binary, Evaluation } from './evaluation.ts';
import { type Frame, spreadFrame, type Value } from './frame.ts';
import { evalVectorSelector } from './instant-selector.ts';
import { isSetOperator } from './operators.ts';
import { isStepInvariant } from './prepare.ts';
import { evalScalars, evalWithScalar } from './scalar-operators.ts';
import { evalSetOperator } from './set-operators.ts';
import { makeSteps } from './steps.ts';
import { evalLimitK, evalLimitRatio, evalTopK } from './top-k.ts';
import { valueType } from './value-types.ts';
import { evalVectors } from './vector-matching.ts';

/** The value of a prepared expression at all steps of the evaluation. Range vectors have none; the functions over them see to those. */
export async function evalExpr(evaluation: Evaluation, expr: Expr): Promise<Value> {
  const { pace, steps } = evaluation;
  pace.check();
  if (steps.count > 1 && expr.kind !== 'number' && expr.kind !== 'string' && valueType(expr) === 'vector' && isStepInvariant(expr)) {
    const first = makeSteps(steps.startMs, steps.startMs, 0);
    const once = await evalFrame({ ...evaluation, steps: first }, expr);
    const spread = spreadFrame(once, steps);
    pace.hold(spread.points - once.points);
    return spread;
  }
  const before = pace.held;
  const value = await evalNode(evaluation, expr);
  pace.held = before;
  pace.hold(value.kind === 'frame' ? value.points : 0);
  return value;
}

async function evalNode(evaluation: Evaluation, expr: Expr): Promise<Value> {
  switch (expr.kind) {
    case 'number':
      return { kind: 'scalar', values: new Float64Array(evaluation.steps.count).fill(expr.value) };
    case 'string':
      return { kind: 'string', value: expr.value };
    case 'vectorSelector':
      return evalVectorSelector(evaluation, expr);
    case 'call':
      return evalCall(evaluation, expr);
    case 'aggregate':
      return evalAggregate(evaluation, expr);
    case 'binary':
      return evalBinary(evaluation, expr);
    case 'unary':
      return evalUnary(await evalExpr(evaluation, expr.expr), expr.op);
    case 'parens':
      return evalExpr(evaluation, expr.expr);
    case 'matrixSelector':
    case 'subquery':
      throw new TypeError(`the range vector at ${expr.span.start} stands outside a function`);
  }
}

async function evalAggregate(evaluation: Evaluation, aggregate: Aggregate): Promise<Frame> {
  const { op, param } = aggregate;
  if (op === 'count_values') return evalCountValues(evaluation, aggregate, await evalFrame(evaluation, aggregate.expr));
  const values = param === undefined ? undefined : await evalScalar(evaluation, param);
  const frame = await evalFrame(evaluation, aggregate.expr);
  switch (op) {
    case 'topk':
    case 'bottomk':
      return evalTopK(evaluation, aggregate, frame, values as Float64Array);
    case 'limitk':
      return evalLimitK(evaluation, aggregate, frame, values as Float64Array);
    case 'limit_ratio':
      return evalLimitRatio(evaluation, aggregate, frame, values as Float64Array);
    default:
      return evalAggregation(evaluation, aggregate, frame, values);
  }
}

async function evalBinary(evaluation: Evaluation, binary: Binary): Promise<Value> {
  const lhs = await evalExpr(evaluation, binary.lhs);
  const rhs = await evalExpr(evaluation, binary.rhs);
  if (lhs.kind === 'string' || rhs.kind === 'string') throw new TypeError('strings have no operators');
  if (lhs.kind === 'scalar') {
    if (rhs.kind === 'scalar') return { kind: 'scalar', values: evalScalars(binary, lhs.values, rhs.values) };
    return evalWithScalar(evaluation, binary, rhs, lhs.values, true);
  }
  if (rhs.kind === 'scalar') return evalWithScalar(evaluation, binary, lhs, rhs.values, false);
  if (!isSetOperator(binary.op)) return evalVectors(evaluation, binary, lhs, rhs);
  const matching = binary.matching ?? { card: 'many-to-many', on: false, labels: [], include: [] };
  return evalSetOperator(evaluation.pace, binary.op, matching, lhs, rhs);
}

function evalUnary(value: Value, op: '+' | '-'): Value {
  if (op === '+' || value.kind === 'string') return value;
  for (let i = 0; i < value.values.length; i++) value.values[i] = -(value.values[i] as number);
  if (value.kind === 'frame') value.dropName.fill(true);
  return value;
}
