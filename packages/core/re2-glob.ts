/**
 * Text with gaps: `pieces[0]`, at least `gaps[0]` characters of any kind, `pieces[1]`, and so on; the whole text must fit.
 * A glob of one piece is a literal. Inner pieces are never empty and a gap's minimum is 0 or 1.
 */
export interface Glob {
  readonly pieces: readonly string[];
  readonly gaps: readonly number[];
}

const MAX_PRODUCT = 1_000;
const MAX_ALTERNATIVES = 20_000;
const MAX_CHARS = 2_000_000;
/** Of one glob: each piece more copies those before it. */
const MAX_PIECES = 500;
const MAX_DEPTH = 16;

/** Thrown inside this file alone: the pattern is outside the subset, which is no error. */
const beyond = new Error('beyond globs');

/**
 * The alternatives of a pattern made of literals, `.*`, `.+`, groups, `|` and `?` alone (dot matches newline), else undefined.
 * What it accepts is valid RE2 and means the same there; anything doubtful is left to RE2.
 */
export function parseGlobs(pattern: string): readonly Glob[] | undefined {
  try {
    const at = { pattern, i: 0 };
    const globs = parseAlternatives(at, 0);
    return at.i === pattern.length ? globs : undefined;
  } catch (error) {
    if (error === beyond) return undefined;
    throw error;
  }
}

interface Cursor {
  readonly pattern: string;
  i: number;
}

function parseAlternatives(at: Cursor, depth: number): Glob[] {
  if (depth > MAX_DEPTH) throw beyond;
  const all: Glob[] = [];
  for (;;) {
    for (const glob of parseSequence(at, depth)) all.push(glob);
    if (all.length > MAX_ALTERNATIVES) throw beyond;
    if (at.pattern[at.i] !== '|') return all;
    at.i++;
  }
}

function parseSequence(at: Cursor, depth: number): Glob[] {
  let globs: Glob[] = [literal('')];
  const first = at.i;
  for (;;) {
    const char = at.pattern[at.i];
    if (char === undefined || char === '|' || char === ')') return globs;
    if (depth === 0 && char === '^' && at.i === first) at.i++;
    else if (depth === 0 && char === '$' && (at.pattern[at.i + 1] ?? '|') === '|') at.i++;
    else globs = join(globs, parseItem(at, char, depth));
  }
}

function parseItem(at: Cursor, char: string, depth: number): Glob[] {
  if (char === '.') return parseGap(at);
  if (char !== '(') return parseLiteral(at);
  at.i += at.pattern.startsWith('(?:', at.i) ? 3 : 1;
  if (at.pattern[at.i] === '?') throw beyond;
  const inner = parseAlternatives(at, depth + 1);
  if (at.pattern[at.i] !== ')') throw beyond;
  at.i++;
  return parseOptional(at, inner);
}

function parseGap(at: Cursor): Glob[] {
  const repeat = at.pattern[at.i + 1];
  if (repeat !== '*' && repeat !== '+') throw beyond;
  at.i += at.pattern[at.i + 2] === '?' ? 3 : 2;
  if ('*+?{'.includes(at.pattern[at.i] ?? '|')) throw beyond;
  return [{ pieces: ['', ''], gaps: [repeat === '+' ? 1 : 0] }];
}

