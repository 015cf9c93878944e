import { OpsError } from '#core/errors.ts';

interface Rule {
  readonly segments: readonly string[];
  readonly onlyFolders: boolean;
  readonly includes: boolean;
}

/** Says whether a path is left out; of a folder everything below it is too. */
export type Exclude = (path: string, isFolder: boolean) => boolean;

/**
 * Patterns as in a .gitignore: `*`, `?` and `[a-z]` within a name, `**` for any number of folders, a slash in front or within ties the pattern
 * to the source's own folder, one at the end means folders only, `!` takes back, the last that fits decides, `#` is a comment, a backslash
 * takes the character as it is. Nothing comes back below a folder that is left out. Time is at most the product of the lengths. `input` for an
 * unclosed bracket.
 */
export function parseExclude(patterns: readonly string[]): Exclude {
  const rules = patterns.flatMap(parseRule);
  return (path, isFolder) => {
    const names = path.split('/');
    for (let i = rules.length - 1; i >= 0; i--) {
      const rule = rules[i];
      if ((isFolder || !rule.onlyFolders) && fitsPath(rule.segments, names)) return !rule.includes;
    }
    return false;
  };
}

function parseRule(line: string): Rule[] {
  let text = line.replace(/(?<!\\)\s+$/, '');
  if (text === '' || text.startsWith('#')) return [];
  const includes = text.startsWith('!');
  if (includes) text = text.slice(1);
  const onlyFolders = text.endsWith('/');
  if (onlyFolders) text = text.slice(0, -1);
  const isTied = text.includes('/');
  const segments = (text.startsWith('/') ? text.slice(1) : text)
    .split('/')
    .filter((segment, i, all) => segment !== '**' || all[i - 1] !== '**');
  if (segments.includes('')) throw new OpsError('input', `the pattern ${JSON.stringify(line)} has an empty segment`);
  for (const segment of segments) fitsName(segment, '');
  // All that is in it, but not the folder itself.
  if (segments.length > 1 && segments.at(-1) === '**') segments.push('*');
  return [{ segments: isTied ? segments : ['**', ...segments], onlyFolders, includes }];
}

function fitsPath(pattern: readonly string[], names: readonly string[]): boolean {
  const isStar = (p: number) => pattern[p] === '**';
  return fits(pattern.length, names.length, isStar, (p, n) => fitsName(pattern[p], names[n]));
}

/** Whether a pattern with stars fits all of a text: only the last star is ever tried again, so time is at most the product of both. */
function fits(
  patternLength: number,
  textLength: number,
  isStar: (p: number) => boolean,
  fitsOne: (p: number, t: number) => boolean,
): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < textLength) {
    if (p < patternLength && isStar(p)) {
      star = p++;
      resume = t;
    } else if (p < patternLength && fitsOne(p, t)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (p < patternLength && isStar(p)) p++;
  return p === patternLength;
}

const parsed = new Map<string, readonly Part[]>();
const MAX_PARSED = 1_000;

type Part = '*' | ((char: string) => boolean);

function fitsName(pattern: string, name: string): boolean {
  let parts = parsed.get(pattern);
  if (!parts) {
    parts = parseParts(pattern);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(pattern, parts);
  }
  const known = parts;
  const chars = Array.from(name);
  return fits(
    known.length,
    chars.length,
    (p) => known[p] === '*',
    (p, t) => (known[p] as (char: string) => boolean)(chars[t]),
  );
}

function parseParts(pattern: string): Part[] {
  const parts: Part[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i];
    if (char === '*') parts.push('*');
    else if (char === '?') parts.push(() => true);
    else if (char === '[') {
      const end = chars.indexOf(']', i + (chars[i + 1] === '!' || chars[i + 1] === '^' ? 3 : 2));
      if (end < 0) throw new OpsError('input', `the pattern ${JSON.stringify(pattern)} has a bracket that is not closed`);
      parts.push(parseSet(chars.slice(i + 1, end)));
      i = end;
    } else {
      const literal = char === '\\' && i + 1 < chars.length ? chars[++i] : char;
      parts.push((found) => found === literal);
    }
  }
  return parts;
}

function parseSet(chars: readonly string[]): (char: string) => boolean {
  const isNegated = chars[0] === '!' || chars[0] === '^';
  const ranges: (readonly [string, string])[] = [];
  for (let i = isNegated ? 1 : 0; i < chars.length; i++) {
    if (chars[i + 1] === '-' && i + 2 < chars.length) {
      ranges.push([chars[i], chars[i + 2]]);
      i += 2;
    } else ranges.push([chars[i], chars[i]]);
  }
  const point = (char: string) => char.codePointAt(0) as number;
  return (char) => ranges.some(([low, high]) => point(char) >= point(low) && point(char) <= point(high)) !== isNegated;
}
