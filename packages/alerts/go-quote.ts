import { isUtf8 } from 'node:buffer';

const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** Whether Go holds a character to be visible (its unicode.IsPrint). */
export function isPrintable(char: string): boolean {
  return printable.test(char);
}

/** What stands for itself between double quotes. */
const asItIs = /^[ !#-[\]-~]*$/;

/** A text as a Go string literal: strconv.Quote. `ascii` escapes what is not ASCII (`%+q`). */
export function quoteGo(text: string, quote = '"', ascii = false): string {
  if (quote === '"' && asItIs.test(text)) return `"${text}"`;
  let quoted = quote;
  for (const char of text.toWellFormed()) {
    const code = char.codePointAt(0) as number;
    if (char === quote) quoted += `\\${char}`;
    else if (named[char] !== undefined) quoted += named[char];
    else if (code < 0x7f ? code >= 0x20 : !ascii && isPrintable(char)) quoted += char;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else quoted += code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return quoted + quote;
}

const escapes = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;
const plain: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The text of a Go string literal in double quotes, as unquoteGo has it; undefined too where its escapes spell bytes that are no UTF-8. */
export function unquoteUtf8(literal: string): string | undefined {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"') || !literal.isWellFormed()) return undefined;
  const inner = literal.slice(1, -1);
  return inner.includes('\n') ? undefined : unescapeGo(inner, '"', true);
}

/** The text of a Go string literal in double quotes or backquotes, or undefined where it is none: strconv.Unquote. */
export function unquoteGo(literal: string): string | undefined {
  const quote = literal[0] as string;
  const inner = literal.slice(1, -1);
  if (literal.length < 2 || literal.at(-1) !== quote) return undefined;
  if (quote === '`') return inner.replaceAll('\r', '');
  if (inner.includes('\n')) return undefined;
  if (!inner.includes('\\')) return inner.includes(quote) ? undefined : inner;
  return unescapeGo(inner, quote);
}

function unescapeGo(inner: string, quote: string, isStrict = false): string | undefined {
  let text = '';
  let isText = true;
  const bytes: number[] = []; // escapes of bytes may make up a character together
  const flush = () => {
    if (bytes.length === 0) return;
    const spelled = Buffer.from(bytes.splice(0));
    isText &&= isUtf8(spelled);
    text += spelled.toString();
  };
  for (let i = 0; i < inner.length; ) {
    if (inner[i] === quote) return undefined;
    if (inner[i] !== '\\') {
      flush();
      text += inner[i++];
      continue;
    }
    escapes.lastIndex = i;
    const [whole, simple, byte, short, long, octal] = escapes.exec(inner) ?? [];
    if (whole === undefined || ((simple === '"' || simple === "'") && simple !== quote)) return undefined;
    i += whole.length;
    if (byte !== undefined || octal !== undefined) {
      bytes.push(byte === undefined ? Number.parseInt(octal as string, 8) : Number.parseInt(byte, 16));
      continue;
    }
    flush();
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (simple === undefined && (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))) return undefined;
    text += simple === undefined ? String.fromCodePoint(code) : (plain[simple] ?? simple);
  }
  flush();
  return isStrict && !isText ? undefined : text;
}

/** The code point of a Go character literal (`'a'`, `'\n'`), or undefined where it is none. */
export function unquoteCharacter(literal: string): number | undefined {
  const inner = literal.slice(1, -1);
  const byte = /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))$/.exec(inner);
  if (byte) return byte[1] === undefined ? Number.parseInt(byte[2] as string, 8) : Number.parseInt(byte[1], 16);
  const text = literal.length > 2 ? unescapeGo(inner, "'") : undefined;
  const code = text?.codePointAt(0);
  return code === undefined || String.fromCodePoint(code) !== text ? undefined : code;
}
