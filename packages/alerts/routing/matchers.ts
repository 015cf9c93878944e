import { quoteGo } from '#alerts/go-quote.ts';
import { compileAnchored, type Re2 } from '#core/re2.ts';
import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { labelValue } from './labels.ts';
import { isReserved } from './reserved.ts';

const operators = ['=', '!=', '=~', '!~'] as const;

/** The test of a label set against all matchers; a label that is missing is the empty string. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: LabelSet) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileValue(matcher) }));
  return (labels) => tests.every(({ name, test }) => test(labelValue(labels, name)));
}

function compileValue({ op, value }: Matcher): (text: string) => boolean {
  if (op === '=') return (text) => text === value;
  if (op === '!=') return (text) => text !== value;
  const test = compileRegex(value);
  return op === '=~' ? test : (text) => !test(text);
}

/**
 * The test of a pattern as Alertmanager reads it, `^(?:pattern)$` in RE2: other than in PromQL its dot is no newline. `input` with
 * RE2's words where it is refused.
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  const loose = compileWhole(pattern);
  if (!loose) return compileUnbalanced(pattern);
  if (!pattern.includes('.')) return (text) => loose.test(text);
  let strict: Re2 | undefined;
  return (text) => {
    if (!text.includes('\n')) return loose.test(text);
    strict ??= compileAnchored(`(?-s:${pattern})`);
    return strict.test(text);
  };
}

function compileWhole(pattern: string): Re2 | undefined {
  try {
    return compileAnchored(pattern);
  } catch {
    return undefined; // compileUnbalanced gives the verdict, and the words
  }
}

/** A pattern that is only valid between the anchors' brackets (`a)|(?:b` is `^(?:a)|(?:b)$`): searched for, as Alertmanager does. */
function compileUnbalanced(pattern: string): (text: string) => boolean {
  const { source } = compileAnchored(`^(?:${pattern})$`);
  const search = compileAnchored(`(?s:.*)(?-s:${source})(?s:.*)`);
  return (text) => search.test(text);
}

/** `name="value"`; a name with reserved characters is quoted, and only the UTF-8 parser reads it back. */
export function formatMatcher({ name, op, value }: Matcher): string {
  if (isReserved(name)) return `${quoteGo(name)}${op}${quoteGo(value)}`;
  return `${name}${op}"${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}

/** `{a="b",c=~"d"}`, a part of a route's key. */
export function formatMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(formatMatcher).join(',')}}`;
}

/** By name, then value, then operator: the order in routes and keys. */
export function sortMatchers(matchers: readonly Matcher[]): Matcher[] {
  return [...matchers].sort(
    (a, b) => compareUtf8(a.name, b.name) || compareUtf8(a.value, b.value) || operators.indexOf(a.op) - operators.indexOf(b.op),
  );
}

/** A matcher in Alertmanager's API. */
export interface JsonMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  /** True where it is missing: older clients know no negative matchers. */
  readonly isEqual?: boolean | undefined;
}

/** A matcher as Alertmanager's API writes it. */
export function encodeMatcher({ name, op, value }: Matcher): Required<JsonMatcher> {
  return { name, value, isRegex: op === '=~' || op === '!~', isEqual: op === '=' || op === '=~' };
}

/** A matcher as Alertmanager's API reads it; a bad regular expression is found where it is validated. */
export function decodeMatcher({ name, value, isRegex, isEqual = true }: JsonMatcher): Matcher {
  return { name, value, op: isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=' };
}
