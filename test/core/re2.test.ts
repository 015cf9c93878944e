// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Go templates look like this
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { createCache } from '#core/bounded-cache.ts';
import { isOpsError } from '#core/errors.ts';
import { compileAnchored, compileSearch, expandTemplate } from '#core/re2.ts';
import { parseGlobs } from '#core/re2-glob.ts';
import { estimateProgram } from '#core/re2-size.ts';

const refusal = (pattern: string): string => {
  try {
    compileAnchored(pattern);
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a compiled pattern', () => {
  const cases: [string, string, string[], string[]][] = [
    ['a literal matches itself alone', 'node', ['node'], ['nod', 'nodes', '', 'NODE']],
    ['an empty pattern matches only the empty text', '', [''], ['a']],
    ['alternatives match whole', 'a|bc|', ['a', 'bc', ''], ['ab', 'abc', 'b']],
    ['groups of alternatives multiply', 'api-(a|b)-(?:1|22)', ['api-a-1', 'api-b-22'], ['api-a-2', 'api-a-']],
    ['a prefix', 'go_.*', ['go_', 'go_x'], ['xgo_', 'go']],
    ['a prefix with something after', 'go_.+', ['go_x'], ['go_']],
    ['a suffix', '.*_total', ['_total', 'a_total'], ['_totals']],
    ['prefix and suffix do not overlap', 'aba.*ba', ['ababa', 'aba-ba'], ['aba', 'abba']],
    ['an inner piece', '.*error.*', ['error', 'an error here'], ['eror']],
    ['several inner pieces in order', 'a.*b.+b.*c', ['abbbc', 'a-b-b-c'], ['abbc', 'abc', 'ab-c']],
    ['a dot matches newline', 'a.*b', ['a\n\nb'], ['a\n\nc']],
    ['any text', '.*', ['', 'x', '\n'], []],
    ['any text but the empty one', '.+', ['x', '\n', '😀'], ['']],
    ['an optional letter', 'https?', ['http', 'https'], ['httpss', 'htt']],
    ['an optional letter beyond the basic plane', 'a😀?', ['a', 'a😀'], ['a\ud83d']],
    ['escaped punctuation', 'a\\.b\\|c', ['a.b|c'], ['axb|c', 'a.b']],
    ['outer anchors say nothing new', '^a$|^b$', ['a', 'b'], ['ab']],
    ['an inner anchor never holds', 'a^b', [], ['ab', 'a^b']],
    ['classes', '[45]\\d\\d', ['404', '500'], ['200', '4040']],
    ['case folding', '(?i)abc', ['aBC', 'abc'], ['abcd']],
    ['a flag that turns newline off', '(?-s).*', ['ab'], ['a\nb']],
    ['counted repetition', 'a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['a lazy gap is the same gap', 'a.*?b', ['ab', 'axbxb'], ['a']],
    ['an escaped class letter is no literal', '\\d+', ['12'], ['d', '']],
    ['a quoted run', '\\Qa.b\\E', ['a.b'], ['axb']],
  ];
  it.each(cases)('%s', (_name, pattern, yes, no) => {
    const regex = compileAnchored(pattern);
    for (const text of yes) expect(regex.test(text), JSON.stringify(text)).toBe(true);
    for (const text of no) expect(regex.test(text), JSON.stringify(text)).toBe(false);
  });

  it('knows its literals and its prefix where the pattern shows them', () => {
    expect(compileAnchored('a(b|c)').literals).toEqual(['ab', 'ac']);
    expect(compileAnchored('a(b|c)').prefix).toBe('a');
    expect(compileAnchored('go_(gc|mem).*').literals).toBeUndefined();
    expect(compileAnchored('go_(gc|mem).*').prefix).toBe('go_');
    expect(compileAnchored('go_\\w+')).toMatchObject({ literals: undefined, prefix: '' });
  });

  it('agrees with RE2 whenever the fast path takes a pattern', () => {
    const token = fc.constantFrom('a', 'b', 'ab', '.*', '.+', '|', '(', ')', '(?:', '?', '\\.', '.', '^', '$', '😀');
    const pattern = fc.array(token, { maxLength: 9 }).map((tokens) => tokens.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', '.', '\n', '😀'), { maxLength: 7 }).map((units) => units.join(''));
    let taken = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        if (!parseGlobs(source)) return;
        taken++;
        const slow = RE2JS.compile(`^(?s:${source})$`);
        for (const each of texts) expect(compileAnchored(source).test(each)).toBe(slow.testExact(each));
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(300);
  });
});

describe('a refused pattern is named in the words of Prometheus', () => {
  it.each([
    ['(', 'error parsing regexp: missing closing ): `(`'],
    ['a)', 'error parsing regexp: unexpected ): `a)`'],
    ['a)(b', 'error parsing regexp: unexpected ): `a)(b`'],
    ['[', 'error parsing regexp: missing closing ]: `[`'],
    ['*', 'error parsing regexp: missing argument to repetition operator: `*`'],
    ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
    ['.*+', 'error parsing regexp: invalid nested repetition operator: `*+`'],
    ['a\\', 'error parsing regexp: trailing backslash at end of expression: ``'],
    ['\\q', 'error parsing regexp: invalid escape sequence: `\\q`'],
    ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    ['a{1001}', 'error parsing regexp: invalid repeat count: `{1001}`'],
    ['a{1000}{1000}', 'error parsing regexp: invalid nested repetition operator: `{1000}{1000}`'],
    ['(a{1000}){1000}', 'error parsing regexp: invalid repeat count: `{1000}`'],
    ['((a{100}){100}){100}', 'error parsing regexp: invalid repeat count: `{100}`'],
  ])('%s', (pattern, message) => expect(refusal(pattern)).toBe(message));

  it('also where it nests or repeats past any honest use', () => {
    const nested = `${'('.repeat(2_000)}a*${')'.repeat(2_000)}`;
    expect(refusal(nested)).toMatch(/^error parsing regexp: expression nests too deeply: `\(+\.\.\.`$/);
    expect(refusal('(?:a?){1000}'.repeat(500))).toMatch(/^error parsing regexp: expression too large: /);
    expect(refusal(`(?:${'ab?'.repeat(400)}){999}`)).toMatch(/expression too large/);
    expect(refusal('\\w'.repeat(100_000))).toMatch(/expression too large/);
  });

  it('also where it has gaps without end', () => expect(refusal('.*a'.repeat(600_000))).toMatch(/expression too large/));

  it('where a text is too long for a pattern of its size, which takes shorter ones', () => {
    const { test, match } = compileAnchored('(x+x+)+'.repeat(500));
    expect([test('x'.repeat(1_000)), test('y')]).toEqual([true, false]);
    for (const call of [test, match])
      expect(() => call('x'.repeat(8_000))).toThrow('a regular expression of 3502 instructions is too large for a text of 8000 characters');
  });

  it('never fails otherwise', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '1',
      '900',
      ',',
      '*',
      '+',
      '?',
      '\\',
      '^',
      '$',
      '|',
      '.',
      'a',
      '(?',
      'P<n>',
      ':',
      'i',
      'd',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => void refusal(pieces.join(''))),
      { numRuns: 3_000 },
    );
  });
});

