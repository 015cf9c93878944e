import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateFlag, isRolledOut } from '#flags/evaluate-flag.ts';
import { readFlagSet } from '#flags/flag-set.ts';
import { compileTargeting } from '#flags/logic/compile-targeting.ts';
import { createEnvironment } from '#flags/logic/environment.ts';
import { bucketOf } from '#flags/logic/fractional.ts';
import { murmur3 } from '#flags/murmur3.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const colors = { red: '#FF0000', blue: '#0000FF', green: '#00FF00', yellow: '#FFFF00' };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

function evaluate(flag: object, context: object = {}, { key = 'f', nowMs = NOW, evaluators = {} } = {}) {
  const set = readFlagSet({ flags: { [key]: flag }, $evaluators: evaluators });
  return evaluateFlag(
    set.flags.get(key)!.compiled,
    createEnvironment(context as Record<string, unknown>, nowMs, () => 0.5),
  );
}
const run = (targeting: unknown, context: object = {}) =>
  compileTargeting(targeting, {}, 'targeting').run(createEnvironment(context as Record<string, unknown>, NOW, () => 0.5));

describe('murmur3', () => {
  // The reference implementation's values (SMHasher, MurmurHash3_x86_32).
  it.each<[string, number, number]>([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['ab', 0x9747b28c, 0x74875592],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of %j with seed %d', (text, seed, hash) => {
    expect(murmur3(text, seed)).toBe(hash);
  });

  it('falls into buckets as 64-bit arithmetic has it', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0x7fffffff), (hash, total) => {
        expect(bucketOf(hash, total)).toBe(Number((BigInt(hash) * BigInt(total)) >> 32n));
      }),
    );
  });
});

describe('fractional', () => {
  const split = [
    ['red', 25],
    ['blue', 25],
    ['green', 25],
    ['yellow', 25],
  ];
  const header = (bucketBy: object) => ({
    state: 'ENABLED',
    variants: colors,
    defaultVariant: 'red',
    targeting: { if: [{ in: ['@faas.com', { var: ['email'] }] }, { fractional: [bucketBy, ...split] }, null] },
  });
  // Of flagd's own tests (core/pkg/evaluator/fractional_test.go).
  it.each([
    ['rachel@faas.com', 'blue', 'green'],
    ['monica@faas.com', 'yellow', 'red'],
    ['joey@faas.com', 'red', 'blue'],
    ['ross@faas.com', 'blue', 'green'],
  ])('gives %s what flagd gives', (email, byKey, bySeed) => {
    const keyed = header({ cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] });
    expect(evaluate(keyed, { email }, { key: 'headerColor' })).toEqual({
      reason: 'TARGETING_MATCH',
      variant: byKey,
      value: colors[byKey as 'red'],
    });
    const seeded = header({ cat: ['my-seed', { var: 'email' }] });
    expect(evaluate(seeded, { email }, { key: 'customSeededHeaderColor' })).toMatchObject({ variant: bySeed });
  });

  it.each<[string, unknown[], object, unknown]>([
    ['one share', [['one']], { targetingKey: 'u' }, 'one'],
    [
      'weights of 0',
      [
        ['a', 0],
        ['b', 0],
      ],
      { targetingKey: 'u' },
      null,
    ],
    [
      'a weight that comes out negative',
      [
        ['a', { '-': [1, 2] }],
        ['b', 1],
      ],
      { targetingKey: 'u' },
      'b',
    ],
    [
      'a weight that comes out broken',
      [
        ['a', { '/': [1, 2] }],
        ['b', 1],
      ],
      { targetingKey: 'u' },
      null,
    ],
    [
      'a weight of text in the context',
      [
        ['a', { var: 'w' }],
        ['b', 1],
      ],
      { targetingKey: 'u', w: '5' },
      null,
    ],
    [
      'a weight past the largest',
      [
        ['a', { var: 'w' }],
        ['b', 1],
      ],
      { targetingKey: 'u', w: 2 ** 40 },
      null,
    ],
    ['a key of null', [{ var: 'missing' }, ['a', 1]], { targetingKey: 'u' }, 'a'],
    ['a key that is a number', [{ var: 'n' }, ['a', 1]], { targetingKey: 'u', n: 5 }, null],
    ['no targeting key', [['a', 1]], {}, null],
    ['an empty targeting key', [['a', 1]], { targetingKey: '' }, null],
    ['a share that is true', [[true, 1]], { targetingKey: 'u' }, true],
  ])('takes %s as flagd does', (_, args, context, result) => {
    expect(run({ fractional: args }, context)).toEqual(result);
  });

  it('only ever adds people as the first of two shares grows', () => {
    const share = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.string(), share, share, (targetingKey, p, q) => {
        const [low, high] = [Math.min(p, q), Math.max(p, q)];
        const isIn = (percentage: number) =>
          run(
            {
              fractional: [
                ['on', percentage],
                ['off', 100 - percentage],
              ],
            },
            { targetingKey },
          ) === 'on';
        return !isIn(low) || isIn(high);
      }),
    );
  });
});

