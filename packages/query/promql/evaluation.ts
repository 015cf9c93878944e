import type { Matcher } from '#model/matcher.ts';
import type { SelectResult } from '#ports/sample-source.ts';
import type { Annotations } from './annotations.ts';
import type { Expr } from './ast.ts';
import type { Value } from './frame.ts';
import type { Pace } from './pace.ts';
import type { Steps } from './steps.ts';

export type VectorSelector = Extract<Expr, { kind: 'vectorSelector' }>;
export type MatrixSelector = Extract<Expr, { kind: 'matrixSelector' }>;
export type Subquery = Extract<Expr, { kind: 'subquery' }>;
export type Call = Extract<Expr, { kind: 'call' }>;
export type Aggregate = Extract<Expr, { kind: 'aggregate' }>;
export type Binary = Extract<Expr, { kind: 'binary' }>;

/** One evaluation under way: the times it is for, the data read for it, and what it has to say. */
export interface Evaluation {
  readonly steps: Steps;
  readonly lookbackMs: number;
  /** Step of subqueries that name none. */
  readonly subqueryStepMs: number;
  readonly useStartTimestamps: boolean;
  readonly extrapolation: '2.x' | '3.x';
  readonly annotations: Annotations;
  readonly pace: Pace;
  /** Evaluates an operand; carried along so that functions need not know the whole of evaluation. */
  readonly evaluate: (evaluation: Evaluation, expr: Expr) => Promise<Value>;
  /** What was read for each selector of the prepared expression. */
  readonly selected: ReadonlyMap<VectorSelector, SelectResult>;
  /** Reads more, for selections that depend on values. */
  readonly select: (input: LateSelection) => Promise<SelectResult>;
}

export interface LateSelection {
  readonly matchers: readonly Matcher[];
  readonly startMs: number;
  readonly endMs: number;
  readonly func: string;
}

/** What was read for a selector. */
export function selectionOf(evaluation: Evaluation, selector: VectorSelector): SelectResult {
  const selection = evaluation.selected.get(selector);
  if (selection === undefined) throw new TypeError(`no data was read for the selector at ${selector.span.start}`);
  return selection;
}
