import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { createCache } from './bounded-cache.ts';
import { OpsError } from './errors.ts';
import { compileGlobs, parseGlobs } from './re2-glob.ts';
import { estimateProgram } from './re2-size.ts';

/** A compiled RE2 pattern that must match a whole text: runs in time linear in the text. */
export interface Re2 {
  readonly source: string;
  /** Every text it can match, where that is a short list known from the pattern; for look-ups instead of tests. */
  readonly literals: readonly string[] | undefined;
  /** What every match begins with, as far as the pattern shows; often ''. */
  readonly prefix: string;
  test(text: string): boolean;
  /** The submatches of a match, or undefined. Perl's choice among several: leftmost, alternatives in order. */
  match(text: string): Re2Match | undefined;
}

/** `groups[0]` is the whole text, a group that took no part is undefined. */
export interface Re2Match {
  readonly groups: readonly (string | undefined)[];
  readonly names: Readonly<Record<string, number>>;
}

/** A compiled RE2 pattern that is looked for anywhere in a text; `.` does not match a newline. */
export interface Re2Search {
  test(text: string): boolean;
  /** Every match in turn, leftmost first; an empty one is left out where it touches the one before, as in Go. */
  replaceAll(text: string, replace: (match: Re2Match) => string): string;
}

/** Longest pattern that RE2 is given, in UTF-16 units; lists of literals may be longer. */
const MAX_PATTERN = 100_000;
const MAX_LIST = 2_000_000;
/** Instructions that repetitions may add to those which the pattern's own length allows. */
const MAX_REPEATED = 5_000;

/** Weighed in units of about 30 bytes: a pattern that needs RE2 may hold half a megabyte, one that does not only its text. */
const cache = createCache<Re2>({ maxEntries: 1_000, maxWeight: 5_000_000 });
const RE2_WEIGHT = 20_000;

/**
 * Compiles a pattern that must match the whole text, as Prometheus does (`^(?s:pattern)$`). Compiled patterns are kept.
 * `input` with Prometheus' own words where RE2 refuses it, or where it would cost more than any honest pattern does.
 */
export function compileAnchored(pattern: string): Re2 {
  const known = cache.get(pattern);
  if (known) return known;
  const compiled = compile(pattern);
  cache.set(pattern, compiled, pattern.length * 2 + (compiled.literals ? 100 : RE2_WEIGHT));
  return compiled;
}

const searches = createCache<Re2Search>({ maxEntries: 300, maxWeight: 3_000_000 });

/** Compiles a pattern to look for in texts. Compiled patterns are kept; refused as `compileAnchored` refuses them. */
export function compileSearch(pattern: string): Re2Search {
  const known = searches.get(pattern);
  if (known) return known;
  const regex = compileRe2(pattern, 0);
  const search = {
    test: (text: string) => regex.test(text),
    replaceAll: (text: string, replace: (match: Re2Match) => string) => replaceMatches(regex, text, replace),
  };
  searches.set(pattern, search, pattern.length * 2 + RE2_WEIGHT);
  return search;
}

function replaceMatches(regex: RE2JS, text: string, replace: (match: Re2Match) => string): string {
  const matcher = regex.matcher(text);
  const names = regex.namedGroups();
  let replaced = '';
  let at = 0;
  while (matcher.find()) {
    const start = matcher.start();
    const end = matcher.end();
    if (end === start && start === at && at > 0) continue;
    replaced += text.slice(at, start) + replace({ groups: readGroups(matcher), names });
    at = end;
  }
  return replaced + text.slice(at);
}

