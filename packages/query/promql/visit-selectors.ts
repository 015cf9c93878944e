import type { Expr } from './ast.ts';

/** Calls with every selector of an expression, those inside range selectors and subqueries among them, in the order of the text. */
export function visitSelectors(expr: Expr, visit: (selector: Extract<Expr, { kind: 'vectorSelector' }>) => void): void {
  if (expr.kind === 'vectorSelector') visit(expr);
  else if (expr.kind === 'matrixSelector') visit(expr.vector);
  else for (const part of partsOf(expr)) visitSelectors(part, visit);
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args;
    case 'aggregate':
      return expr.param ? [expr.param, expr.expr] : [expr.expr];
    case 'binary':
      return [expr.lhs, expr.rhs];
    case 'subquery':
    case 'unary':
    case 'parens':
      return [expr.expr];
    default:
      return [];
  }
}
