import { isPrintable, quoteGo } from '#alerts/go-quote.ts';

export type TokenKind =
  | 'error'
  | 'bool'
  | 'char'
  | 'rune'
  | 'complex'
  | '='
  | ':='
  | 'eof'
  | 'field'
  | 'identifier'
  | '{{'
  | '('
  | 'number'
  | '|'
  | 'raw'
  | '}}'
  | ')'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'keyword';

/** A piece of a template; `pos` is its offset, `line` counts from 1. An error's text is its message, and it is the last. */
export interface Token {
  readonly kind: TokenKind;
  readonly pos: number;
  readonly text: string;
  readonly line: number;
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'nil', 'template', 'with']);

/** A token as Go's messages name it. */
export function describeToken(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.text;
  if (token.kind === 'keyword') return `<${token.text}>`;
  const chars = [...token.text];
  return Buffer.byteLength(token.text) > 10 ? `${quoteGo(chars.slice(0, 10).join(''))}...` : quoteGo(token.text);
}

interface Lexer {
  readonly input: string;
  readonly tokens: Token[];
  pos: number;
  line: number;
}

/** Cuts a template into tokens. Never throws: what is wrong is a last token of kind error. */
export function tokenize(input: string): readonly Token[] {
  const lexer: Lexer = { input, tokens: [], pos: 0, line: 1 };
  for (;;) {
    const open = input.indexOf('{{', lexer.pos);
    const end = open < 0 ? input.length : open;
    const trims = open >= 0 && startsTrim(input, open + 2);
    let text = input.slice(lexer.pos, end);
    if (trims) text = trimEnd(text);
    if (text !== '') push(lexer, 'text', text);
    advance(lexer, end);
    if (open < 0) break;
    if (!lexAction(lexer, trims)) return lexer.tokens;
  }
  push(lexer, 'eof', '');
  return lexer.tokens;
}

function push(lexer: Lexer, kind: TokenKind, text: string): void {
  lexer.tokens.push({ kind, pos: lexer.pos, text, line: lexer.line });
}

function fail(lexer: Lexer, message: string): false {
  push(lexer, 'error', message);
  return false;
}

function advance(lexer: Lexer, to: number): void {
  for (let at = lexer.input.indexOf('\n', lexer.pos); at >= 0 && at < to; at = lexer.input.indexOf('\n', at + 1)) lexer.line++;
  lexer.pos = to;
}

function take(lexer: Lexer, kind: TokenKind, length: number): void {
  push(lexer, kind, lexer.input.slice(lexer.pos, lexer.pos + length));
  advance(lexer, lexer.pos + length);
}

function trimEnd(text: string): string {
  let end = text.length;
  while (isSpace(text[end - 1])) end--;
  return text.slice(0, end);
}

function startsTrim(input: string, at: number): boolean {
  return input[at] === '-' && isSpace(input[at + 1]);
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

/** Length of `}}` or ` -}}` at an offset; 0 where there is none. */
function closeLength(input: string, at: number): number {
  if (isSpace(input[at]) && input.startsWith('-}}', at + 1)) return 4;
  return input.startsWith('}}', at) ? 2 : 0;
}

function skipTrimmed(lexer: Lexer): void {
  let to = lexer.pos;
  while (isSpace(lexer.input[to])) to++;
  advance(lexer, to);
}

/** One action or comment, from its `{{`. False after an error. */
function lexAction(lexer: Lexer, trims: boolean): boolean {
  const inside = lexer.pos + (trims ? 4 : 2);
  if (lexer.input.startsWith('/*', inside)) {
    advance(lexer, inside);
    return lexComment(lexer);
  }
  take(lexer, '{{', 2);
  advance(lexer, inside);
  let depth = 0;
  for (;;) {
    const close = closeLength(lexer.input, lexer.pos);
    if (close > 0) {
      if (depth > 0) return fail(lexer, 'unclosed left paren');
      advance(lexer, lexer.pos + close - 2);
      take(lexer, '}}', 2);
      if (close === 4) skipTrimmed(lexer);
      return true;
    }
    const char = lexer.input[lexer.pos];
    if (char === '(') depth++;
    if (char === ')' && --depth < 0) return fail(lexer, 'unexpected right paren');
    if (!lexInside(lexer)) return false;
  }
}

function lexComment(lexer: Lexer): boolean {
  const end = lexer.input.indexOf('*/', lexer.pos + 2);
  if (end < 0) return fail(lexer, 'unclosed comment');
  const close = closeLength(lexer.input, end + 2);
  if (close === 0) return fail(lexer, 'comment ends before closing delimiter');
  advance(lexer, end + 2 + close);
  if (close === 4) skipTrimmed(lexer);
  return true;
}

const alphanumeric = /[\p{L}\p{Nd}_]+/uy;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/y;
const rune = /'(?:[^'\\\n]|\\[^\n])*'/y;