function compile(source: string): Re2 {
  if (source.length > MAX_LIST) throw tooLarge(source);
  const globs = parseGlobs(source);
  if (!globs) {
    const regex = compileRe2(source);
    const afford = (text: string) => assertAffordable(regex, text);
    const test = (text: string) => afford(text) && regex.testExact(text);
    return { source, literals: undefined, prefix: '', test, match: (text) => (afford(text) ? findGroups(regex, text) : undefined) };
  }
  const test = compileGlobs(globs);
  let regex: RE2JS | undefined;
  const match = (text: string) => {
    if (!test(text)) return undefined;
    if (source === '(.*)' || source === '(.+)') return { groups: [text, text], names: {} };
    regex ??= compileRe2(source);
    return assertAffordable(regex, text) ? findGroups(regex, text) : undefined;
  };
  const literals = globs.every((glob) => glob.gaps.length === 0) ? [...new Set(globs.map((glob) => glob.pieces[0] as string))] : undefined;
  return { source, literals, prefix: commonPrefix(globs.map((glob) => glob.pieces[0] as string)), test, match };
}

function compileRe2(pattern: string, flags: number = RE2JS.DOTALL): RE2JS {
  const limit = MAX_REPEATED + 4 * pattern.length;
  if (pattern.length > MAX_PATTERN) throw tooLarge(pattern);
  const { size, repeats } = estimateProgram(pattern);
  if (size > limit && repeats <= 1_000) throw tooLarge(pattern); // past 1,000 repeats RE2's parser refuses it, at little cost
  try {
    const regex = RE2JS.compile(pattern, flags);
    if (regex.programSize() <= limit) return boundMemory(regex);
  } catch (cause) {
    throw new OpsError('input', describeRefusal(cause, pattern), { cause });
  }
  throw tooLarge(pattern);
}

/** Past its memory a pattern starts its state cache afresh, and then simulates; still linear. The default is 8 MiB each. */
function boundMemory(regex: RE2JS): RE2JS {
  const { dfa } = regex.re2();
  dfa.maxMem = dfa.memBudget = dfa.stateBudget = 512 * 1024;
  return regex;
}

/** Instructions times characters that one match may come to: about a second where every instruction is alive at every character. */
const MAX_MATCH_STEPS = 20_000_000;

/** Linear is not cheap: a large pattern on a long text is refused with `limit`. */
function assertAffordable(regex: RE2JS, text: string): true {
  const steps = regex.programSize() * text.length;
  if (steps <= MAX_MATCH_STEPS) return true;
  throw new OpsError(
    'limit',
    `a regular expression of ${regex.programSize()} instructions is too large for a text of ${text.length} characters`,
  );
}

function describeRefusal(cause: unknown, pattern: string): string {
  if (cause instanceof RE2JSSyntaxException) {
    const whole = cause.error.includes('too deeply') || cause.error.includes('too large');
    const part = cause.input === `(?s)${pattern}` ? pattern : (cause.input ?? (whole ? pattern : '')); // DOTALL goes in front
    return `error parsing regexp: ${cause.error}: \`${cut(part)}\``;
  }
  if (cause instanceof RE2JSException || cause instanceof RangeError) return `error parsing regexp: ${cause.message}: \`${cut(pattern)}\``;
  throw cause;
}

function tooLarge(pattern: string): OpsError {
  return new OpsError('input', `error parsing regexp: expression too large: \`${cut(pattern)}\``, {
    hint: 'Use smaller repetition counts, or a plain list of values joined by |.',
  });
}

function cut(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}...` : text;
}

function findGroups(regex: RE2JS, text: string): Re2Match | undefined {
  const matcher = regex.matcher(text);
  return matcher.matches() ? { groups: readGroups(matcher), names: regex.namedGroups() } : undefined;
}

function readGroups(matcher: ReturnType<RE2JS['matcher']>): (string | undefined)[] {
  const groups: (string | undefined)[] = [];
  for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
  return groups;
}

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? '';
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/**
 * Go's Regexp.Expand: `$1`, `${1}`, `$name`, `${name}`, `$$`. A name takes every letter, digit and underscore that follows
 * (`$1x` is the group called 1x); an unknown or unmatched group is empty; any other `$` stands for itself.
 */
export function expandTemplate(template: string, match: Re2Match): string {
  if (!template.includes('$')) return template;
  return template.replace(reference, (whole, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare;
    if (name === undefined) return whole === '$$' ? '$' : whole;
    const index = /^(?:0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : Object.hasOwn(match.names, name) ? match.names[name] : undefined;
    return index === undefined ? '' : (match.groups[index] ?? '');
  });
}
