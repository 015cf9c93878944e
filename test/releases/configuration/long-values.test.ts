import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EMPTY_DOCUMENT } from '#releases/configuration/document.ts';
import { findSecrets } from '#releases/configuration/find-secrets.ts';
import { findConfigProblems, resolveConfig } from '#releases/configuration/resolve.ts';

/** More than a request can bring: a pattern that is quadratic in it takes hours. */
const LONG = 2_000_000;

it.each(['a', '-eyJ', 'eyJ0123456789.', 'a://b:', 'a:b@', '-----BEGIN ', 'glpat-', 'ghp_0'])(
  'a long value of %j is looked through at once',
  (part) => {
    findSecrets({ ...EMPTY_DOCUMENT, env: { A: part.repeat(LONG / part.length) } });
  },
);

it('a long number that is none is told at once', () => {
  const document = { ...EMPTY_DOCUMENT, env: { A: `${'1'.repeat(LONG)}x` }, expect: { A: { type: 'number' as const } } };
  expect(findConfigProblems(resolveConfig(document, 'production', EMPTY_DOCUMENT))).toHaveLength(1);
});

it('numbers are what they were', () => {
  const old = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('1', '0', '.', 'e', '-', '+', 'x'), maxLength: 8 }), (text) => {
      const document = { ...EMPTY_DOCUMENT, env: { A: text }, expect: { A: { type: 'number' as const } } };
      expect(findConfigProblems(resolveConfig(document, 'e', EMPTY_DOCUMENT)).length === 0).toBe(old.test(text));
    }),
  );
});
