import type { Expr, ValueType } from './ast.ts';

const scalarFunctions: ReadonlySet<string> = new Set(['time', 'pi', 'scalar', 'start', 'end', 'range', 'step', 'max_of', 'min_of']);

/** The type of a checked expression's value. */
export function valueType(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vectorSelector':
    case 'aggregate':
      return 'vector';
    case 'matrixSelector':
    case 'subquery':
      return 'matrix';
    case 'call':
      return scalarFunctions.has(expr.func) ? 'scalar' : 'vector';
    case 'binary':
      return valueType(expr.lhs) === 'scalar' && valueType(expr.rhs) === 'scalar' ? 'scalar' : 'vector';
    case 'unary':
    case 'parens':
      return valueType(expr.expr);
  }
}

/** The expression inside any parentheses. */
export function withoutParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'parens') inner = inner.expr;
  return inner;
}
