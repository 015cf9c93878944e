import type { AggregateOp, BinaryOp, Expr } from './ast.ts';
import { checkTypes } from './check-types.ts';
import { parseBinaryModifiers, parseGroupingLabels } from './parse-grouping.ts';
import { endOf, takeNumber } from './parse-literal.ts';
import { parseModifier } from './parse-modifiers.ts';
import { parseBrackets } from './parse-range.ts';
import { parseBareSelector, parseNamedSelector } from './parse-selector.ts';
import {
  createParseState,
  enterLevel,
  errorAt,
  failUnexpected,
  type ParseState,
  peekToken,
  raiseHeight,
  takeIf,
  takeKind,
  takeToken,
} from './parse-state.ts';
import { quoteText } from './quote.ts';
import { SIGNATURES } from './signatures.ts';
import { AGGREGATOR_KINDS, EXPRESSION_STARTS, METRIC_NAME_KINDS, type Token } from './tokens.ts';
import { unquote } from './unquote.ts';

const PRECEDENCE: Record<string, number> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);
const PARAMETER_OPERATORS: ReadonlySet<string> = new Set(['topk', 'bottomk', 'quantile', 'count_values', 'limitk', 'limit_ratio']);
const CALLABLE_KINDS: ReadonlySet<string> = new Set(['IDENTIFIER', 'start', 'end', 'step', 'range', 'max_of', 'min_of']);
const MODIFIER_KINDS: ReadonlySet<string> = new Set(['offset', '@', 'anchored', 'smoothed']);

/**
 * Reads a PromQL expression and checks its types; every experimental feature of Prometheus 3.14 is on.
 * Throws `input` with Prometheus' own message: `1:5: parse error: unexpected <op:+>`. Takes time linear in the text. What is
 * nested deeper than MAX_NESTING or chained longer than MAX_DEPTH is refused, so that walks over the result may recurse.
 */
export function parseExpr(text: string): Expr {
  const state = createParseState(text);
  if (peekToken(state).kind === 'EOF') throw errorAt(state, 0, 'no expression found in input');
  const expr = parseBinary(state, 1);
  if (peekToken(state).kind !== 'EOF') return failUnexpected(state);
  checkTypes(text, expr);
  return expr;
}

function parseBinary(state: ParseState, minPrecedence: number): Expr {
  enterLevel(state);
  let left = parseUnary(state);
  for (;;) {
    const precedence = PRECEDENCE[peekToken(state).kind] ?? 0;
    if (precedence === 0 || precedence < minPrecedence) break;
    left = parseRightSide(state, left, takeToken(state), precedence);
  }
  state.nesting--;
  return left;
}

function parseRightSide(state: ParseState, lhs: Expr, operator: Token, precedence: number): Expr {
  const leftHeight = state.height;
  const { returnBool, matching } = parseBinaryModifiers(state);
  const rhs = parseBinary(state, operator.kind === '^' ? precedence : precedence + 1);
  raiseHeight(state, Math.max(leftHeight, state.height), operator.start);
  const op = operator.kind as BinaryOp;
  const card = SET_OPERATORS.has(op) && matching.card === 'one-to-one' ? 'many-to-many' : matching.card;
  const span = { start: lhs.span.start, end: rhs.span.end };
  return { kind: 'binary', op, lhs, rhs, returnBool, matching: { ...matching, card }, span };
}

function parseUnary(state: ParseState): Expr {
  const sign = takeIf(state, '+') ?? takeIf(state, '-');
  if (sign === undefined) return parsePostfix(state);
  const expr = parseBinary(state, PRECEDENCE['^']);
  const span = { start: sign.start, end: expr.span.end };
  if (expr.kind === 'number') return { ...expr, value: sign.kind === '-' ? -expr.value : expr.value, span };
  raiseHeight(state, state.height, sign.start);
  return { kind: 'unary', op: sign.kind as '+' | '-', expr, span };
}

function parsePostfix(state: ParseState): Expr {
  let expr = parsePrimary(state);
  for (;;) {
    const { kind } = peekToken(state);
    if (kind === '[') expr = parseBrackets(state, takeToken(state), expr);
    else if (MODIFIER_KINDS.has(kind)) expr = parseModifier(state, takeToken(state), expr);
    else return expr;
  }
}

