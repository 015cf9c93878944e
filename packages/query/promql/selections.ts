import type { Expr } from './ast.ts';
import type { VectorSelector } from './evaluation.ts';
import type { QueryTimes } from './prepare.ts';
import { fixedTime } from './steps.ts';

/** What has to be read for one selector. */
export interface Selection {
  readonly selector: VectorSelector;
  /** First and last sample time that can matter. */
  readonly startMs: number;
  readonly endMs: number;
  readonly rangeMs: number;
  readonly stepMs: number;
  readonly func: string;
}

export interface SelectionOptions {
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
}

/** Plans the reads of a prepared expression, one for each selector in it; the second argument of info() is no selector of its own. */
export function planSelections(expr: Expr, times: QueryTimes, options: SelectionOptions): Selection[] {
  const selections: Selection[] = [];
  const visit = (node: Expr, at: QueryTimes, func: string): void => {
    switch (node.kind) {
      case 'number':
      case 'string':
        return;
      case 'vectorSelector':
        selections.push(planSelection(node, at, 0, '', options));
        return;
      case 'matrixSelector':
        selections.push(planSelection(node.vector, at, node.rangeMs, func, options));
        return;
      case 'subquery':
        visit(node.expr, subqueryTimes(node, at, options.subqueryStepMs), '');
        return;
      case 'call':
        for (const arg of node.func === 'info' ? node.args.slice(0, 1) : node.args) visit(arg, at, node.func);
        return;
      case 'aggregate':
        if (node.param) visit(node.param, at, '');
        visit(node.expr, at, '');
        return;
      case 'binary':
        visit(node.lhs, at, '');
        visit(node.rhs, at, '');
        return;
      case 'unary':
        visit(node.expr, at, '');
        return;
      case 'parens':
        visit(node.expr, at, func);
        return;
    }
  };
  visit(expr, times, '');
  return selections;
}

/** The times at which a subquery evaluates its expression: multiples of its step in (start - range, end], after `@` and `offset`. */
export function subqueryTimes(node: Extract<Expr, { kind: 'subquery' }>, times: QueryTimes, defaultStepMs: number): QueryTimes {
  const { at, offsetMs } = node.modifiers;
  const stepMs = node.stepMs === 0 ? defaultStepMs : node.stepMs;
  const firstMs = (at === undefined ? times.startMs : fixedTime(at)) - offsetMs;
  const lastMs = (at === undefined ? times.endMs : fixedTime(at)) - offsetMs;
  return { startMs: (Math.floor((firstMs - node.rangeMs) / stepMs) + 1) * stepMs, endMs: lastMs, stepMs };
}

function planSelection(selector: VectorSelector, times: QueryTimes, rangeMs: number, func: string, options: SelectionOptions): Selection {
  const { at, offsetMs } = selector.modifiers;
  const firstMs = (at === undefined ? times.startMs : fixedTime(at)) - offsetMs;
  const lastMs = (at === undefined ? times.endMs : fixedTime(at)) - offsetMs;
  const extended = selector.anchored || selector.smoothed;
  const before = rangeMs === 0 || extended ? rangeMs + options.lookbackMs : rangeMs;
  const after = selector.smoothed ? options.lookbackMs : 0;
  return { selector, startMs: firstMs - before + 1, endMs: lastMs + after, rangeMs, stepMs: times.stepMs, func };
}
