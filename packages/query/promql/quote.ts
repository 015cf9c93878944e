/** Characters Go prints as they are inside quotes: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const NAMED_ESCAPES: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

function isPlainAscii(code: number): boolean {
  return code >= 0x20 && code < 0x7f;
}

function escapeCharacter(char: string, quote: string): string {
  if (char === quote) return `\\${char}`;
  const named = NAMED_ESCAPES[char];
  if (named !== undefined) return named;
  if (char === '\ufffd' && quote === '"') return '\\ufffd';
  const code = char.codePointAt(0) as number;
  if (isPlainAscii(code) || (code > 0x7f && PRINTABLE.test(char))) return char;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code >= 0xdc80 && code < 0xdd00) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code >= 0xd800 && code < 0xe000) return '\\ufffd';
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

/**
 * The text in double quotes, escaped as Go's strconv.Quote does; a byte that is no UTF-8 is what unquote makes of it. U+FFFD is escaped,
 * because a query must not hold it as it is.
 */
export function quoteText(text: string): string {
  let out = '"';
  for (const char of text) out += escapeCharacter(char, '"');
  return `${out}"`;
}

/** The first `limit` characters of the text in double quotes, as Go's `%.10q`. */
export function quotePrefix(text: string, limit: number): string {
  let prefix = '';
  let count = 0;
  for (const char of text) {
    if (count++ === limit) break;
    prefix += char;
  }
  return quoteText(prefix);
}

/** One character in single quotes as Go's `%q` of a rune; the empty string stands for the end of the input. */
export function quoteCharacter(char: string): string {
  return `'${escapeCharacter(char === '' ? '\ufffd' : char, "'")}'`;
}

/** One character as Go's `%#U`: `U+0041 'A'`. */
export function describeCharacter(char: string): string {
  const code = char.codePointAt(0) ?? 0xfffd;
  const shown = PRINTABLE.test(char) ? ` '${char}'` : '';
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}${shown}`;
}
