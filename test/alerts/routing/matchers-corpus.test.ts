import { describe, expect, it } from 'vitest';
import { parseClassicMatchers } from '#alerts/routing/classic-matchers.ts';
import { compileMatchers, decodeMatcher, encodeMatcher, formatMatcher, type JsonMatcher } from '#alerts/routing/matchers.ts';
import { parseMatchers, parseUtf8Matcher } from '#alerts/routing/parse-matchers.ts';
import { parseUtf8Matchers } from '#alerts/routing/utf8-matchers.ts';
import type { Matcher } from '#model/matcher.ts';
import { alertmanagerCorpus, readCases } from './corpus.ts';

interface Parsing {
  readonly input: string;
  readonly matchers?: readonly Matcher[];
  readonly matcher?: Matcher;
  readonly error?: string;
}

const cases = readCases<{
  match: { op: Matcher['op']; pattern: string; value: string; match: boolean }[];
  print: (Matcher & { text: string })[];
  json: (Matcher & { json: JsonMatcher })[];
  parseClassic: Parsing[];
  parseUtf8: Parsing[];
  parseUtf8One: Parsing[];
  classicAndUtf8Agree: (Parsing & { refusedByBoth?: boolean })[];
  knownDifferences: { input: string; classic: Matcher[] }[];
}>('matchers.json');

function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
}

const expected = ({ matchers, matcher, error }: Parsing) => (error === undefined ? (matchers ?? matcher) : `refused: ${error}`);

describe.skipIf(alertmanagerCorpus === undefined)("matchers, by Alertmanager's own cases", () => {
  it('match, print and go through JSON as there', () => {
    for (const { op, pattern, value, match } of cases.match) {
      expect({ op, pattern, value, match: compileMatchers([{ name: 'l', op, value: pattern }])({ l: value }) }).toEqual({
        op,
        pattern,
        value,
        match,
      });
    }
    expect(cases.print.map(formatMatcher)).toEqual(cases.print.map(({ text }) => text));
    expect(cases.json.map(encodeMatcher)).toEqual(cases.json.map(({ json }) => json));
    expect(cases.json.map(({ json }) => decodeMatcher(json))).toEqual(cases.json.map(({ name, op, value }) => ({ name, op, value })));
    expect(cases.match.length + cases.print.length + cases.json.length).toBe(17 + 12 + 4);
  });

  it.each([
    ['classic', 'parseClassic', parseClassicMatchers, 53],
    ['UTF-8', 'parseUtf8', parseUtf8Matchers, 45],
    ['UTF-8, a single matcher', 'parseUtf8One', parseUtf8Matcher, 31],
  ] as const)('are read, or refused with the same words: %s', (_, list, parse, count) => {
    expect(cases[list]).toHaveLength(count);
    for (const one of cases[list])
      expect({ input: one.input, is: outcome(() => parse(one.input)) }).toEqual({ input: one.input, is: expected(one) });
  });

  it('are read alike by both parsers where they should be, and refused by both', () => {
    expect(cases.classicAndUtf8Agree).toHaveLength(35);
    for (const { input, matchers, refusedByBoth } of cases.classicAndUtf8Agree) {
      if (!refusedByBoth) expect({ input, is: outcome(() => parseMatchers(input)) }).toEqual({ input, is: { matchers } });
      else for (const mode of ['classic', 'utf8', 'fallback'] as const) expect(() => parseMatchers(input, mode)).toThrow();
    }
  });

  it('are read the old way, with a warning, where the parsers differ', () => {
    expect(cases.knownDifferences).toHaveLength(19);
    for (const { input, classic } of cases.knownDifferences) {
      const { matchers, warning } = parseMatchers(input);
      expect({ input, matchers }).toEqual({ input, matchers: classic });
      expect({ input, warned: warning !== undefined }).toEqual({ input, warned: input !== '{}' }); // there, nil is not an empty list
      if (warning) expect(parseMatchers(warning.suggestion)).toEqual({ matchers: classic });
    }
  });
});
