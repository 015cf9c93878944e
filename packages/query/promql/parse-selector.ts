import { compileAnchored } from '#core/re2.ts';
import type { Matcher } from '#model/matcher.ts';
import type { Expr } from './ast.ts';
import { endOf } from './parse-literal.ts';
import { createParseState, errorAt, failUnexpected, type ParseState, peekToken, takeIf, takeToken } from './parse-state.ts';
import { METRIC_NAME_KINDS } from './tokens.ts';
import { unquote } from './unquote.ts';

/** A vector selector as the parser makes it. */
export type VectorSelector = Extract<Expr, { kind: 'vectorSelector' }>;

const CONTEXT = 'label matching';
const MATCH_OPERATORS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~']);

function checkRegex(state: ParseState, pattern: string, position: number): void {
  try {
    compileAnchored(pattern);
  } catch (error) {
    throw errorAt(state, position, (error as Error).message);
  }
}

function parseMatcher(state: ParseState): Matcher {
  const { kind } = peekToken(state);
  if (kind !== 'IDENTIFIER' && kind !== 'STRING') return failUnexpected(state, CONTEXT, 'identifier or "}"');
  const label = takeToken(state);
  const name = kind === 'STRING' ? unquote(label.text) : label.text;
  if (!MATCH_OPERATORS.has(peekToken(state).kind)) {
    if (kind === 'STRING') return { name: '__name__', op: '=', value: name };
    return failUnexpected(state, CONTEXT, 'label matching operator');
  }
  const op = takeToken(state).kind as Matcher['op'];
  if (peekToken(state).kind !== 'STRING') return failUnexpected(state, CONTEXT, 'string');
  const value = unquote(takeToken(state).text);
  if (op === '=~' || op === '!~') checkRegex(state, value, label.start);
  return { name, op, value };
}

function parseMatchers(state: ParseState): { matchers: Matcher[]; end: number } {
  const matchers: Matcher[] = [];
  takeToken(state);
  for (;;) {
    const close = takeIf(state, '}');
    if (close !== undefined) return { matchers, end: endOf(close) };
    matchers.push(parseMatcher(state));
    const { kind } = peekToken(state);
    if (kind === ',') takeToken(state);
    else if (kind !== '}') return failUnexpected(state, CONTEXT, '"," or "}"');
  }
}

function finishSelector(state: ParseState, name: string, start: number, nameEnd: number): VectorSelector {
  const braces = peekToken(state).kind === '{' ? parseMatchers(state) : { matchers: [], end: nameEnd };
  if (name !== '') braces.matchers.push({ name: '__name__', op: '=', value: name });
  const span = { start, end: braces.end };
  state.height = 1;
  return { kind: 'vectorSelector', name, matchers: braces.matchers, modifiers: { offsetMs: 0 }, anchored: false, smoothed: false, span };
}

/** A selector whose metric name has been taken. */
export function parseNamedSelector(state: ParseState, name: string, start: number): VectorSelector {
  return finishSelector(state, name, start, start + name.length);
}

/** A selector that starts with a brace. */
export function parseBareSelector(state: ParseState): VectorSelector {
  const { start } = peekToken(state);
  return finishSelector(state, '', start, start);
}

/**
 * The matchers of a series selector such as `match[]` takes: `up{job="api"}`. The name outside the braces comes last as `__name__`.
 * Whether any matcher refuses the empty string is left to the caller, as in Prometheus.
 */
export function parseSelector(text: string): readonly Matcher[] {
  const state = createParseState(text);
  const first = peekToken(state);
  let selector: VectorSelector;
  if (METRIC_NAME_KINDS.has(first.kind)) selector = parseNamedSelector(state, takeToken(state).text, first.start);
  else if (first.kind === '{') selector = parseBareSelector(state);
  else return failUnexpected(state);
  if (peekToken(state).kind !== 'EOF') return failUnexpected(state);
  return selector.matchers;
}
