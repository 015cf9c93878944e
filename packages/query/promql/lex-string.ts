import { describeCharacter } from './quote.ts';
import { characterAt, failLexing, type Lexer } from './scan.ts';

const SIMPLE_ESCAPES = 'abfnrtv\\';

/** The offset after the string literal that starts at `lexer.pos`; its escapes are checked here and read by unquote. */
export function lexString(lexer: Lexer): number {
  const quote = lexer.text[lexer.pos];
  return quote === '`' ? lexRawString(lexer) : lexQuotedString(lexer, quote);
}

function lexRawString(lexer: Lexer): number {
  for (let at = lexer.pos + 1; ; ) {
    const char = characterAt(lexer.text, at);
    if (char === '\ufffd') return failLexing(lexer, 'invalid UTF-8 rune');
    if (char === '') return failLexing(lexer, 'unterminated raw string');
    at += char.length;
    if (char === '`') return at;
  }
}

function lexQuotedString(lexer: Lexer, quote: string): number {
  for (let at = lexer.pos + 1; ; ) {
    const char = characterAt(lexer.text, at);
    if (char === '\\') {
      at = lexEscape(lexer, at + 1, quote);
      continue;
    }
    if (char === '\ufffd') return failLexing(lexer, 'invalid UTF-8 rune');
    if (char === '' || char === '\n') return failLexing(lexer, 'unterminated quoted string');
    at += char.length;
    if (char === quote) return at;
  }
}

function lexEscape(lexer: Lexer, at: number, quote: string): number {
  const char = characterAt(lexer.text, at);
  if (char === '') return failLexing(lexer, 'escape sequence not terminated');
  if (char === quote || SIMPLE_ESCAPES.includes(char)) return at + 1;
  if (char >= '0' && char <= '7') return lexCode(lexer, at, 3, 8, 255);
  if (char === 'x') return lexCode(lexer, at + 1, 2, 16, 255);
  if (char === 'u') return lexCode(lexer, at + 1, 4, 16, 0x10ffff);
  if (char === 'U') return lexCode(lexer, at + 1, 8, 16, 0x10ffff);
  return failLexing(lexer, `unknown escape sequence ${describeCharacter(char)}`);
}

function lexCode(lexer: Lexer, from: number, digits: number, base: number, max: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) {
    const char = characterAt(lexer.text, at);
    const digit = char.length === 1 ? Number.parseInt(char, base) : Number.NaN;
    if (char === '') return failLexing(lexer, 'escape sequence not terminated');
    if (Number.isNaN(digit)) return failLexing(lexer, `illegal character ${describeCharacter(char)} in escape sequence`);
    value = value * base + digit;
  }
  if (value > max || (value >= 0xd800 && value < 0xe000)) return failLexing(lexer, 'escape sequence is an invalid Unicode code point');
  return from + digits;
}