function parsePrimary(state: ParseState): Expr {
  const token = peekToken(state);
  switch (token.kind) {
    case 'NUMBER':
    case 'DURATION':
      return parseNumberLiteral(state);
    case 'STRING':
      takeToken(state);
      state.height = 1;
      return { kind: 'string', value: unquote(token.text), span: { start: token.start, end: endOf(token) } };
    case '(':
      return parseParens(state);
    case '{':
      return parseBareSelector(state);
    default:
      return METRIC_NAME_KINDS.has(token.kind) ? parseName(state, takeToken(state)) : failUnexpected(state);
  }
}

function parseNumberLiteral(state: ParseState): Expr {
  const { value, isDuration, start, end } = takeNumber(state);
  state.height = 1;
  return { kind: 'number', value, isDuration, span: { start, end } };
}

function parseParens(state: ParseState): Expr {
  const { start } = takeToken(state);
  const expr = parseBinary(state, 1);
  const end = endOf(takeKind(state, ')'));
  raiseHeight(state, state.height, start);
  return { kind: 'parens', expr, span: { start, end } };
}

/** What starts with a word: an aggregation, a call, or a selector by a metric's name. */
function parseName(state: ParseState, word: Token): Expr {
  const { kind } = peekToken(state);
  if (AGGREGATOR_KINDS.has(word.kind) && (kind === '(' || kind === 'by' || kind === 'without')) return parseAggregate(state, word);
  if (CALLABLE_KINDS.has(word.kind) && kind === '(') return parseCall(state, word);
  return parseNamedSelector(state, word.text, word.start);
}

/** Arguments in parentheses; leaves the height of the tallest. */
function parseArguments(state: ParseState): { args: Expr[]; end: number } {
  const args: Expr[] = [];
  let height = 0;
  takeKind(state, '(');
  while (peekToken(state).kind !== ')') {
    args.push(parseBinary(state, 1));
    height = Math.max(height, state.height);
    const comma = takeIf(state, ',');
    if (comma === undefined) break;
    if (!EXPRESSION_STARTS.has(peekToken(state).kind)) {
      throw errorAt(state, comma.start, 'trailing commas not allowed in function call args');
    }
  }
  state.height = height;
  return { args, end: endOf(takeKind(state, ')')) };
}

function parseCall(state: ParseState, name: Token): Expr {
  const { args, end } = parseArguments(state);
  raiseHeight(state, state.height, name.start);
  if (!SIGNATURES.has(name.text)) throw errorAt(state, name.start, `unknown function with name ${quoteText(name.text)}`);
  return { kind: 'call', func: name.text, args, span: { start: name.start, end } };
}

interface Grouping {
  readonly grouping: string[];
  readonly without: boolean;
}

function takeGrouping(state: ParseState): Grouping | undefined {
  const keyword = takeIf(state, 'by') ?? takeIf(state, 'without');
  return keyword && { grouping: parseGroupingLabels(state), without: keyword.kind === 'without' };
}

function parseAggregate(state: ParseState, operator: Token): Expr {
  state.contexts.push({ context: 'aggregation', expected: '' });
  const before = takeGrouping(state);
  const { args, end } = parseArguments(state);
  const height = state.height;
  const { grouping, without } = before ?? takeGrouping(state) ?? { grouping: [], without: false };
  state.contexts.pop();
  raiseHeight(state, height, operator.start);
  return finishAggregate(state, operator, args, { grouping, without }, end);
}

function finishAggregate(state: ParseState, operator: Token, args: readonly Expr[], grouping: Grouping, end: number): Expr {
  const op = operator.kind as AggregateOp;
  const wanted = PARAMETER_OPERATORS.has(op) ? 2 : 1;
  if (args.length === 0) throw errorAt(state, operator.start, 'no arguments for aggregate expression provided');
  if (args.length !== wanted) {
    const counts = `expected ${wanted}, got ${args.length}`;
    throw errorAt(state, operator.start, `wrong number of arguments for aggregate expression provided, ${counts}`);
  }
  const span = { start: operator.start, end };
  const expr = args[wanted - 1];
  return wanted === 2
    ? { kind: 'aggregate', op, expr, param: args[0], ...grouping, span }
    : { kind: 'aggregate', op, expr, ...grouping, span };
}
