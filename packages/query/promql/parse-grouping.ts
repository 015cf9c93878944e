import type { VectorMatching } from './ast.ts';
import { takeNumber } from './parse-literal.ts';
import { errorAt, failUnexpected, type ParseState, peekToken, takeIf, takeKind, takeToken } from './parse-state.ts';
import { quoteText } from './quote.ts';
import { EXPRESSION_STARTS, LABEL_NAME_KINDS } from './tokens.ts';
import { unquote } from './unquote.ts';

const CONTEXT = 'grouping opts';

function takeLabel(state: ParseState): string {
  const token = peekToken(state);
  if (LABEL_NAME_KINDS.has(token.kind)) return takeToken(state).text;
  if (token.kind !== 'STRING') return failUnexpected(state, CONTEXT, 'label');
  const name = unquote(takeToken(state).text);
  if (name === '' || !name.isWellFormed()) throw errorAt(state, token.start, `invalid label name for grouping: ${quoteText(name)}`);
  return name;
}

/** Label names in parentheses, as after `by` and `on`. */
export function parseGroupingLabels(state: ParseState): string[] {
  if (takeIf(state, '(') === undefined) return failUnexpected(state, CONTEXT, '"("');
  const labels: string[] = [];
  while (takeIf(state, ')') === undefined) {
    labels.push(takeLabel(state));
    const { kind } = peekToken(state);
    if (kind === ',') takeToken(state);
    else if (kind !== ')') return failUnexpected(state, CONTEXT, '"," or ")"');
  }
  return labels;
}

function parseIncludeLabels(state: ParseState): string[] {
  const { kind } = peekToken(state);
  return kind !== '(' && EXPRESSION_STARTS.has(kind) ? [] : parseGroupingLabels(state);
}

function parseFillValue(state: ParseState): number {
  takeKind(state, '(');
  const sign = takeIf(state, '+') ?? takeIf(state, '-');
  const { value } = takeNumber(state);
  takeKind(state, ')');
  return sign?.kind === '-' ? -value : value;
}

function parseFill(state: ParseState): VectorMatching['fill'] {
  if (takeIf(state, 'fill') !== undefined) {
    const value = parseFillValue(state);
    return { lhs: value, rhs: value };
  }
  const lhs = takeIf(state, 'fill_left') && parseFillValue(state);
  const rhs = takeIf(state, 'fill_right') && parseFillValue(state);
  if (lhs !== undefined) return { lhs, rhs };
  if (rhs === undefined) return undefined;
  return { lhs: takeIf(state, 'fill_left') && parseFillValue(state), rhs };
}

/** What may stand between a binary operator and its right side. */
export interface BinaryModifiers {
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
}

/** `bool`, `on` or `ignoring`, `group_left` or `group_right`, and `fill`, each where it is written. */
export function parseBinaryModifiers(state: ParseState): BinaryModifiers {
  const returnBool = takeIf(state, 'bool') !== undefined;
  const tag = takeIf(state, 'on') ?? takeIf(state, 'ignoring');
  const labels = tag === undefined ? [] : parseGroupingLabels(state);
  const group = tag === undefined ? undefined : (takeIf(state, 'group_left') ?? takeIf(state, 'group_right'));
  const include = group === undefined ? [] : parseIncludeLabels(state);
  const fill = parseFill(state);
  const card = group === undefined ? 'one-to-one' : group.kind === 'group_left' ? 'many-to-one' : 'one-to-many';
  const matching = { card, on: tag?.kind === 'on', labels, include } as const;
  return { returnBool, matching: fill === undefined ? matching : { ...matching, fill } };
}
