const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const letters: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};
const unescaped: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34 };
const plain = /^[ !#-[\]-~]*$/;

/** A text in double quotes as Go's strconv.Quote writes it. */
export function quoteGo(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const char of text) quoted += letters[char] ?? escapeRune(char);
  return `${quoted}"`;
}

function escapeRune(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  if (printable.test(char)) return char;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const numeric = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})/y;

/** What Go's strconv.Unquote makes of a text in double quotes; undefined where it refuses it or the bytes are no UTF-8. */
export function unquoteGo(quoted: string): string | undefined {
  if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) return undefined;
  const inner = quoted.slice(1, -1);
  if (!/["\\\n]/.test(inner)) return inner.isWellFormed() ? inner : undefined;
  const bytes: number[] = [];
  for (let i = 0; i < inner.length; ) {
    const char = String.fromCodePoint(inner.codePointAt(i) as number);
    if (char === '"' || char === '\n') return undefined;
    const taken = char === '\\' ? readEscape(inner, i + 1, bytes) : char.length;
    if (taken === 0) return undefined;
    if (char !== '\\') for (const byte of encoder.encode(char)) bytes.push(byte);
    i += taken;
  }
  try {
    return decoder.decode(new Uint8Array(bytes));
  } catch {
    return undefined; // the escapes spell bytes that are no UTF-8
  }
}

/** Reads the escape whose letter is at `at`; the length with its backslash, or 0 where it is none. */
function readEscape(text: string, at: number, bytes: number[]): number {
  const letter = unescaped[text[at] ?? ''];
  if (letter !== undefined) {
    bytes.push(letter);
    return 2;
  }
  numeric.lastIndex = at;
  const match = numeric.exec(text);
  if (!match) return 0;
  const [whole, hex, short, long, octal] = match;
  const code = octal === undefined ? Number.parseInt((hex ?? short ?? long) as string, 16) : Number.parseInt(octal, 8);
  if (hex !== undefined || octal !== undefined) {
    if (code > 255) return 0;
    bytes.push(code);
  } else {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    for (const byte of encoder.encode(String.fromCodePoint(code))) bytes.push(byte);
  }
  return whole.length + 1;
}
