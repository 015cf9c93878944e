/* The states and the order of the checks are those of Prometheus' lexer, because its error messages and positions follow from them. */
import { acceptRemainingDuration, scanNumber } from './lex-number.ts';
import { lexString } from './lex-string.ts';
import { quoteCharacter, quoteText } from './quote.ts';
import { characterAt, failLexing, isAlpha, isAlphaNumeric, isDigit, isSpace, type Lexer } from './scan.ts';
import { KEYWORDS, type Token, type TokenKind } from './tokens.ts';

const DURATION_WORDS: ReadonlySet<string> = new Set(['step', 'range', 'max_of', 'min_of']);
const SINGLE: ReadonlySet<string> = new Set([',', '*', '/', '%', '+', '-', '^']);

/** A lexer at the start of the text. */
export function createLexer(text: string): Lexer {
  return {
    text,
    pos: 0,
    start: 0,
    parenDepth: 0,
    braceOpen: false,
    bracketOpen: false,
    inDuration: false,
    gotColon: false,
    gotDuration: false,
  };
}

function emit(lexer: Lexer, kind: TokenKind): Token {
  const token = { kind, start: lexer.start, text: lexer.text.slice(lexer.start, lexer.pos) };
  lexer.start = lexer.pos;
  return token;
}

function emitEnd(lexer: Lexer, end: number, kind: TokenKind): Token {
  lexer.pos = end;
  return emit(lexer, kind);
}

/** The next token that is not a comment; EOF for ever at the end. `input` with the position for what cannot be scanned. */
export function nextToken(lexer: Lexer): Token {
  for (;;) {
    const char = lexer.text[lexer.pos] ?? '';
    if (isSpace(char)) lexer.start = ++lexer.pos;
    else if (char === '#' && !lexer.inDuration) skipComment(lexer);
    else break;
  }
  if (lexer.inDuration) return lexDuration(lexer);
  return lexer.braceOpen ? lexInsideBraces(lexer) : lexStatement(lexer);
}

function skipComment(lexer: Lexer): void {
  while (lexer.pos < lexer.text.length && lexer.text[lexer.pos] !== '\n' && lexer.text[lexer.pos] !== '\r') lexer.pos++;
  lexer.start = lexer.pos;
}

function lexStatement(lexer: Lexer): Token {
  const char = characterAt(lexer.text, lexer.pos);
  if (char === '') return lexEnd(lexer);
  const next = characterAt(lexer.text, lexer.pos + char.length);
  if (isAlpha(char) || char === ':') return lexer.bracketOpen ? lexWordInBrackets(lexer, char) : lexWord(lexer);
  if (isDigit(char) || (char === '.' && isDigit(next))) return lexNumberOrDuration(lexer);
  if (SINGLE.has(char)) return emitEnd(lexer, lexer.pos + 1, char);
  switch (char) {
    case '=':
    case '!':
    case '<':
    case '>':
      return lexComparison(lexer, char, next);
    case '"':
    case "'":
    case '`':
      return emitEnd(lexer, lexString(lexer), 'STRING');
    case '(':
    case ')':
      return lexParenthesis(lexer, char);
    case '{':
      lexer.braceOpen = true;
      return emitEnd(lexer, lexer.pos + 1, char);
    case '[':
      return lexLeftBracket(lexer);
    case ']':
      if (!lexer.bracketOpen) return failLexing(lexer, `unexpected right bracket ${quoteCharacter(char)}`);
      lexer.bracketOpen = false;
      return emitEnd(lexer, lexer.pos + 1, char);
    case '@':
      return emitEnd(lexer, lexer.pos + 1, char);
    default:
      return failLexing(lexer, `unexpected character: ${quoteCharacter(char)}`);
  }
}

function lexEnd(lexer: Lexer): Token {
  if (lexer.parenDepth !== 0) return failLexing(lexer, 'unclosed left parenthesis');
  if (lexer.bracketOpen) return failLexing(lexer, 'unclosed left bracket');
  return emit(lexer, 'EOF');
}

function lexComparison(lexer: Lexer, char: string, next: string): Token {
  if (char === '=' && next === '~') return failLexing(lexer, `unexpected character after '=': ${quoteCharacter(next)}`);
  if (char === '!' && next !== '=') return failLexing(lexer, `unexpected character after '!': ${quoteCharacter(next)}`);
  const double = next === '=' || (next === '/' && char !== '=');
  return emitEnd(lexer, lexer.pos + (double ? 2 : 1), double ? char + next : char);
}

function lexParenthesis(lexer: Lexer, char: string): Token {
  const token = emitEnd(lexer, lexer.pos + 1, char);
  lexer.parenDepth += char === '(' ? 1 : -1;
  if (lexer.parenDepth < 0) return failLexing(lexer, `unexpected right parenthesis ${quoteCharacter(char)}`);
  return token;
}

