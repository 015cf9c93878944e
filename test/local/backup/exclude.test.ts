import { describe, expect, it } from 'vitest';
import { parseExclude } from '#local/backup/exclude.ts';

describe('patterns of what is left out', () => {
  it.each([
    ['*.log', 'a.log', true],
    ['*.log', 'deep/er/a.log', true],
    ['*.log', 'a.log.gz', false],
    ['/a', 'a', true],
    ['/a', 'b/a', false],
    ['a/b', 'a/b', true],
    ['a/b', 'x/a/b', false],
    ['**/a/b', 'x/y/a/b', true],
    ['a/**', 'a', false],
    ['a/**', 'a/b/c', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['?', '\u{1f600}', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]]x', ']x', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['#x', '#x', false],
    ['\\#x', '#x', true],
    ['a*b*c', 'a/b/c', false],
    ['', '', false],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(parseExclude([pattern])(path, false)).toBe(expected);
  });

  it('takes those with a slash at the end for folders alone, and the last that fits as it is', () => {
    expect(parseExclude(['build/'])('x/build', true)).toBe(true);
    expect(parseExclude(['build/'])('x/build', false)).toBe(false);
    expect(parseExclude(['*.a', '!keep.a'])('keep.a', false)).toBe(false);
    expect(parseExclude(['!keep.a', '*.a'])('keep.a', false)).toBe(true);
  });

  it('needs no more time for many stars', () => {
    const exclude = parseExclude([`${'*a'.repeat(60)}b`, `${'**/a/'.repeat(60)}b`]);
    expect(exclude('a'.repeat(255), false)).toBe(false);
    expect(exclude(Array(1_000).fill('a').join('/'), false)).toBe(false);
  });

  it.each(['[abc', 'a//b'])('refuses %s', (pattern) => {
    expect(() => parseExclude([pattern])).toThrowError(expect.objectContaining({ kind: 'input' }));
  });
});
