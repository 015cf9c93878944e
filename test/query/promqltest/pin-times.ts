import type { Expr, TimeModifiers } from '#query/promql/ast.ts';
import { isTimeDependent } from '#query/promql/prepare.ts';

/**
 * The expression with `@ timeMs` on every selector, and on subqueries instead of what is in them, unless there is one
 * already. Undefined where its value depends on the time of evaluation all the same.
 */
export function pinTimes(expr: Expr, timeMs: number): Expr | undefined {
  let dependent = false;
  const pinned = (modifiers: TimeModifiers): TimeModifiers => (modifiers.at === undefined ? { ...modifiers, at: timeMs } : modifiers);
  const visit = (node: Expr, inSubquery: boolean): Expr => {
    switch (node.kind) {
      case 'number':
      case 'string':
        return node;
      case 'vectorSelector':
        return inSubquery ? node : { ...node, modifiers: pinned(node.modifiers) };
      case 'matrixSelector':
        return inSubquery ? node : { ...node, vector: { ...node.vector, modifiers: pinned(node.vector.modifiers) } };
      case 'subquery':
        return { ...node, expr: visit(node.expr, true), modifiers: inSubquery ? node.modifiers : pinned(node.modifiers) };
      case 'call':
        dependent ||= !inSubquery && isTimeDependent(node.func);
        return { ...node, args: node.args.map((arg) => visit(arg, inSubquery)) };
      case 'aggregate':
        return { ...node, expr: visit(node.expr, inSubquery), ...(node.param && { param: visit(node.param, inSubquery) }) };
      case 'binary':
        return { ...node, lhs: visit(node.lhs, inSubquery), rhs: visit(node.rhs, inSubquery) };
      case 'unary':
      case 'parens':
        return { ...node, expr: visit(node.expr, inSubquery) };
    }
  };
  const result = visit(expr, false);
  return dependent ? undefined : result;
}