function lexLeftBracket(lexer: Lexer): Token {
  if (lexer.bracketOpen) return failLexing(lexer, `unexpected left bracket '['`);
  lexer.gotColon = false;
  lexer.bracketOpen = true;
  lexer.inDuration = true;
  return emitEnd(lexer, lexer.pos + 1, '[');
}

function lexWord(lexer: Lexer): Token {
  let end = lexer.pos;
  let colon = false;
  for (; isAlphaNumeric(lexer.text[end] ?? '') || lexer.text[end] === ':'; end++) colon ||= lexer.text[end] === ':';
  const keyword = KEYWORDS.get(lexer.text.slice(lexer.pos, end).toLowerCase());
  if (keyword === undefined) return emitEnd(lexer, end, colon ? 'METRIC_IDENTIFIER' : 'IDENTIFIER');
  const plainName = keyword.startsWith('fill') && !isFollowedByParenthesis(lexer.text, end);
  return emitEnd(lexer, end, plainName ? 'IDENTIFIER' : keyword);
}

function isFollowedByParenthesis(text: string, from: number): boolean {
  let at = from;
  while (isSpace(text[at] ?? '')) at++;
  return text[at] === '(';
}

function lexWordInBrackets(lexer: Lexer, char: string): Token {
  if (char === ':') {
    if (lexer.gotColon) return failLexing(lexer, `unexpected colon ':'`);
    lexer.gotColon = true;
    return emitEnd(lexer, lexer.pos + 1, ':');
  }
  return lexDurationWord(lexer) ?? failLexing(lexer, `unexpected character: ${quoteCharacter(char)}, expected ':'`);
}

function lexDurationWord(lexer: Lexer): Token | undefined {
  let end = lexer.pos;
  while (isAlpha(lexer.text[end] ?? '')) end++;
  const word = lexer.text.slice(lexer.pos, end).toLowerCase();
  return DURATION_WORDS.has(word) ? emitEnd(lexer, end, word) : undefined;
}

function lexDuration(lexer: Lexer): Token {
  const char = characterAt(lexer.text, lexer.pos);
  if (SINGLE.has(char)) return emitEnd(lexer, lexer.pos + 1, char);
  if (char === '') return failLexing(lexer, 'unexpected end of input in duration expression');
  if (char === '(' || char === ')') return lexParenthesis(lexer, char);
  if (char === ':') return lexColon(lexer);
  if (char === ']') {
    lexer.bracketOpen = false;
    lexer.inDuration = false;
    lexer.gotColon = false;
    return emitEnd(lexer, lexer.pos + 1, char);
  }
  if (isDigit(char) || (char === '.' && isDigit(lexer.text[lexer.pos + 1] ?? ''))) {
    lexer.gotDuration = true;
    lexer.inDuration = false;
    return lexNumberOrDuration(lexer);
  }
  const word = isAlpha(char) ? lexDurationWord(lexer) : undefined;
  return word ?? failLexing(lexer, `unexpected character in duration expression: ${quoteCharacter(char)}`);
}

function lexColon(lexer: Lexer): Token {
  const token = emitEnd(lexer, lexer.pos + 1, ':');
  if (!lexer.gotDuration) return failLexing(lexer, 'unexpected colon before duration in duration expression');
  if (lexer.gotColon) return failLexing(lexer, 'unexpected repeated colon in duration expression');
  lexer.gotColon = true;
  return token;
}

function lexNumberOrDuration(lexer: Lexer): Token {
  if (scanNumber(lexer)) return emit(lexer, 'NUMBER');
  if (acceptRemainingDuration(lexer)) return emit(lexer, 'DURATION');
  return failLexing(lexer, `bad number or duration syntax: ${quoteText(lexer.text.slice(lexer.start, lexer.pos))}`);
}

function lexInsideBraces(lexer: Lexer): Token {
  const char = characterAt(lexer.text, lexer.pos);
  const next = characterAt(lexer.text, lexer.pos + char.length);
  if (isAlpha(char)) {
    let end = lexer.pos;
    while (isAlphaNumeric(lexer.text[end] ?? '')) end++;
    return emitEnd(lexer, end, 'IDENTIFIER');
  }
  switch (char) {
    case '':
      return failLexing(lexer, 'unexpected end of input inside braces');
    case ',':
      return emitEnd(lexer, lexer.pos + 1, char);
    case '"':
    case "'":
    case '`':
      return emitEnd(lexer, lexString(lexer), 'STRING');
    case '=':
      return next === '~' ? emitEnd(lexer, lexer.pos + 2, '=~') : emitEnd(lexer, lexer.pos + 1, '=');
    case '!':
      if (next === '~' || next === '=') return emitEnd(lexer, lexer.pos + 2, char + next);
      return failLexing(lexer, `unexpected character after '!' inside braces: ${quoteCharacter(next)}`);
    case '{':
      return failLexing(lexer, `unexpected left brace ${quoteCharacter(char)}`);
    case '}':
      lexer.braceOpen = false;
      return emitEnd(lexer, lexer.pos + 1, char);
    default:
      return failLexing(lexer, `unexpected character inside braces: ${quoteCharacter(char)}`);
  }
}
