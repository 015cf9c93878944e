import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { parseFlagSet, readFlagSet } from '#flags/flag-set.ts';
import { compileTargeting } from '#flags/logic/compile-targeting.ts';
import { corpus } from '#test/corpora.ts';

const folder = corpus('ofrep/flagd-schemas');
const documents = (kind: string, verdict: string): [string, string][] => {
  const path = join(folder ?? '', 'test', kind, verdict);
  return readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')]);
};
const refuses = (text: string) => {
  try {
    parseFlagSet(text);
    return undefined;
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
};
const flagWith = (targeting: unknown, more: object = {}) => ({
  flags: { f: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting, ...more } },
});

describe.skipIf(!folder)("flagd's documents", () => {
  const known = folder ? (['flags', 'flagd'] as const).flatMap((kind) => documents(kind, 'positive')) : [];
  it.each(known)('takes %s', (_, text) => {
    expect(parseFlagSet(text).flags.size).toBeGreaterThan(0);
  });

  // A list of flags is right for flagd.json, which is what files here are; flags.json, of providers, has none.
  it.each(folder ? documents('flags', 'negative').filter(([name]) => name !== 'with-array-flags.json') : [])('refuses %s', (_, text) => {
    expect(refuses(text)).toMatch(/^(flags|metadata)\./);
  });

  it.each(folder ? documents('targeting', 'positive') : [])('takes the targeting of %s', (name, text) => {
    const evaluators = name === 'if-shorthand.json' ? { 'some-ref': { '!!': [1] } } : {};
    expect(compileTargeting(JSON.parse(text), evaluators, 'targeting').size).toBeGreaterThan(0);
  });

  it.each(folder ? documents('targeting', 'negative') : [])('refuses the targeting of %s', (_, text) => {
    expect(() => compileTargeting(JSON.parse(text), {}, 'targeting')).toThrow(/^targeting\./);
  });

  it('are judged by the schema as the folders say', () => {
    const ajv = new Ajv({ strict: false });
    for (const name of ['targeting', 'flags', 'flagd'])
      ajv.addSchema(JSON.parse(readFileSync(join(folder ?? '', 'schema', `${name}.json`), 'utf8')));
    const validate = ajv.getSchema('https://flagd.dev/schema/v0/flagd.json');
    for (const [name, text] of documents('flags', 'positive')) expect([name, validate?.(JSON.parse(text))]).toEqual([name, true]);
    const ours = flagWith(undefined, {
      targeting: {},
      rollout: { variant: 'on', percentage: 10, steps: [{ from: '2026-01-01T00:00:00Z', percentage: 20 }] },
      activeFrom: '2026-01-01T00:00:00Z',
    });
    expect([validate?.(ours), readFlagSet(ours).flags.size]).toEqual([true, 1]);
  });
});

describe('a flag set', () => {
  it.each<[string, object, RegExp]>([
    ['a default variant that is none', flagWith({}, { defaultVariant: 'purple' }), /^flags\.f\.defaultVariant: "purple" is no variant$/],
    ['a list as a variant', flagWith({}, { variants: { on: [1] } }), /^flags\.f\.variants: are all/],
    ['a prototype as a variant', JSON.parse('{"flags":{"f":{"state":"ENABLED","variants":{"__proto__":true}}}}'), /__proto__ cannot/],
    [
      'a prototype as a flag',
      JSON.parse('{"flags":{"__proto__":{"state":"ENABLED","variants":{"on":true}}}}'),
      /name of a flag cannot be used/,
    ],
    [
      'an unknown reference',
      flagWith({ if: [{ $ref: 'nobody' }, 'on'] }),
      /targeting\.if\[0\]\.\$ref: "nobody" is not among the \$evaluators$/,
    ],
    ['a reference to itself', { ...flagWith({}), $evaluators: { a: { '!': [{ $ref: 'a' }] } } }, /"a" refers to itself$/],
    ['an operation that there is not', flagWith({ log: ['x'] }), /"log" is no operation; there are if == /],
    ['two operations at once', flagWith({ '==': [1, 1], '!=': [1, 1] }), /has several operations: ==, !=/],
    ['a prototype as an operation', flagWith(JSON.parse('{"__proto__":[1]}')), /"__proto__" is no operation/],
    ['a constructor as an operation', flagWith({ constructor: ['x'] }), /"constructor" is no operation/],
    ['a rollout of no variant', flagWith({}, { rollout: { variant: 'blue', percentage: 1 } }), /rollout\.variant: "blue" is no variant/],
    ['more than all', flagWith({}, { rollout: { variant: 'on', percentage: 101 } }), /rollout\.percentage/],
    [
      'a step that ends before it begins',
      flagWith(
        {},
        {
          rollout: {
            variant: 'on',
            percentage: 1,
            steps: [{ from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z', percentage: 2 }],
          },
        },
      ),
      /ends before it begins/,
    ],
    [
      'weights past what a hash reaches',
      flagWith({
        fractional: [
          ['on', 2_147_483_647],
          ['off', 1],
        ],
      }),
      /come to more than 2147483647/,
    ],
    ['a pattern that RE2 does not take', flagWith({ regex_match: ['a', '(?=a)b'] }), /regex_match: error parsing regexp/],
    ['no object', [], /./],
    ['flags of a wrong kind', { flags: 'x' }, /^flags: /],
    [
      'two flags of one name',
      {
        flags: [
          { key: 'a', state: 'ENABLED', variants: { on: true } },
          { key: 'a', state: 'ENABLED', variants: { on: true } },
        ],
      },
      /^flags\.a: is there twice$/,
    ],
  ])('is refused for %s', (_, document, why) => {
    expect(() => readFlagSet(document)).toThrow(why);
  });

  it.each<[string, string]>([
    ['JSON that breaks off', '{"flags":'],
    ['a hundred thousand levels', '{"flags":'.repeat(100_000)],
    ['a bomb of levels in targeting', JSON.stringify(flagWith(JSON.parse(`${'{"!":['.repeat(90)}1${']}'.repeat(90)}`)))],
  ])('is refused for %s, without harm', (_, text) => {
    expect(refuses(text)).toBeDefined();
  });

  it('is refused for references that double at each level', () => {
    const $evaluators = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`e${i}`, i === 0 ? { '!': [1] } : { and: [{ $ref: `e${i - 1}` }, { $ref: `e${i - 1}` }] }]),
    );
    expect(() => readFlagSet({ ...flagWith({ if: [{ $ref: 'e39' }, 'on'] }), $evaluators })).toThrow(/more than 20000 nodes/);
    const chain = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`e${i}`, i === 0 ? { '!': [1] } : { '!': [{ $ref: `e${i - 1}` }] }]),
    );
    expect(() => readFlagSet({ ...flagWith({ if: [{ $ref: 'e499' }, 'on'] }), $evaluators: chain })).toThrow(/more than 64 levels/);
  });

  it('keeps metadata of the set and of the flag over it', () => {
    const set = readFlagSet({ ...flagWith({}, { metadata: { team: 'a' } }), metadata: { team: 'all', version: '1' } });
    expect(set.flags.get('f')?.compiled.metadata).toEqual({ team: 'a', version: '1' });
  });
});
