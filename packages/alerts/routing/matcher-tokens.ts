import { isReserved, isSpace } from './reserved.ts';

/** A piece of a matcher's text; columns count characters, `start` before its first and `end` after its last. */
export interface MatcherToken {
  readonly kind: '{' | '}' | ',' | 'operator' | 'quoted' | 'unquoted' | 'end' | 'error';
  /** As written; of an error its message. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The pieces of a text, the last of them `end` or the first error. */
export function readMatcherTokens(text: string): MatcherToken[] {
  const chars = [...text];
  const tokens: MatcherToken[] = [];
  for (let at = 0; ; ) {
    while (at < chars.length && isSpace(chars[at] as string)) at++;
    const token = readToken(chars, at);
    tokens.push(token);
    if (token.kind === 'end' || token.kind === 'error') return tokens;
    at = token.end;
  }
}

function readToken(chars: readonly string[], start: number): MatcherToken {
  const first = chars[start];
  const take = (kind: MatcherToken['kind'], end: number): MatcherToken => ({ kind, text: chars.slice(start, end).join(''), start, end });
  if (first === undefined) return { kind: 'end', text: '', start, end: start };
  if (first === '{' || first === '}' || first === ',') return take(first, start + 1);
  if (first === '=') return take('operator', start + (chars[start + 1] === '~' ? 2 : 1));
  if (first === '!') return readNegative(chars, start, take);
  if (first === '"') return readQuoted(chars, start, take);
  if (isReserved(first)) return fail(chars, start, start + 1, 'invalid input');
  let end = start + 1;
  while (end < chars.length && !isReserved(chars[end] as string)) end++;
  return take('unquoted', end);
}

type Take = (kind: MatcherToken['kind'], end: number) => MatcherToken;

function readNegative(chars: readonly string[], start: number, take: Take): MatcherToken {
  const next = chars[start + 1];
  if (next === '=' || next === '~') return take('operator', start + 2);
  if (next !== undefined) return fail(chars, start, start + 1, "expected one of '=~'");
  const text = `${start}:${start + 1}: unexpected end of input, expected one of '=~'`;
  return { kind: 'error', text, start, end: start + 1 };
}

function readQuoted(chars: readonly string[], start: number, take: Take): MatcherToken {
  for (let i = start + 1; i < chars.length; i++) {
    if (chars[i] === '\\') i++;
    else if (chars[i] === '"') return take('quoted', i + 1);
  }
  return fail(chars, start, chars.length, 'missing end "');
}

function fail(chars: readonly string[], start: number, end: number, message: string): MatcherToken {
  return { kind: 'error', text: `${start}:${end}: ${chars.slice(start, end).join('')}: ${message}`, start, end };
}
