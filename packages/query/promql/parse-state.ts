import type { OpsError } from '#core/errors.ts';
import { createLexer, nextToken } from './lexer.ts';
import { parseError } from './parse-error.ts';
import type { Lexer } from './scan.ts';
import { describeToken, type Token, type TokenKind } from './tokens.ts';

/** The most parentheses, calls and signs that may be open at once: the parser takes several stack frames for each. */
const MAX_NESTING = 250;

/**
 * The most levels an expression may have, counting the steps of a chain such as `a + b + c` besides what is nested: every later walk
 * over the tree can recurse without running out of stack.
 */
const MAX_DEPTH = 1000;

/** What the reader was told to expect where a token does not fit: `unexpected X in CONTEXT, expected EXPECTED`. */
interface SyntaxContext {
  readonly context: string;
  readonly expected: string;
}

/** A parser over one text. Tokens are read only when needed, because an error of the lexer comes before those found after it. */
export interface ParseState {
  readonly text: string;
  readonly lexer: Lexer;
  ahead: Token | undefined;
  /** Innermost last: what an unexpected token is reported as. */
  readonly contexts: SyntaxContext[];
  /** How many expressions are open. */
  nesting: number;
  /** The levels of the expression read last. */
  height: number;
}

/** A parser at the start of the text. */
export function createParseState(text: string): ParseState {
  return { text, lexer: createLexer(text), ahead: undefined, contexts: [], nesting: 0, height: 0 };
}

/** The next token, left in place. */
export function peekToken(state: ParseState): Token {
  state.ahead ??= nextToken(state.lexer);
  return state.ahead;
}

/** Takes the next token. */
export function takeToken(state: ParseState): Token {
  const token = peekToken(state);
  state.ahead = undefined;
  return token;
}

/** Takes the next token if it is of the kind. */
export function takeIf(state: ParseState, kind: TokenKind): Token | undefined {
  return peekToken(state).kind === kind ? takeToken(state) : undefined;
}

/** Takes the next token, which must be of the kind. */
export function takeKind(state: ParseState, kind: TokenKind): Token {
  return takeIf(state, kind) ?? failUnexpected(state);
}

/** The error at a position of the text. */
export function errorAt(state: ParseState, position: number, message: string): OpsError {
  return parseError(state.text, position, message);
}

/** Throws that the next token does not fit, in the given context or in the innermost open one. */
export function failUnexpected(state: ParseState, context?: string, expected?: string): never {
  const open = context === undefined ? state.contexts.at(-1) : { context, expected: expected ?? '' };
  const token = peekToken(state);
  let message = `unexpected ${describeToken(token)}`;
  if (open !== undefined && open.context !== '') message += ` in ${open.context}`;
  if (open !== undefined && open.expected !== '') message += `, expected ${open.expected}`;
  throw errorAt(state, token.start, message);
}

/** Reads a part of the grammar within which unexpected tokens are reported in the given context. */
export function parseWithin<T>(state: ParseState, context: string, expected: string, parse: () => T): T {
  state.contexts.push({ context, expected });
  const result = parse();
  state.contexts.pop();
  return result;
}

/** Opens one more level of nesting; every return must be met by `state.nesting--`. */
export function enterLevel(state: ParseState): void {
  if (++state.nesting <= MAX_NESTING) return;
  throw errorAt(state, peekToken(state).start, `expression is nested too deeply: more than ${MAX_NESTING} levels`);
}

/** Notes that the expression read last stands above others of the given height. */
export function raiseHeight(state: ParseState, below: number, position: number): void {
  state.height = below + 1;
  if (state.height <= MAX_DEPTH) return;
  throw errorAt(state, position, `expression has too many operators in a row: more than ${MAX_DEPTH}`);
}
