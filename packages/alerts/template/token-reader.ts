import { unquoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import type { FunctionTable } from './go-values.ts';
import type { Tree } from './nodes.ts';
import { describeToken, type Token, type TokenKind } from './tokens.ts';

/** The part of a parser that belongs to one tree: a define or block starts afresh. */
export interface Parser {
  readonly source: Source;
  variables: string[];
  rangeDepth: number;
  actionLine: number;
}

export interface Source {
  readonly name: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly functions: FunctionTable;
  readonly trees: Map<string, Tree>;
  at: number;
  /** The furthest token that was looked at: messages name its line. */
  furthest: number;
  depth: number;
}

/** A parser of the same source for another tree. */
export function startTree(source: Source): Parser {
  return { source, variables: ['$'], rangeDepth: 0, actionLine: 0 };
}

/** The text of a string's token. */
export function unquote(parser: Parser, token: Token): string {
  const text = unquoteGo(token.text);
  if (text === undefined) throw fail(parser, 'invalid syntax');
  return text;
}

/** The next token; the last one again at the end. */
export function next({ source }: Parser): Token {
  const at = Math.min(source.at, source.tokens.length - 1);
  source.at++;
  source.furthest = Math.max(source.furthest, at);
  return source.tokens[at] as Token;
}

/** The next token, left where it is. */
export function peek(parser: Parser): Token {
  const token = next(parser);
  parser.source.at--;
  return token;
}

/** The next token that is no space. */
export function nextNonSpace(parser: Parser): Token {
  for (;;) {
    const token = next(parser);
    if (token.kind !== 'space') return token;
  }
}

/** The next token that is no space, left where it is. */
export function peekNonSpace(parser: Parser): Token {
  const token = nextNonSpace(parser);
  parser.source.at--;
  return token;
}

/** Whether a token is a keyword. */
export function isWord(token: Token, word: string): boolean {
  return token.kind === 'keyword' && token.text === word;
}

/** An error at the line that the parser has read up to. */
export function fail({ source }: Parser, message: string): OpsError {
  const line = source.tokens[source.furthest]?.line ?? 1;
  return new OpsError('input', `template: ${source.name}:${line}: ${message}`);
}

/** The error of a token that does not belong where it stands. */
export function unexpected(parser: Parser, token: Token, context: string): OpsError {
  if (token.kind !== 'error') return fail(parser, `unexpected ${describeToken(token)} in ${context}`);
  let extra = '';
  if (parser.actionLine !== 0 && parser.actionLine !== token.line) {
    extra = ` in action started at ${parser.source.name}:${parser.actionLine}`;
    if (token.text.endsWith(' action')) extra = extra.slice(' in action'.length);
  }
  return fail(parser, `${token.text}${extra}`);
}

/** Takes a token of a kind. */
export function expect(parser: Parser, kind: TokenKind, context: string): Token {
  const token = nextNonSpace(parser);
  if (token.kind !== kind) throw unexpected(parser, token, context);
  return token;
}

/** Deepest nesting of blocks and parentheses. */
const MAX_DEPTH = 200;

/** Parses what may hold itself, within the depth that a stack can take. */
export function nested<T>(parser: Parser, parse: () => T): T {
  if (++parser.source.depth > MAX_DEPTH) throw fail(parser, `nested more than ${MAX_DEPTH} deep`);
  const result = parse();
  parser.source.depth--;
  return result;
}
