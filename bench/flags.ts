// What it costs to evaluate a flag: npm run bench -- --only flags
import { LogicEngine } from 'json-logic-engine';
import { compileFlag } from '#flags/compile-flag.ts';
import { evaluateFlag } from '#flags/evaluate-flag.ts';
import { readFlagDefinition } from '#flags/flag-definition.ts';
import { createEnvironment } from '#flags/logic/environment.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const RUNS = 7;

/** A context as services send it. */
const contextOf = (i: number) => ({
  targetingKey: `user-${i}-7f3a9c`,
  email: `person${i}@${i % 3 === 0 ? 'example.com' : 'elsewhere.org'}`,
  country: ['NO', 'SE', 'DE', 'FR', 'US'][i % 5],
  plan: ['free', 'team', 'enterprise'][i % 3],
  version: `${(i % 4) + 1}.${i % 10}.0`,
  age: i % 90,
  roles: ['reader', 'editor', 'admin'].slice(0, (i % 3) + 1),
});

/** Twenty conditions of every kind, of which the last one decides. */
const heavy = {
  if: [
    ...Array.from({ length: 16 }, (_, i) => [
      { and: [{ '==': [{ var: 'country' }, `X${i}`] }, { '>': [{ var: 'age' }, i] }, { starts_with: [{ var: 'email' }, 'person'] }] },
      'off',
    ]).flat(),
    { and: [{ sem_ver: [{ var: 'version' }, '>=', '5.0.0'] }, { in: [{ var: 'country' }, ['NO', 'SE']] }] },
    'off',
    { some: [{ var: 'roles' }, { '===': [{ var: '' }, 'owner'] }] },
    'off',
    { ends_with: [{ var: 'email' }, '@nowhere.org'] },
    'off',
    { '!': [{ missing: ['plan', 'age', 'version'] }] },
    'on',
    'off',
  ],
};
const shares = ['a', 'b', 'c', 'd'].map((name) => [name, 25]);
const letters = { state: 'ENABLED', variants: { a: 1, b: 2, c: 3, d: 4 }, defaultVariant: 'a' };

const kinds: Readonly<Record<string, object>> = {
  simple: onOff,
  'targeting-heavy': { ...onOff, targeting: heavy },
  fractional: { ...letters, targeting: { fractional: shares } },
  rollout: { ...onOff, rollout: { variant: 'on', percentage: 25 } },
};

/** Microseconds of CPU of a flag by kind, of all of them mixed in bulks of 500, and of json-logic-engine's compiled form of the heavy one. */
export interface FlagFigures {
  readonly flagUs: Readonly<Record<string, number>>;
  readonly bulkMs: number;
  readonly engineHeavyUs: number;
}

/** Measures in this process; each figure is the median of some runs. */
export function measureFlagEvaluation(): FlagFigures {
  const contexts = Array.from({ length: 200 }, (_, i) => contextOf(i));
  const compile = (key: string, flag: object) => compileFlag(key, readFlagDefinition(flag, key));
  const flagUs: Record<string, number> = {};
  for (const [kind, flag] of Object.entries(kinds)) {
    const compiled = compile(kind, flag);
    const environments = contexts.map((context) => createEnvironment(context, NOW, () => 0.5));
    flagUs[kind] = medianUs(20_000, (i) => evaluateFlag(compiled, environments[i % environments.length]!));
  }
  const bulk = Array.from({ length: 500 }, (_, i) => compile(`flag-${i}`, Object.values(kinds)[i % 4] as object));
  const bulkUs = medianUs(100, (i) => {
    const env = createEnvironment(contexts[i % contexts.length]!, NOW, () => 0.5);
    return JSON.stringify(bulk.map((flag) => ({ key: flag.key, ...evaluateFlag(flag, env) })));
  });
  return { flagUs, bulkMs: bulkUs / 1_000, engineHeavyUs: measureEngine(contexts) };
}

function measureEngine(contexts: readonly object[]): number {
  const engine = new LogicEngine();
  const add = (name: string, method: (args: unknown[]) => unknown) => engine.addMethod(name, method as never, { deterministic: true });
  add('starts_with', ([text, part]) => String(text).startsWith(String(part)));
  add('ends_with', ([text, part]) => String(text).endsWith(String(part)));
  add('sem_ver', ([a, , b]) => String(a) >= String(b));
  const run = engine.build(heavy) as (context: object) => unknown;
  return medianUs(20_000, (i) => run(contexts[i % contexts.length]!));
}

let sink: unknown;

function medianUs(times: number, work: (i: number) => unknown): number {
  const all: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    // CPU and not the clock: others may be busy on this machine.
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) sink = work(i);
    const { user, system } = process.cpuUsage(start);
    all.push((user + system) / times);
  }
  if (sink === all) throw new Error('not reached: keeps the work from being left out');
  return all.sort((a, b) => a - b)[RUNS >> 1]!;
}

if (import.meta.main) console.log(measureFlagEvaluation());
