import { OpsError } from '#core/errors.ts';
import type { Expr } from './ast.ts';

/** The most matchers, label names or arguments in one list: each of them is asked of every series. */
const MAX_LIST = 1_000;

/** Throws `limit` for an expression with a list that is too long to be evaluated; it can be parsed and printed all the same. */
export function assertShortLists(expr: Expr): void {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return;
    case 'vectorSelector':
      assertShort(expr.matchers, 'matchers in a selector');
      return;
    case 'matrixSelector':
      assertShortLists(expr.vector);
      return;
    case 'call':
      assertShort(expr.args, `arguments of ${expr.func}()`);
      expr.args.forEach(assertShortLists);
      return;
    case 'aggregate':
      assertShort(expr.grouping, `labels to group ${expr.op} by`);
      if (expr.param) assertShortLists(expr.param);
      assertShortLists(expr.expr);
      return;
    case 'binary':
      assertShort(expr.matching?.labels ?? [], `labels to match ${expr.op} by`);
      assertShort(expr.matching?.include ?? [], `labels to include in ${expr.op}`);
      assertShortLists(expr.lhs);
      assertShortLists(expr.rhs);
      return;
    case 'subquery':
    case 'unary':
    case 'parens':
      assertShortLists(expr.expr);
  }
}

function assertShort(list: readonly unknown[], what: string): void {
  if (list.length > MAX_LIST) throw new OpsError('limit', `${list.length} ${what} are more than the ${MAX_LIST} that a query may have`);
}
