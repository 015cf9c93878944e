import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFlag } from '#flags/compile-flag.ts';
import { evaluateFlag } from '#flags/evaluate-flag.ts';
import { createEnvironment } from '#flags/logic/environment.ts';
import { type Translated, translateUnleash } from '#flags/unleash/translate.ts';
import { corpus } from '#test/corpora.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');

interface Case<T> {
  readonly description: string;
  readonly context: Record<string, unknown>;
  readonly toggleName: string;
  readonly expectedResult: T;
}

interface Specification {
  readonly name: string;
  readonly state: object;
  readonly tests?: readonly Case<boolean>[];
  readonly variantTests?: readonly Case<object>[];
}

/** The value of a flag by our own evaluator; undefined where there is no such flag. */
function flagValue({ flags }: Translated, key: string, context: Record<string, unknown>): unknown {
  const definition = flags.get(key);
  if (!definition) return undefined;
  const evaluation = evaluateFlag(
    compileFlag(key, definition),
    createEnvironment(context, NOW, () => 0.5),
  );
  if ('errorCode' in evaluation) throw new Error(evaluation.errorDetails);
  return evaluation.value;
}

const folder = corpus('unleash-client-spec/specifications');
const files = folder ? readdirSync(folder).filter((name) => /^\d/.test(name)) : [];
const specifications = files.map((name) => JSON.parse(readFileSync(join(folder ?? '', name), 'utf8')) as Specification);

describe.skipIf(!folder)("Unleash's client specification", () => {
  it('is there in full', () => {
    const count = (of: (spec: Specification) => readonly unknown[] | undefined) =>
      specifications.reduce((sum, spec) => sum + (of(spec)?.length ?? 0), 0);
    expect([specifications.length, count(({ tests }) => tests), count(({ variantTests }) => variantTests)]).toEqual([22, 227, 52]);
  });

  describe.each(specifications.map((spec) => [spec.name, spec] as const))('%s', (_, { state, tests = [], variantTests = [] }) => {
    const translated = translateUnleash(state);
    it.each(tests.map((test) => [test.description, test] as const))('%s', (_description, { toggleName, context, expectedResult }) => {
      expect(flagValue(translated, toggleName, context) ?? false).toBe(expectedResult);
    });
    it.each(variantTests.map((test) => [test.description, test] as const))(
      '%s (variant)',
      (_description, { toggleName, context, expectedResult }) => {
        // A feature without variants is one flag: what Unleash's clients make of that follows from it.
        const none = { name: 'disabled', enabled: false, feature_enabled: flagValue(translated, toggleName, context) ?? false };
        expect(flagValue(translated, `${toggleName}:variant`, context) ?? none).toEqual(expectedResult);
      },
    );
  });
});

describe('the translation from Unleash', () => {
  const feature = (more: object) => ({ features: [{ name: 'f', enabled: true, strategies: [], ...more }] });

  it('goes by the targeting key where there is no userId, as OpenFeature has it', () => {
    const translated = translateUnleash(feature({ strategies: [{ name: 'userWithId', parameters: { userIds: 'ann, bob' } }] }));
    expect(['ann', 'eve'].map((targetingKey) => flagValue(translated, 'f', { targetingKey }))).toEqual([true, false]);
  });

  it.each<[string, object, RegExp]>([
    [
      'a strategy that is unknown here',
      { strategies: [{ name: 'applicationHostname' }] },
      /^f: the strategy applicationHostname is unknown here/,
    ],
    ['a segment that is not there', { strategies: [{ name: 'default', segments: [7] }] }, /^f: there is no segment 7/],
    [
      'an operator that is unknown here',
      { strategies: [{ name: 'default', constraints: [{ contextName: 'a', operator: 'MOON', inverted: true }] }] },
      /^f: the constraint MOON of a/,
    ],
    ['a feature that is not there', { dependencies: [{ feature: 'g' }] }, /^f: depends on g, which is not there/],
  ])('says of %s that it never holds', (_, more, note) => {
    const translated = translateUnleash(feature(more));
    expect([flagValue(translated, 'f', {}), translated.notes]).toEqual([false, [expect.stringMatching(note)]]);
  });

  it('keeps who is in as the percentage grows', () => {
    const isIn = (rollout: number, userId: string) =>
      flagValue(
        translateUnleash(feature({ strategies: [{ name: 'flexibleRollout', parameters: { rollout: String(rollout), groupId: 'g' } }] })),
        'f',
        { userId },
      );
    const percentage = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        percentage,
        percentage,
        (id, p, q) => isIn(Math.min(p, q), id) !== true || isIn(Math.max(p, q), id) === true,
      ),
    );
  });

  it('leaves out what cannot be a flag, and says so', () => {
    expect(translateUnleash({ features: [{ name: '__proto__', enabled: true }] }).notes).toEqual([
      expect.stringMatching(/__proto__: left out/),
    ]);
  });

  it.each<[string, unknown]>([
    ['a list', []],
    ['features of a wrong kind', { features: [{ name: 1 }] }],
    ['an event of an unknown type', { events: [{ type: 'moon' }] }],
  ])('refuses %s', (_, value) => {
    expect(() => translateUnleash(value)).toThrow(/is not what Unleash/);
  });
});
