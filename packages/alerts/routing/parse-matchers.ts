import { isOpsError, OpsError } from '#core/errors.ts';
import type { Matcher } from '#model/matcher.ts';
import { parseClassicMatcher, parseClassicMatchers } from './classic-matchers.ts';
import { formatMatcher } from './matchers.ts';
import { parseUtf8Matchers } from './utf8-matchers.ts';

/** Alertmanager's three ways to read matchers; `fallback` is its default: both, and the old one where they differ. */
export type MatcherMode = 'classic' | 'utf8' | 'fallback';

/** Matchers, and what their writer should be told of the two syntaxes. */
export interface ParsedMatchers {
  readonly matchers: readonly Matcher[];
  /** `incompatible`: only the old parser takes it; `disagreement`: the parsers read it differently. Both times the old one counts. */
  readonly warning?: { readonly kind: 'incompatible' | 'disagreement'; readonly suggestion: string };
}

/** Any number of matchers, with or without braces, in one text. */
export function parseMatchers(text: string, mode: MatcherMode = 'fallback'): ParsedMatchers {
  if (mode === 'classic') return { matchers: parseClassicMatchers(text) };
  if (mode === 'utf8') return { matchers: parseUtf8Matchers(text) };
  return chooseParser(
    () => parseUtf8Matchers(text),
    () => parseClassicMatchers(text),
  );
}

/** Exactly one matcher, without braces, as commands take it. */
export function parseMatcher(text: string, mode: MatcherMode = 'fallback'): Matcher {
  if (mode === 'classic') return parseClassicMatcher(text);
  if (text.startsWith('{') || text.endsWith('}')) throw new OpsError('input', `unexpected open or close brace: ${text}`);
  if (mode === 'utf8') return parseUtf8Matcher(text);
  return chooseParser(
    () => [parseUtf8Matcher(text)],
    () => [parseClassicMatcher(text)],
  ).matchers[0] as Matcher;
}

/** Exactly one matcher in the present syntax. */
export function parseUtf8Matcher(text: string): Matcher {
  const matchers = parseUtf8Matchers(text);
  if (matchers.length === 0) throw new OpsError('input', 'no matchers');
  if (matchers.length > 1) throw new OpsError('input', `expected 1 matcher, found ${matchers.length}`);
  return matchers[0] as Matcher;
}

function chooseParser(present: () => Matcher[], old: () => Matcher[]): ParsedMatchers {
  const [fresh, classic] = [attempt(present), attempt(old)];
  if ('error' in fresh) {
    if ('error' in classic) throw classic.error;
    return { matchers: classic.matchers, warning: { kind: 'incompatible', suggestion: suggest(classic.matchers) } };
  }
  if ('error' in classic || JSON.stringify(fresh.matchers) === JSON.stringify(classic.matchers)) return fresh;
  return { matchers: classic.matchers, warning: { kind: 'disagreement', suggestion: suggest(classic.matchers) } };
}

function attempt(parse: () => Matcher[]): { matchers: Matcher[] } | { error: OpsError } {
  try {
    return { matchers: parse() };
  } catch (error) {
    if (isOpsError(error)) return { error };
    throw error;
  }
}

function suggest(matchers: readonly Matcher[]): string {
  return matchers.map(formatMatcher).join(',');
}
