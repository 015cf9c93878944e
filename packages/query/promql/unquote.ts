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

/** Replaces runs of byte escapes by the characters they spell in UTF-8. An escaped backslash in front of one is left alone. */
function decodeBytes(body: string): string {
  const halves = body.split('\\\\');
  const decode = (run: string) => Buffer.from((run.match(/\\(?:x..|...)/g) as string[]).map(readByte)).toString('utf8');
  return halves.map((half) => half.replace(HIGH_BYTES, decode)).join('\\\\');
}

/**
 * The value of a string literal the lexer has accepted, its quotes included in `literal`.
 * `\xff` and `\377` are bytes, as in Go: side by side they may spell UTF-8; what they spell badly becomes U+FFFD.
 */
export function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal[0] === '`' || !body.includes('\\')) return body;
  return (HAS_HIGH_BYTES.test(body) ? decodeBytes(body) : body).replace(ESCAPE, readEscape);
}
