import { unquoteUtf8 } from '#alerts/go-quote.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Matcher } from '#model/matcher.ts';
import { type MatcherToken, readMatcherTokens } from './matcher-tokens.ts';
import { compileRegex } from './matchers.ts';

interface Cursor {
  readonly tokens: readonly MatcherToken[];
  at: number;
}

/** Matchers in Alertmanager's present syntax, any UTF-8 in names; `input` in its own words, with columns. */
export function parseUtf8Matchers(text: string): Matcher[] {
  const cursor: Cursor = { tokens: readMatcherTokens(text), at: 0 };
  const matchers: Matcher[] = [];
  const first = peek(cursor);
  if (first.kind === 'error') throw refuse(first.text);
  if (first.kind === 'end') return matchers;
  const braced = first.kind === '{';
  if (braced) cursor.at++;
  const next = peek(cursor);
  if (next.kind === 'error') throw refuse(next.text);
  if (next.kind !== 'end' && next.kind !== '}') readMatcherList(cursor, matchers);
  closeBrace(cursor, braced);
  const rest = peek(cursor);
  if (rest.kind === 'error') throw refuse(`${rest.text}: expected end of input`);
  if (rest.kind !== 'end') throw refuse(`${rest.start}:${rest.end}: ${rest.text}: expected end of input`);
  return matchers;
}

function readMatcherList(cursor: Cursor, matchers: Matcher[]): void {
  for (;;) {
    matchers.push(readMatcher(cursor));
    const separator = peek(cursor);
    if (separator.kind === 'end' || separator.kind === '}') return;
    expect(cursor, [','], 'expected a comma or close brace');
    const next = peek(cursor);
    if (next.kind === 'end' || next.kind === '}') return;
    if (next.kind !== 'quoted' && next.kind !== 'unquoted') throw unexpected(next, 'expected a matcher or close brace after comma');
  }
}

function readMatcher(cursor: Cursor): Matcher {
  const name = unquote(expect(cursor, ['quoted', 'unquoted'], 'expected label name'));
  const op = expect(cursor, ['operator'], "expected an operator such as '=', '!=', '=~' or '!~'").text as Matcher['op'];
  const value = unquote(expect(cursor, ['quoted', 'unquoted'], 'expected label value'));
  if (op === '=~' || op === '!~') {
    try {
      compileRegex(value);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      throw refuse(`failed to create matcher: ${error.message}`);
    }
  }
  return { name, op, value };
}

function closeBrace(cursor: Cursor, braced: boolean): void {
  const token = peek(cursor);
  const before = cursor.tokens[cursor.at - 1]?.end ?? 0;
  if (braced && token.kind !== '}') throw refuse(`0:${before}: ${describe(token)}: expected close brace`);
  if (!braced && token.kind === '}') throw refuse(`0:${token.end}: }: expected opening brace`);
  if (braced) cursor.at++;
}

function peek(cursor: Cursor): MatcherToken {
  return cursor.tokens[cursor.at] as MatcherToken;
}

function expect(cursor: Cursor, kinds: readonly MatcherToken['kind'][], wanted: string): MatcherToken {
  const token = peek(cursor);
  if (!kinds.includes(token.kind)) throw unexpected(token, wanted);
  cursor.at++;
  return token;
}

function unquote(token: MatcherToken): string {
  const text = token.kind === 'quoted' ? unquoteUtf8(token.text) : token.text;
  if (text === undefined) throw refuse(`${token.start}:${token.end}: ${token.text}: invalid input`);
  return text;
}

function unexpected(token: MatcherToken, wanted: string): OpsError {
  return refuse(`${describe(token)}: ${wanted}`);
}

function describe(token: MatcherToken): string {
  if (token.kind === 'end') return 'end of input';
  return token.kind === 'error' ? token.text : `${token.start}:${token.end}: unexpected ${token.text}`;
}

function refuse(message: string): OpsError {
  return new OpsError('input', message);
}
