import { parseError } from './parse-error.ts';

/** A scanner over a text: `start` is where the token being scanned begins, `pos` what is read next. */
export interface Lexer {
  readonly text: string;
  pos: number;
  start: number;
  parenDepth: number;
  braceOpen: boolean;
  bracketOpen: boolean;
  /** Inside brackets and before the first number: only what a duration is made of is accepted. */
  inDuration: boolean;
  gotColon: boolean;
  gotDuration: boolean;
}

/** The character at an offset, surrogate pairs whole, U+FFFD for a lone surrogate, the empty string at the end. */
export function characterAt(text: string, pos: number): string {
  const code = text.codePointAt(pos);
  if (code === undefined) return '';
  if (code < 0x80) return text[pos];
  return code >= 0xd800 && code < 0xe000 ? '\ufffd' : String.fromCodePoint(code);
}

/** Throws the error of a token that cannot be scanned. */
export function failLexing(lexer: Lexer, message: string): never {
  throw parseError(lexer.text, lexer.start, message);
}

/** ASCII digit. */
export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1;
}

/** ASCII letter or underscore. */
export function isAlpha(char: string): boolean {
  return char.length === 1 && ((char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_');
}

/** ASCII letter, digit or underscore. */
export function isAlphaNumeric(char: string): boolean {
  return isAlpha(char) || isDigit(char);
}

/** What separates tokens. */
export function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
