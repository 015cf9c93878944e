import { isUtf8 } from 'node:buffer';

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gsu;
/** A run of escapes that stand for bytes past ASCII. */
const HIGH_BYTES = /(?:\\x[89a-fA-F][0-9a-fA-F]|\\[23][0-7]{2})+/g;
const HAS_HIGH_BYTES = /\\(?:x[89a-fA-F]|[23][0-7])/;

function readEscape(_: string, hex?: string, short?: string, long?: string, octal?: string, simple?: string): string {
  if (simple !== undefined) return ESCAPES[simple] ?? simple;
  return String.fromCodePoint(octal === undefined ? Number.parseInt((hex ?? short ?? long) as string, 16) : Number.parseInt(octal, 8));
}

function readByte(sequence: string): number {
  return sequence[1] === 'x' ? Number.parseInt(sequence.slice(2), 16) : Number.parseInt(sequence.slice(1), 8);
}

/** How many bytes the character at `at` takes in UTF-8; 0 where the byte there starts none. */
function measureCharacter(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}

function decodeRun(run: string): string {
  const bytes = Buffer.from((run.match(/\\(?:x..|...)/g) as string[]).map(readByte));
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = measureCharacter(bytes, at);
    out += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]) : bytes.toString('utf8', at, at + length);
    at += length || 1;
  }
  return out;
}

/** Replaces runs of byte escapes by the characters they spell in UTF-8. An escaped backslash in front of one is left alone. */
function decodeBytes(body: string): string {
  const halves = body.split('\\\\');
  return halves.map((half) => half.replace(HIGH_BYTES, decodeRun)).join('\\\\');
}

/**
 * The value of a string literal the lexer has accepted, its quotes included in `literal`.
 * `\xff` and `\377` are bytes, as in Go, and side by side may spell UTF-8. A byte that spells nothing becomes the lone surrogate
 * U+DC00 + byte: such a value is not `isWellFormed()`, equals no label of a series, and is printed as the byte again.
 */
export function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal[0] === '`' || !body.includes('\\')) return body;
  return (HAS_HIGH_BYTES.test(body) ? decodeBytes(body) : body).replace(ESCAPE, readEscape);
}