const special = /[\\.+*?()|[{^$]/;

/** A run of plain characters, taken together unless a repetition follows its last one. */
function parseLiteral(at: Cursor): Glob[] {
  const { pattern } = at;
  const start = at.i;
  while (at.i < pattern.length && !special.test(pattern[at.i] as string)) at.i++;
  if (at.i === start) return parseOptional(at, [literal(parseEscape(at))]);
  if (!'*+?{'.includes(pattern[at.i] ?? '|')) return [literal(pattern.slice(start, at.i))];
  const last = lastCharacterStart(pattern, at.i);
  if (last > start) {
    at.i = last;
    return [literal(pattern.slice(start, last))];
  }
  return parseOptional(at, [literal(pattern.slice(start, at.i))]);
}

function lastCharacterStart(text: string, end: number): number {
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && end >= 2 ? end - 2 : end - 1;
}

function parseEscape(at: Cursor): string {
  const escaped = at.pattern[at.i + 1];
  if (at.pattern[at.i] !== '\\' || escaped === undefined || !/[!-/:-@[-`{-~]/.test(escaped)) throw beyond;
  at.i += 2;
  return escaped;
}

/** `x?`; any other repetition is beyond globs. */
function parseOptional(at: Cursor, globs: Glob[]): Glob[] {
  const next = at.pattern[at.i] ?? '|';
  if (!'*+?{'.includes(next)) return globs;
  if (next !== '?' || '*+?{'.includes(at.pattern[at.i + 1] ?? '|')) throw beyond;
  at.i++;
  return [...globs, literal('')];
}

function literal(text: string): Glob {
  return { pieces: [text], gaps: [] };
}

function join(left: readonly Glob[], right: readonly Glob[]): Glob[] {
  if (left.length * right.length > MAX_PRODUCT && left.length > 1 && right.length > 1) throw beyond;
  const joined: Glob[] = [];
  let chars = 0;
  for (const a of left) {
    for (const b of right) {
      const glob = joinTwo(a, b);
      for (const piece of glob.pieces) chars += piece.length;
      if (chars > MAX_CHARS) throw beyond;
      joined.push(glob);
    }
  }
  return joined;
}

function joinTwo(a: Glob, b: Glob): Glob {
  const middle = `${a.pieces.at(-1)}${b.pieces[0]}`;
  if (a.pieces.length + b.pieces.length > MAX_PIECES) throw beyond;
  const left = a.pieces.slice(0, -1);
  const right = b.pieces.slice(1);
  if (middle !== '' || left.length === 0 || right.length === 0) {
    return { pieces: [...left, middle, ...right], gaps: [...a.gaps, ...b.gaps] };
  }
  const gap = (a.gaps.at(-1) as number) + (b.gaps[0] as number);
  if (gap > 1) throw beyond;
  return { pieces: [...left, ...right], gaps: [...a.gaps.slice(0, -1), gap, ...b.gaps.slice(1)] };
}

/** The test of a text against any of the globs. */
export function compileGlobs(globs: readonly Glob[]): (text: string) => boolean {
  const literals = new Set<string>();
  const gapped: ((text: string) => boolean)[] = [];
  for (const glob of globs) {
    if (glob.gaps.length === 0) literals.add(glob.pieces[0] as string);
    else gapped.push(compileGapped(glob));
  }
  const [only] = literals;
  if (gapped.length === 0) return literals.size === 1 ? (text) => text === only : (text) => literals.has(text);
  if (gapped.length === 1 && literals.size === 0) return gapped[0] as (text: string) => boolean;
  return (text) => literals.has(text) || gapped.some((test) => test(text));
}

function compileGapped({ pieces, gaps }: Glob): (text: string) => boolean {
  const prefix = pieces[0] as string;
  const suffix = pieces.at(-1) as string;
  const gap = gaps[0] as number;
  if (pieces.length > 2) return (text) => testPieces(pieces, gaps, text);
  if (prefix === '' && suffix === '') return gap === 0 ? () => true : (text) => text !== '';
  const least = prefix.length + gap + suffix.length;
  return (text) => text.length >= least && text.startsWith(prefix) && text.endsWith(suffix);
}

/** Each inner piece is taken at its first place, which leaves the most room for those that follow. */
function testPieces(pieces: readonly string[], gaps: readonly number[], text: string): boolean {
  const suffix = pieces.at(-1) as string;
  const end = text.length - suffix.length;
  if (!text.startsWith(pieces[0] as string) || !text.endsWith(suffix)) return false;
  let from = (pieces[0] as string).length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] as string;
    const found = text.indexOf(piece, from + (gaps[i - 1] as number));
    if (found < 0) return false;
    from = found + piece.length;
  }
  return from + (gaps.at(-1) as number) <= end;
}