describe('time stays linear', () => {
  it.each([
    ['nested plus', '(a+)+$', `${'a'.repeat(200_000)}b`],
    ['a starred star', '(x*)*y', 'x'.repeat(200_000)],
    ['equal alternatives', '(a|a)*b', 'a'.repeat(200_000)],
    ['many gaps', '(.*)(.*)(.*)(.*)(.*)[x]', `${'x'.repeat(100_000)}y`],
    ['many gaps between literals', '.*a.*a.*a.*a.*a.*a.*b', 'a'.repeat(200_000)],
    ['optional letters', '(?:a?){400}a{400}', 'a'.repeat(400 * 2 + 1)],
  ])('%s', (_name, pattern, text) => {
    const regex = compileAnchored(pattern);
    const startedMs = performance.now();
    expect(regex.test(text)).toBe(false);
    expect(regex.match(text)).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(5_000); // it would be centuries
  });

  it('a list of ten thousand values is one look-up', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `10.0.${i}.1:9100`);
    const regex = compileAnchored(values.map((value) => value.replaceAll('.', '\\.')).join('|'));
    expect(regex.literals).toHaveLength(10_000);
    expect(regex.test('10.0.9999.1:9100')).toBe(true);
    expect(regex.test('10.0.9999.1:9101')).toBe(false);
  });
});