describe('a rollout', () => {
  const rolled = (percentage: number, more: object = {}) => ({ ...onOff, rollout: { variant: 'on', percentage, ...more } });

  it('only ever adds people as the percentage grows, at any three digits', () => {
    const thousandths = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(fc.string(), fc.string(), thousandths, thousandths, (salt, key, p, q) => {
        return !isRolledOut(salt, key, Math.min(p, q) / 1_000) || isRolledOut(salt, key, Math.max(p, q) / 1_000);
      }),
    );
  });

  it('reaches whom fractional over two shares reaches', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 99 }), (targetingKey, percentage) => {
        const flag = {
          ...onOff,
          targeting: {
            fractional: [
              ['on', percentage],
              ['off', 100 - percentage],
            ],
          },
        };
        expect(evaluate(rolled(percentage), { targetingKey })).toMatchObject({
          value: (evaluate(flag, { targetingKey }) as { value: boolean }).value,
        });
      }),
    );
  });

  it('reaches about as many as it says', () => {
    const reached = Array.from({ length: 20_000 }, (_, i) => isRolledOut('banner', `user-${i}`, 12.5)).filter(Boolean).length;
    expect(Math.abs(reached / 20_000 - 0.125)).toBeLessThan(0.01);
  });

  it.each<[string, object, object, object]>([
    ['0 percent', rolled(0), {}, { reason: 'SPLIT', variant: 'off', value: false }],
    ['100 percent, whoever asks', rolled(100), {}, { reason: 'SPLIT', variant: 'on', value: true }],
    ['nobody to tell apart', rolled(50), {}, { errorCode: 'TARGETING_KEY_MISSING' }],
    ['another attribute that is missing', rolled(50, { by: 'company.id' }), {}, { variant: 'off' }],
    ['a step that has not begun', rolled(0, { steps: [{ from: '2026-11-27T12:00:01Z', percentage: 100 }] }), {}, { variant: 'off' }],
    ['a step that has begun', rolled(0, { steps: [{ from: '2026-11-27T12:00:00Z', percentage: 100 }] }), {}, { variant: 'on' }],
    [
      'a step that is over',
      rolled(0, { steps: [{ from: '2026-11-27T11:00:00Z', until: '2026-11-27T12:00:00Z', percentage: 100 }] }),
      {},
      { variant: 'off' },
    ],
    [
      'the last of two steps',
      rolled(0, {
        steps: [
          { from: '2026-11-01T00:00:00Z', percentage: 100 },
          { from: '2026-11-02T00:00:00Z', percentage: 0 },
        ],
      }),
      {},
      { variant: 'off' },
    ],
    ['a flag before its time', { ...rolled(100), activeFrom: '2026-11-27T12:00:01Z' }, {}, { reason: 'DEFAULT', variant: 'off' }],
    ['a flag after its time', { ...rolled(100), activeUntil: '2026-11-27T12:00:00Z' }, {}, { reason: 'DEFAULT', variant: 'off' }],
    [
      'targeting that decides first',
      { ...rolled(100), targeting: { if: [{ var: 'no' }, 'off'] } },
      { no: true },
      { reason: 'TARGETING_MATCH', variant: 'off' },
    ],
    [
      'targeting that decides nothing',
      { ...rolled(100), targeting: { if: [{ var: 'no' }, 'off'] } },
      {},
      { reason: 'SPLIT', variant: 'on' },
    ],
  ])('gives its due at %s', (_, flag, context, result) => {
    expect(evaluate(flag, context)).toMatchObject(result);
  });
});

describe('a flag', () => {
  it.each<[string, object, object, object]>([
    ['without targeting', onOff, {}, { reason: 'STATIC', variant: 'off', value: false }],
    ['without a default', { ...onOff, defaultVariant: null }, {}, { reason: 'DEFAULT' }],
    ['that is disabled', { ...onOff, state: 'DISABLED' }, {}, { reason: 'DISABLED' }],
    ['with empty targeting', { ...onOff, targeting: {} }, {}, { reason: 'STATIC', variant: 'off', value: false }],
    [
      'whose targeting gives null',
      { ...onOff, targeting: { if: [false, 'on', null] } },
      {},
      { reason: 'DEFAULT', variant: 'off', value: false },
    ],
    [
      'whose targeting gives null, without a default',
      { ...onOff, defaultVariant: undefined, targeting: { var: 'x' } },
      {},
      { reason: 'DEFAULT' },
    ],
    [
      'whose targeting gives true',
      { ...onOff, variants: { true: 1, false: 2 }, defaultVariant: 'false', targeting: { '==': [1, 1] } },
      {},
      { variant: 'true', value: 1 },
    ],
    ['whose targeting gives no variant', { ...onOff, targeting: { var: 'x' } }, { x: 'blue' }, { errorCode: 'GENERAL' }],
    ['whose targeting gives a list', { ...onOff, targeting: { var: 'x' } }, { x: ['on'] }, { errorCode: 'GENERAL' }],
    ['with a reference', { ...onOff, targeting: { if: [{ $ref: 'staff' }, 'on'] } }, { email: 'a@b.c' }, { variant: 'on' }],
  ])('%s', (_, flag, context, result) => {
    expect(evaluate(flag, context, { evaluators: { staff: { ends_with: [{ var: 'email' }, '@b.c'] } } })).toMatchObject(result);
  });

  it('sees the time that is handed in, in seconds', () => {
    const targeting = { if: [{ '>=': [{ var: '$flagd.timestamp' }, NOW / 1_000] }, 'on', 'off'] };
    expect([NOW - 1, NOW].map((nowMs) => evaluate({ ...onOff, targeting }, {}, { nowMs }))).toMatchObject([
      { value: false },
      { value: true },
    ]);
  });
});
