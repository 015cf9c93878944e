import { compileMatcher } from '#model/matcher.ts';
import type { Expr, ValueType, VectorMatching } from './ast.ts';
import { parseError } from './parse-error.ts';
import { quoteText } from './quote.ts';
import { isSpace } from './scan.ts';
import { SIGNATURES, type Signature } from './signatures.ts';
import { valueType } from './value-types.ts';

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);

/** The type as the documentation and the error messages call it. */
function documentedType(type: ValueType): string {
  if (type === 'vector') return 'instant vector';
  return type === 'matrix' ? 'range vector' : type;
}

/**
 * Checks an expression as read, in the order Prometheus does, and returns its type. Throws `input` with Prometheus' message at the first
 * fault. Vector matching is taken off the operators that do not stand between two vectors.
 */
export function checkTypes(text: string, expr: Expr): ValueType {
  switch (expr.kind) {
    case 'aggregate':
      return checkAggregate(text, expr);
    case 'binary':
      return checkBinary(text, expr);
    case 'call':
      return checkCall(text, expr);
    case 'parens':
      return checkTypes(text, expr.expr);
    case 'unary':
      return checkUnary(text, expr);
    case 'subquery':
      return checkSubquery(text, expr);
    case 'matrixSelector':
      checkSelector(text, expr.vector);
      return 'matrix';
    case 'vectorSelector':
      checkSelector(text, expr);
      return 'vector';
    default:
      return valueType(expr);
  }
}

function expectType(text: string, expr: Expr, wanted: ValueType, context: string): void {
  const type = checkTypes(text, expr);
  if (type === wanted) return;
  throw parseError(text, expr.span.start, `expected type ${documentedType(wanted)} in ${context}, got ${documentedType(type)}`);
}