describe('submatches and templates', () => {
  const expand = (pattern: string, text: string, template: string) => {
    const match = compileAnchored(pattern).match(text);
    return match && expandTemplate(template, match);
  };
  it.each([
    ['a number', '(.*)', 'abc', '<$1>', '<abc>'],
    ['the whole text', 'a(b)c', 'abc', '$0', 'abc'],
    ['braces end a name', '(.*)-(.*)', 'a-b', '${1}x${2}', 'axb'],
    ['without braces a name runs on', '(.*)', 'a', '[$1x]', '[]'],
    ['a named group', '(?P<host>[^:]+):(?<port>\\d+)', 'h:80', '${port}@$host', '80@h'],
    ['a group past the last', '(.*)', 'a', '$2|${10}|$999999999999', '||'],
    ['a group that took no part', '(a)|(b)', 'b', '[$1][$2]', '[][b]'],
    ['two dollars are one', '(.*)', 'a', '$$1', '$1'],
    ['a lone dollar stays', '(.*)', 'a', '$ ${ ${} ${1 $-', '$ ${ ${} ${1 $-'],
    ['a leading zero makes it a name', '(.*)', 'a', '[$01]', '[]'],
    ['names of the prototype are no groups', '(.*)', 'a', '[$constructor]', '[]'],
    ['alternatives in order', '(a|ab)(c|bcd)?(.*)', 'abcd', '$1/$2/$3', 'a/bcd/'],
    ['a gap keeps newlines', 'x(.*)', 'x\ny', '$1', '\ny'],
    ['greedy first', '(.*)(\\d+)', 'a123', '$1,$2', 'a12,3'],
  ])('%s', (_name, pattern, text, template, want) => expect(expand(pattern, text, template)).toBe(want));

  it('nothing where the text does not match', () => {
    expect(expand('a(.*)', 'b', '$1')).toBeUndefined();
    expect(expand('[a-c]+', 'd', '$1')).toBeUndefined();
  });
});

describe('a search', () => {
  it.each([
    ['matches anywhere', 'b+', 'abbc', 'a<bb>c'],
    ['takes each match once', 'a|ab', 'abab', '<a>b<a>b'],
    ['finds nothing', 'x', 'abc', 'abc'],
    ['matches empty between all', '', 'abc', '<>a<>b<>c<>'],
    ['leaves out an empty match that touches another', 'a*', 'baac', '<>b<aa>c<>'],
    ['knows the start and the end', '^a|a$', 'aaa', '<a>a<a>'],
    ['does not let a dot match a newline', 'a.b', 'a\nb a-b', 'a\nb <a-b>'],
    ['counts characters beyond 16 bits as one', '^.$', '🐢', '<🐢>'],
  ])('%s', (_name, pattern, text, replaced) => {
    expect(compileSearch(pattern).replaceAll(text, ({ groups }) => `<${groups[0]}>`)).toBe(replaced);
    expect(compileSearch(pattern).test(text)).toBe(replaced !== text);
  });

  it('is refused as an anchored pattern is', () => {
    expect(() => compileSearch('(')).toThrow('error parsing regexp: missing closing ): `(`');
    expect(() => compileSearch('(a{1000}){1000}')).toThrow('error parsing regexp');
  });
});

describe('the estimate of a program', () => {
  it.each([
    ['letters', 'abc', 3, 1],
    ['a class is one', '[^]a-z[:alpha:]]b', 2, 1],
    ['counts multiply', '(ab{10}){5}', 65, 50],
    ['an open count stands for its minimum', 'a{5,}', 5, 5],
    ['an unclosed group', '((a', 1, 1],
    ['braces that are no count', 'a{x}', 4, 1],
  ])('%s', (_name, pattern, size, repeats) => expect(estimateProgram(pattern)).toEqual({ size, repeats }));
});

describe('a bounded cache', () => {
  it('drops what was not used for longest', () => {
    const cache = createCache<number>({ maxEntries: 2 });
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2]);
  });

  it('counts weights, and keeps nothing heavier than all it may hold', () => {
    const cache = createCache<number>({ maxEntries: 10, maxWeight: 10 });
    cache.set('a', 1, 6);
    cache.set('a', 2, 4);
    cache.set('b', 3, 6);
    expect(cache.size).toBe(2);
    cache.set('c', 4, 11);
    expect([cache.get('c'), cache.size]).toEqual([undefined, 2]);
    cache.set('d', 5, 1);
    expect([cache.get('a'), cache.get('b'), cache.get('d')]).toEqual([undefined, 3, 5]);
  });
});
