import { tooManySamplesError } from '#query/query-errors.ts';
import { evalFrame } from './eval-operand.ts';
import type { Evaluation, Subquery } from './evaluation.ts';
import type { Frame } from './frame.ts';
import { type RangeInput, rangeOfSubquery } from './range-input.ts';
import { subqueryTimes } from './selections.ts';
import { countSteps, makeSteps } from './steps.ts';

/** Evaluates a subquery's expression at the subquery's own times, which are multiples of its step. */
export function evalSubqueryFrame(evaluation: Evaluation, subquery: Subquery): Promise<Frame> {
  const { startMs, endMs, stepMs } = subqueryTimes(subquery, evaluation.steps, evaluation.subqueryStepMs);
  if (countSteps(startMs, endMs, stepMs) > evaluation.pace.maxSamples) throw tooManySamplesError();
  return evalFrame({ ...evaluation, steps: makeSteps(startMs, endMs, stepMs) }, subquery.expr);
}

/** A subquery as the range vector of a function. */
export async function evalSubqueryRange(evaluation: Evaluation, subquery: Subquery): Promise<RangeInput> {
  return rangeOfSubquery(evaluation, subquery, await evalSubqueryFrame(evaluation, subquery));
}
