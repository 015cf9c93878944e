import { describe, expect, it } from 'vitest';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { compileMatchers, compileRegex } from '#alerts/routing/matchers.ts';
import { parseMatcher, parseMatchers } from '#alerts/routing/parse-matchers.ts';

describe('matchers', () => {
  it('take a missing label as the empty string, also one that every object has', () => {
    const test = compileMatchers([
      { name: 'constructor', op: '=', value: '' },
      { name: 'toString', op: '!~', value: '.+' },
    ]);
    expect([test({}), test({ constructor: 'x' }), test({ toString: 'x' })]).toEqual([true, false, false]);
  });

  it('have patterns in which a dot is no newline, unlike those of PromQL', () => {
    const table: [string, string, boolean][] = [
      ['a.b', 'a\nb', false],
      ['(?s)a.b', 'a\nb', true],
      ['a[^x]b', 'a\nb', true],
      ['.*', 'a\n', false],
      ['a|b', 'a\nb', false],
      ['a|b', 'b', true],
      ['a)|(?:b', 'ax', true], // ^(?:a)|(?:b)$
      ['a)|(?:b', 'xb', true],
      ['a)|(?:b', 'xax', false],
    ];
    expect(table.map(([pattern, text]) => [pattern, text, compileRegex(pattern)(text)])).toEqual(table);
  });

  it.each(['((', ')', '(?!x)', 'a**', '[b-a]'])('refuse the pattern %s in words of RE2', (pattern) => {
    expect(() => compileRegex(pattern)).toThrow('error parsing regexp: ');
  });

  it('of commands are one, without braces', () => {
    expect(parseMatcher('a=b')).toEqual({ name: 'a', op: '=', value: 'b' });
    expect(parseMatcher('"ä b"!~"c.*"')).toEqual({ name: 'ä b', op: '!~', value: 'c.*' });
    expect(() => parseMatcher('{a=b}')).toThrow('unexpected open or close brace: {a=b}');
    expect(() => parseMatcher('a=b,c=d', 'utf8')).toThrow('expected 1 matcher, found 2');
    expect(parseMatcher('a=b,c=d')).toEqual({ name: 'a', op: '=', value: 'b,c=d' }); // as the old parser reads it
    expect(() => parseMatcher('a')).toThrow('bad matcher format: a');
  });

  it('of any length are read in time', () => {
    const long = `a="${'\\\\'.repeat(100_000)}"`;
    expect(parseMatchers(long).matchers[0]?.value).toHaveLength(100_000);
    expect(() => parseMatchers(`${' '.repeat(200_000)}a`)).toThrow();
    expect(() => parseMatchers(`a=${' '.repeat(200_000)}"b`)).toThrow();
  });
});

describe('fingerprints', () => {
  it("are those of Prometheus' model", () => {
    expect(fingerprintLabels({})).toBe('cbf29ce484222325');
    expect(fingerprintLabels({ name: 'garland, briggs', fear: 'love is not enough' })).toBe(5799056148416392346n.toString(16));
  });
});