function checkAggregate(text: string, expr: Of<'aggregate'>): ValueType {
  expectType(text, expr.expr, 'vector', 'aggregation expression');
  if (expr.param !== undefined) expectType(text, expr.param, expr.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
  return 'vector';
}

function checkUnary(text: string, expr: Of<'unary'>): ValueType {
  const type = checkTypes(text, expr.expr);
  if (type === 'scalar' || type === 'vector') return type;
  const allowed = 'unary expression only allowed on expressions of type scalar or instant vector';
  throw parseError(text, expr.span.start, `${allowed}, got ${quoteText(documentedType(type))}`);
}

function checkSubquery(text: string, expr: Of<'subquery'>): ValueType {
  const type = checkTypes(text, expr.expr);
  if (type === 'vector') return 'matrix';
  throw parseError(text, expr.span.start, `subquery is only allowed on instant vector, got ${type} instead`);
}

function checkSelector(text: string, expr: Of<'vectorSelector'>, mayMatchAll = false): void {
  if (expr.name !== '') {
    const second = expr.matchers.slice(0, -1).find((matcher) => matcher.name === '__name__');
    if (second === undefined) return;
    const names = `${quoteText(expr.name)} or ${quoteText(second.value)}`;
    throw parseError(text, expr.span.start, `metric name must not be set twice: ${names}`);
  }
  if (mayMatchAll || expr.matchers.some((matcher) => !compileMatcher(matcher)(''))) return;
  throw parseError(text, expr.span.start, 'vector selector must contain at least one non-empty matcher');
}

function checkBinary(text: string, expr: Of<'binary'>): ValueType {
  const left = checkTypes(text, expr.lhs);
  const right = checkTypes(text, expr.rhs);
  const scalars = left === 'scalar' && right === 'scalar';
  checkBool(text, expr, scalars);
  checkInclude(text, expr);
  for (const [side, type] of [[expr.lhs, left] as const, [expr.rhs, right] as const]) {
    if (type === 'scalar' || type === 'vector') continue;
    throw parseError(text, side.span.start, 'binary expression must contain only scalar and instant vector types');
  }
  if (left === 'vector' && right === 'vector') checkSetOperator(text, expr);
  else dropMatching(text, expr);
  if ((left === 'scalar' || right === 'scalar') && SET_OPERATORS.has(expr.op)) {
    throw parseError(text, expr.span.start, `set operator ${quoteText(expr.op)} not allowed in binary scalar expression`);
  }
  return scalars ? 'scalar' : 'vector';
}

function operatorPosition(text: string, expr: Of<'binary'>): number {
  let at = expr.lhs.span.end;
  while (isSpace(text[at])) at++;
  return at;
}

function checkBool(text: string, expr: Of<'binary'>, scalars: boolean): void {
  const comparison = COMPARISONS.has(expr.op);
  if (expr.returnBool && !comparison) {
    throw parseError(text, operatorPosition(text, expr), 'bool modifier can only be used on comparison operators');
  }
  if (comparison && !expr.returnBool && scalars) {
    throw parseError(text, operatorPosition(text, expr), 'comparisons between scalars must use BOOL modifier');
  }
}

function checkInclude(text: string, expr: Of<'binary'>): void {
  const { on, labels, include } = expr.matching as VectorMatching;
  const twice = on ? labels.find((label) => include.includes(label)) : undefined;
  if (twice === undefined) return;
  throw parseError(text, operatorPosition(text, expr), `label ${quoteText(twice)} must not occur in ON and GROUP clause at once`);
}

function checkSetOperator(text: string, expr: Of<'binary'>): void {
  const { card, fill } = expr.matching as VectorMatching;
  if (!SET_OPERATORS.has(expr.op)) return;
  if (card === 'one-to-many' || card === 'many-to-one') {
    throw parseError(text, expr.span.start, `no grouping allowed for ${quoteText(expr.op)} operation`);
  }
  if (fill !== undefined) throw parseError(text, expr.span.start, 'filling in missing series not allowed for set operators');
}

function dropMatching(text: string, expr: Of<'binary'>): void {
  const { labels, fill } = expr.matching as VectorMatching;
  if (labels.length > 0) throw parseError(text, expr.span.start, 'vector matching only allowed between instant vectors');
  if (fill !== undefined) throw parseError(text, expr.span.start, 'filling in missing series only allowed between instant vectors');
  (expr as { matching?: VectorMatching | undefined }).matching = undefined;
}

function checkCall(text: string, expr: Of<'call'>): ValueType {
  const signature = SIGNATURES.get(expr.func) as Signature;
  checkCount(text, expr, signature);
  if (expr.func === 'info' && expr.args.length > 1) checkInfoSelector(text, expr);
  for (const [index, arg] of expr.args.entries()) {
    const wanted = signature.args[Math.min(index, signature.args.length - 1)];
    if (expr.func === 'info' && index === 1) checkSelector(text, arg as Of<'vectorSelector'>, true);
    else expectType(text, arg, wanted, `call to function ${quoteText(expr.func)}`);
  }
  return signature.returns;
}

function checkCount(text: string, expr: Of<'call'>, { args, variadic }: Signature): void {
  const given = expr.args.length;
  const least = variadic === 0 ? args.length : args.length - 1;
  const most = variadic < 0 ? Number.POSITIVE_INFINITY : least + variadic;
  if (given >= least && given <= most) return;
  const [bound, count] = variadic === 0 ? ['', least] : given < least ? ['at least ', least] : ['at most ', most];
  const expected = `expected ${bound}${count} argument(s) in call to ${quoteText(expr.func)}`;
  throw parseError(text, expr.span.start, `${expected}, got ${given}`);
}

function checkInfoSelector(text: string, expr: Of<'call'>): void {
  const selector = expr.args[1];
  const type = valueType(selector);
  if (type !== 'vector') {
    const context = `call to function ${quoteText(expr.func)}`;
    throw parseError(text, expr.span.start, `expected type instant vector in ${context}, got ${documentedType(type)}`);
  }
  if (selector.kind !== 'vectorSelector') throw parseError(text, selector.span.start, 'expected label selectors only');
  if (selector.name === '') return;
  throw parseError(text, selector.span.start, 'expected label selectors only, got vector selector instead');
}
