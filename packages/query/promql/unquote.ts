const ESCAPES: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34, "'": 39 };

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs;

/**
 * The value of a string literal the lexer has accepted, its quotes included in `literal`.
 * `\xff` and `\377` are bytes, as in Go: together they may spell UTF-8; what they spell badly becomes U+FFFD.
 */
export function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal[0] === '`' || !body.includes('\\')) return body;
  const parts: Buffer[] = [];
  let from = 0;
  for (const match of body.matchAll(ESCAPE)) {
    parts.push(Buffer.from(body.slice(from, match.index)), escapeBytes(match));
    from = match.index + match[0].length;
  }
  parts.push(Buffer.from(body.slice(from)));
  return Buffer.concat(parts).toString('utf8');
}

function escapeBytes([, hex, short, long, octal, simple]: RegExpMatchArray): Buffer {
  if (hex !== undefined) return Buffer.of(Number.parseInt(hex, 16));
  if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
  if (simple !== undefined) return Buffer.of(ESCAPES[simple] ?? simple.charCodeAt(0));
  return Buffer.from(String.fromCodePoint(Number.parseInt(short ?? long, 16)));
}
