import fc from 'fast-check';
import { LogicEngine } from 'json-logic-engine';
import { describe, expect, it } from 'vitest';
import { compileTargeting } from '#flags/logic/compile-targeting.ts';
import { createEnvironment, startFlag } from '#flags/logic/environment.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const run = (targeting: unknown, context: object = {}) =>
  compileTargeting(targeting, {}, 'targeting').run(createEnvironment(context as Record<string, unknown>, NOW, () => 0.5));

describe('sem_ver', () => {
  it.each<[unknown, string, unknown, boolean | null]>([
    ['1.2.3', '=', 'v1.2.3', true],
    ['1.2', '=', '1.2.0', true],
    [2, '>=', '2.0.0', true],
    ['1.2.3-alpha', '<', '1.2.3', true],
    ['1.2.3+build', '=', '1.2.3', true],
    ['3.9.9', '^', '3.0.0', true],
    ['3.9.9', '~', '3.8.0', false],
    ['10.0.0', '>', '9.0.0', true],
    ['1.2.3.4', '=', '1.2.3', null],
    ['01.2.3', '=', '1.2.3', null],
    ['', '=', '1.2.3', null],
    [null, '!=', '1.2.3', null],
    ['1.2-alpha', '=', '1.2.0', null],
  ])('%j %s %j', (a, operator, b, result) => {
    expect(run({ sem_ver: [{ var: 'v' }, operator, { var: 'w' }] }, { v: a, w: b })).toBe(result);
  });
});

describe('JsonLogic', () => {
  const engine = new LogicEngine();
  const leaf = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.boolean(),
    fc.constantFrom('', 'a', 'ab', '1', '10'),
    fc.constantFrom({ var: 'a' }, { var: 'b.c' }, { var: ['none', 7] }, { var: 'list.1' }, { var: 'text' }),
  );
  const { rule } = fc.letrec((tie) => ({
    rule: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      ...['if', 'or', 'and'].map((name) => fc.array(tie('rule'), { minLength: 2, maxLength: 4 }).map((args) => ({ [name]: args }))),
      ...['===', '!=='].map((name) => fc.tuple(tie('rule'), tie('rule')).map((args) => ({ [name]: args }))),
      // Of a rule that gives a list the engine negates the first element, and the reference implementation the list.
      ...['!', '!!'].map((name) => fc.tuple(leaf).map((args) => ({ [name]: args }))),
      ...['<', '<=', '>', '>=', '==', '!='].map((name) =>
        fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom({ var: 'a' }, 1, '2', true)).map((args) => ({ [name]: args })),
      ),
      fc.tuple(fc.constantFrom('a', 'b', 1), fc.constantFrom({ var: 'list' }, ['a', 1], 'abc')).map((args) => ({ in: args })),
      fc.array(fc.constantFrom('x', 3, { var: 'text' }), { minLength: 2, maxLength: 4 }).map((args) => ({ cat: args })),
      fc.tuple(fc.constant('jsonlogic'), fc.integer({ min: -10, max: 10 })).map((args) => ({ substr: args })),
      fc.constantFrom(
        { map: [{ var: 'list' }, { '===': [{ var: '' }, 1] }] },
        { filter: [{ var: 'list' }, { var: '' }] },
        { reduce: [[1, 2, 3], { '+': [{ var: 'current' }, { var: 'accumulator' }] }, 0] },
        { all: [{ var: 'list' }, { var: '' }] },
        { some: [{ var: 'list' }, { '===': [{ var: '' }, 'b'] }] },
        { none: [{ var: 'list' }, { '===': [{ var: '' }, 'b'] }] },
        { merge: [[1], 2, { var: 'list' }] },
        { missing: ['a', 'z'] },
        { missing_some: [1, ['a', 'z']] },
      ),
    ),
  }));

  it('gives what json-logic-engine gives', () => {
    const context = { a: 2, b: { c: 'x' }, list: ['a', 1, 'b', 0], text: 'ab' };
    fc.assert(
      fc.property(rule, (logic) => {
        expect(run(logic, context) ?? null).toEqual(engine.run(logic as object, context) ?? null);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a hostile context', () => {
  it.each<[string, unknown]>([
    ['__proto__', { var: '__proto__' }],
    ['constructor', { var: 'constructor.name' }],
    ['a method of text', { var: 'text.toString' }],
    ['the length of a list', { var: 'list.length' }],
    ['a method of a list', { var: 'list.map' }],
  ])('gives nothing of %s', (_, targeting) => {
    expect(run(targeting, { text: 'x', list: [1] })).toBeNull();
  });

  const many = Array.from({ length: 5_000 }, (_, i) => i);
  it.each<[string, object]>([
    ['lists in lists', { some: [{ var: 'lists' }, { some: [{ var: '' }, { '===': [{ var: '' }, -1] }] }] }],
    ['text that doubles', { reduce: [{ var: 'l' }, { cat: [{ var: 'accumulator' }, { var: 'accumulator' }] }, 'ab'] }],
    ['lists that double', { reduce: [{ var: 'l' }, { merge: [{ var: 'accumulator' }, { var: 'accumulator' }] }, [1]] }],
  ])('is cut off at %s', (_, targeting) => {
    const context = { l: many, lists: Array(50).fill(many) };
    expect(() => run({ if: [targeting, 'on', 'off'] }, context)).toThrow(/takes more than 200000 steps/);
  });

  it('cannot make all flags of a request dear', () => {
    const { run: dear } = compileTargeting(
      { some: [{ var: 'lists' }, { some: [{ var: '' }, { '===': [{ var: '' }, -1] }] }] },
      {},
      'targeting',
    );
    const env = createEnvironment({ lists: Array(50).fill(many) }, NOW, () => 0.5);
    const steps: number[] = [];
    for (let i = 0; i < 100; i++) {
      startFlag(env, `f${i}`);
      steps.push(env.given);
      expect(() => dear(env)).toThrow(/takes more than/);
    }
    expect([steps[0], steps.at(-1), steps.reduce((sum, given) => sum + given, 0)]).toEqual([200_000, 0, 4_000_000]);
    startFlag(env, 'plain');
    expect(compileTargeting({ '==': [{ var: 'lists' }, 1] }, {}, 'targeting').run(env)).toBe(false);
  });

  it('of a megabyte is hashed and compared without harm', () => {
    const long = 'é'.repeat(500_000);
    expect(
      run(
        {
          fractional: [
            ['a', 1],
            ['b', 1],
          ],
        },
        { targetingKey: long },
      ),
    ).toMatch(/^[ab]$/);
    expect(run({ sem_ver: [{ var: 'v' }, '=', '1.0.0'] }, { v: '1'.repeat(1_000_000) })).toBeNull();
    expect(run({ regex_match: [{ var: 'v' }, '(a+)+$'] }, { v: `${'a'.repeat(1_000_000)}!` })).toBe(true);
    expect(run({ in_cidr: [{ var: 'v' }, ['10.0.0.0/8']] }, { v: '1'.repeat(1_000_000) })).toBeNull();
    expect(run({ '+': [{ var: 'v' }, 1] }, { v: '9'.repeat(1_000_000) })).toBeNull();
  });
});