function matchAt(pattern: RegExp, input: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(input)?.[0].length ?? 0;
}

function lexInside(lexer: Lexer): boolean {
  const { input, pos } = lexer;
  const char = input[pos];
  if (char === undefined) return fail(lexer, 'unclosed action');
  if (isSpace(char)) return lexSpace(lexer);
  switch (char) {
    case '=':
    case '|':
    case '(':
    case ')':
      take(lexer, char, 1);
      return true;
    case ':':
      if (input[pos + 1] !== '=') return fail(lexer, 'expected :=');
      take(lexer, ':=', 2);
      return true;
    case '"':
      return lexQuoted(lexer, 'string', quoted, 'unterminated quoted string');
    case "'":
      return lexQuoted(lexer, 'rune', rune, 'unterminated character constant');
    case '`':
      return lexRaw(lexer);
    case '$':
      return lexName(lexer, 'variable');
    case '.':
      if (!/[0-9]/.test(input[pos + 1] ?? '')) return lexName(lexer, 'field');
  }
  if (/[-+.0-9]/.test(char)) return lexNumber(lexer);
  if (matchAt(alphanumeric, input, pos) > 0) return lexIdentifier(lexer);
  if (char >= ' ' && char <= '~') take(lexer, 'char', 1);
  else return fail(lexer, `unrecognized character in action: ${describeCharacter(input, pos)}`);
  return true;
}

function describeCharacter(input: string, at: number): string {
  const code = input.codePointAt(at);
  if (code === undefined) return 'U+FFFFFFFFFFFFFFFF'; // Go's end of input is -1
  const char = String.fromCodePoint(code);
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}${isPrintable(char) ? ` '${char}'` : ''}`;
}

/** A run of spaces; its last one belongs to a trimming `-}}` that follows. */
function lexSpace(lexer: Lexer): boolean {
  let end = lexer.pos;
  while (isSpace(lexer.input[end])) end++;
  if (lexer.input.startsWith('-}}', end)) end--;
  if (end > lexer.pos) take(lexer, 'space', end - lexer.pos);
  return true;
}

function lexQuoted(lexer: Lexer, kind: TokenKind, form: RegExp, message: string): boolean {
  const length = matchAt(form, lexer.input, lexer.pos);
  if (length === 0) return fail(lexer, message);
  take(lexer, kind, length);
  return true;
}

function lexRaw(lexer: Lexer): boolean {
  const end = lexer.input.indexOf('`', lexer.pos + 1);
  if (end < 0) return fail(lexer, 'unterminated raw quoted string');
  take(lexer, 'raw', end + 1 - lexer.pos);
  return true;
}

function isTerminated(input: string, at: number): boolean {
  const char = input[at];
  return char === undefined || isSpace(char) || '.,|:)('.includes(char) || input.startsWith('}}', at);
}

function lexName(lexer: Lexer, kind: 'variable' | 'field'): boolean {
  const end = lexer.pos + 1 + matchAt(alphanumeric, lexer.input, lexer.pos + 1);
  if (!isTerminated(lexer.input, end)) return fail(lexer, `bad character ${describeCharacter(lexer.input, end)}`);
  const bare = end === lexer.pos + 1 && kind === 'field';
  take(lexer, bare ? 'keyword' : kind, end - lexer.pos);
  return true;
}

function lexIdentifier(lexer: Lexer): boolean {
  const length = matchAt(alphanumeric, lexer.input, lexer.pos);
  const end = lexer.pos + length;
  if (!isTerminated(lexer.input, end)) return fail(lexer, `bad character ${describeCharacter(lexer.input, end)}`);
  const word = lexer.input.slice(lexer.pos, end);
  take(lexer, keywords.has(word) ? 'keyword' : word === 'true' || word === 'false' ? 'bool' : 'identifier', length);
  return true;
}

function lexNumber(lexer: Lexer): boolean {
  const { input, pos } = lexer;
  let end = pos + matchAt(number, input, pos);
  const badAfter = (at: number) => matchAt(alphanumeric, input, at) > 0;
  const bad = () => fail(lexer, `bad number syntax: ${quoteGo(input.slice(pos, end + (badAfter(end) ? 1 : 0)))}`);
  if (badAfter(end)) return bad();
  let kind: TokenKind = 'number';
  if (input[end] === '+' || input[end] === '-') {
    end += matchAt(number, input, end);
    if (badAfter(end) || input[end - 1] !== 'i') return bad();
    kind = 'complex';
  }
  take(lexer, kind, end - pos);
  return true;
}
