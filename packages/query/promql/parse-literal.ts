import { parseDuration } from './parse-duration.ts';
import { parseNumber } from './parse-number.ts';
import { errorAt, failUnexpected, type ParseState, peekToken, takeToken } from './parse-state.ts';
import type { Token } from './tokens.ts';

/** A number as written: seconds where it is a duration. */
export interface NumberToken {
  readonly value: number;
  readonly isDuration: boolean;
  readonly start: number;
  readonly end: number;
}

/** Whether the next token is a number or a duration. */
export function isNumberNext(state: ParseState): boolean {
  const { kind } = peekToken(state);
  return kind === 'NUMBER' || kind === 'DURATION';
}

/** Takes a number or duration token. */
export function takeNumber(state: ParseState): NumberToken {
  if (!isNumberNext(state)) return failUnexpected(state);
  const token = takeToken(state);
  const isDuration = token.kind === 'DURATION';
  return { value: isDuration ? readSeconds(state, token) : readNumber(state, token), isDuration, start: token.start, end: endOf(token) };
}

/** The offset after a token. */
export function endOf(token: Token): number {
  return token.start + token.text.length;
}

function readSeconds(state: ParseState, token: Token): number {
  const parsed = parseDuration(token.text);
  if ('reason' in parsed) throw errorAt(state, token.start, parsed.reason);
  return Math.trunc(parsed.ms / 1000) + ((parsed.ms % 1000) * 1e6) / 1e9;
}

function readNumber(state: ParseState, token: Token): number {
  const parsed = parseNumber(token.text);
  if ('reason' in parsed) throw errorAt(state, token.start, `error parsing number: ${parsed.reason}`);
  return parsed.value;
}
