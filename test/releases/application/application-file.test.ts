import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MINUTE_MS } from '#core/time.ts';
import { PARTS } from '#functions/release-files.ts';
import { readYamlValue } from '#functions/yaml-value.ts';
import type { Json } from '#model/json.ts';
import { applicationFile } from '#releases/application/application-file.ts';

const lambda = z.strictObject({ function: z.string(), alias: z.string() });
const schema = applicationFile({ analysis: z.json() as z.ZodType<Json>, drivers: { 'lambda-alias': lambda } });
const read = (text: string) => readYamlValue('applications/shop.yaml', text, schema);
const head = 'application: shop\nrepository: acme/shop\n';

function one(environment: string) {
  const { value, problems } = read(`${head}environments:\n  - { name: production, ${environment} }\n`);
  expect(problems).toEqual([]);
  return value?.environments[0];
}

describe('strategies come to steps', () => {
  it.each([
    ['nothing said', 'deadline: 1h', ['100 0']],
    ['AllAtOnce', 'strategy: { canary: AllAtOnce }', ['100 0']],
    ['a canary of CodeDeploy', 'strategy: { canary: Canary10Percent15Minutes }', ['10 15', '100 0']],
    ["CodeDeploy's whole name", 'strategy: { canary: CodeDeployDefault.LambdaCanary10Percent5Minutes }', ['10 5', '100 0']],
    [
      'a linear one',
      'strategy: { canary: Linear10PercentEvery3Minutes }',
      ['10 3', '20 3', '30 3', '40 3', '50 3', '60 3', '70 3', '80 3', '90 3', '100 0'],
    ],
    [
      'a linear one that does not divide',
      'strategy: { canary: CodeDeployDefault.ECSLinear30PercentEvery1Minutes }',
      ['30 1', '60 1', '90 1', '100 0'],
    ],
    ['own steps', 'strategy: { canary: { steps: [{ weight: 5, pause: 10m }, { weight: 50 }] } }', ['5 10', '50 0', '100 0']],
    ['own steps up to all', 'strategy: { canary: { steps: [{ weight: 5 }, { weight: 100, pause: 1h }] } }', ['5 0', '100 60']],
    ['blue and green', 'strategy: { blueGreen: { warm: 5m, bake: 30m, keep: 1d } }', ['0 5', '100 30']],
    ['batches', 'strategy: { rolling: { batches: 4, pause: 2m } }', ['25 2', '50 2', '75 2', '100 2']],
    ['batches by what may be missing and surge', 'strategy: { rolling: { maxUnavailable: 20, surge: 20 } }', ['33 0', '66 0', '100 0']],
    ['a flag', 'strategy: { flag: { steps: [{ percentage: 1, pause: 1h }, { percentage: 25 }] } }', ['1 60', '25 0', '100 0']],
  ])('%s', (_, text, steps) => {
    expect(one(text)?.plan.steps.map(({ weight, pauseMs }) => `${weight} ${pauseMs / MINUTE_MS}`)).toEqual(steps);
  });
});

describe('a pipeline comes to gates', () => {
  const { value, problems } = read(`${head}
pipeline:
  - { stage: build, checks: [build] }
  - { stage: test, checks: [unit, integration] }
  - { stage: package, needs: [digest, sbom] }
  - { stage: deploy, environment: staging }
  - { stage: verify, environment: staging, checks: [smoke, performance] }
  - { stage: deploy, environment: production }
environments:
  - { name: development }
  - { name: staging, requires: [] }
  - { name: production, gates: { start: [{ approval: { by: [ann] } }], promotion: [{ sloBudget: { slo: shop-availability, atLeast: 20 } }] } }
`);
  const gatesOf = (i: number, when: 'before' | 'after') =>
    value?.environments[i]?.plan.steps.at(when === 'before' ? 0 : -1)?.[when].map(({ name }) => name);

  it('of the stages before each deploy', () => {
    expect(problems).toEqual([]);
    expect(gatesOf(0, 'before')).toEqual([]);
    expect(gatesOf(1, 'before')).toEqual(['checks build, unit, integration', 'artifact digest, sbom']);
    expect(gatesOf(2, 'before')).toEqual(['promoted in staging', 'checks build, unit, integration', 'artifact digest, sbom', 'approval']);
  });

  it('and of the verification after it', () => {
    expect(gatesOf(1, 'after')).toEqual(['checks smoke, performance']);
    expect(gatesOf(2, 'after')).toEqual(['error budget of shop-availability']);
  });

  it('each with a key of its own', () => {
    const keys = value?.environments.flatMap(({ plan }) =>
      plan.steps.flatMap(({ before, after }) => [...before, ...after].map(({ key }) => key)),
    );
    expect(keys).toEqual(['0/before/0', '0/before/1', '0/after/0', '0/before/0', '0/before/1', '0/before/2', '0/before/3', '0/after/0']);
  });
});

it('an environment follows the one before it, unless it says otherwise', () => {
  const { value } = read(`${head}environments: [{ name: a }, { name: b }, { name: c, requires: [a] }, { name: d, requires: [] }]`);
  expect(value?.environments.map(({ requires }) => requires)).toEqual([[], ['a'], ['a'], []]);
});

describe('what is wrong is said at its place', () => {
  it.each([
    ['an unknown field', 'owner: me', '3:1: owner: is not a field here'],
    [
      'a canary of a name that is none',
      'environments: [{ name: a, strategy: { canary: Canary10Percent } }]',
      'strategy.canary: must be one of CodeDeploy',
    ],
    [
      'weights that go back',
      'environments: [{ name: a, strategy: { canary: { steps: [{ weight: 50 }, { weight: 5 }] } } }]',
      'is less than the step before it: 5 after 50',
    ],
    [
      'two strategies',
      'environments: [{ name: a, strategy: { canary: AllAtOnce, rolling: {} } }]',
      'takes exactly one of canary, blueGreen, rolling, flag',
    ],
    [
      'batches too large',
      'environments: [{ name: a, strategy: { rolling: { batches: 2, maxUnavailable: 10 } } }]',
      'a batch of 50 % is more than maxUnavailable and surge allow (10 %); at least 10 batches',
    ],
    [
      'a gate of two kinds',
      'environments: [{ name: a, gates: { start: [{ approval: {}, checks: [x] }] } }]',
      'takes exactly one of analysis, checks',
    ],
    ['a gate of no kind', 'environments: [{ name: a, gates: { start: [{ otherwise: wait }] } }]', 'got none'],
    [
      'an analysis that there is not',
      'environments: [{ name: a, gates: { step: [{ analysis: x }] } }]',
      'environments[0].gates.step[0].analysis: is no analysis of this file; there are: none is defined',
    ],
    [
      'one in a step',
      'environments: [{ name: a, strategy: { canary: { steps: [{ weight: 1, after: [{ analysis: x }] }] } } }]',
      'strategy.canary.steps[0].after[0].analysis: is no analysis',
    ],
    ['one in the background', 'environments: [{ name: a, background: [x] }]', 'background[0]: is no analysis'],
    ['a freeze that there is not', 'environments: [{ name: a, gates: { start: [{ freeze: [xmas] }] } }]', 'is no freeze of this file'],
    [
      'a freeze of both forms',
      'freezes: { a: { weekdays: [friday], from: 2026-12-20T00:00:00Z } }\nenvironments: [{ name: a }]',
      '3:15: freezes.a: takes either from and until, or weekdays',
    ],
    [
      'a freeze that ends before it begins',
      'freezes: { a: { from: 2026-12-20T00:00:00Z, until: 2026-12-01T00:00:00Z } }\nenvironments: [{ name: a }]',
      'the later one after the earlier',
    ],
    [
      'a time zone that is none',
      'freezes: { a: { weekdays: [friday], timeZone: Mars/Olympus } }\nenvironments: [{ name: a }]',
      'is no time zone',
    ],
    ['two environments of one name', 'environments: [{ name: a }, { name: a }]', 'environments[1].name: is the name of two environments'],
    ['requires that are not before it', 'environments: [{ name: a, requires: [b] }, { name: b }]', 'is no environment before a'],
    [
      'a stage without its environment',
      'pipeline: [{ stage: deploy }]\nenvironments: [{ name: a }]',
      'pipeline[0].environment: is missing; deploy names an environment',
    ],
    [
      'a stage of an environment that there is not',
      'pipeline: [{ stage: deploy, environment: b }]\nenvironments: [{ name: a }]',
      'pipeline[0].environment: is no environment of this file',
    ],
    [
      'a driver that there is not',
      'environments: [{ name: a, driver: { type: ftp } }]',
      'environments[0].driver.type: is no driver here; accepted: lambda-alias',
    ],
    [
      'settings that the driver does not take',
      'environments: [{ name: a, driver: { type: lambda-alias, function: f } }]',
      'environments[0].driver.alias: is missing',
    ],
    [
      'a webhook that is no URL',
      "environments: [{ name: a, gates: { start: [{ webhook: { url: 'ftp://x' } }] } }]",
      'must be a URL of http or https',
    ],
    ['a repository that is a number', 'repository: 5', 'Map keys must be unique'],
  ])('%s', (_, text, expected) => {
    const { value, problems } = read(head + text);
    expect(value).toBeUndefined();
    expect(problems.join('\n')).toContain(expected);
    for (const problem of problems) expect(problem).toMatch(/^applications\/shop\.yaml:\d+:\d+: /);
  });
});

it('what docs/releases/releases.md shows is taken', async () => {
  const page = await readFile('docs/releases/releases.md', 'utf8');
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { value, problems } = read(text);
  expect(problems).toEqual([]);
  expect(value?.environments.map(({ name, plan }) => `${name} ${plan.steps.map(({ weight }) => weight).join(' ')}`)).toEqual([
    'staging 100',
    'production 5 50 100',
  ]);
});

describe('gates of analyses', () => {
  const text = (interval: string, metric: string, environment: string) =>
    `${head}analyses:\n  health: { interval: ${interval}, metrics: [{ name: errors, kind: mean, query: up, ${metric} }] }\nenvironments:\n  - { name: production, ${environment} }\n`;
  const compile = (...parts: [string, string, string]) => readYamlValue('applications/shop.yaml', text(...parts), applicationFile(PARTS));

  it.each([
    ['their own', '{ analysis: health }', 5_000],
    ["the gate's", '{ analysis: health, interval: 20s }', 20_000],
  ])('look at the interval that is %s', (_, gate, intervalMs) => {
    const { value, problems } = compile('5s', '', `strategy: { canary: { steps: [{ weight: 10, after: [${gate}] }] } }`);
    expect(problems).toEqual([]);
    expect(value?.environments[0]?.plan.steps[0]?.after).toMatchObject([{ kind: 'analysis', intervalMs }]);
  });

  it('of the background too', () => {
    const { value } = compile('7s', 'baseline: previous', 'background: [health]');
    expect(value?.environments[0]?.plan.background).toMatchObject([{ intervalMs: 7_000 }]);
  });

  it.each([
    ['after every step', 'gates: { step: [{ analysis: health }] }', [1, 0]],
    ['in the background', 'background: [health]', [0, 0]],
  ])('that compare with the stable version are taken %s of a canary, and done where that has no traffic', (_, gates, after) => {
    const { value, problems } = compile('5s', '', `strategy: { canary: { steps: [{ weight: 10 }] } }, ${gates}`);
    expect(problems).toEqual([]);
    expect(value?.environments[0]?.plan.steps.map((step) => step.after.length)).toEqual(after);
  });

  it.each([
    ['after every step', 'gates: { step: [{ analysis: health }] }'],
    ['before the promotion', 'gates: { promotion: [{ analysis: health }] }'],
    ['in the background', 'background: [health]'],
    ['after baking', 'strategy: { blueGreen: { bake: 5m, afterBake: [{ analysis: health }] } }'],
  ])('that compare with a stable version that has no traffic are refused %s, and taken with another baseline', (_, environment) => {
    expect(compile('5s', '', environment).problems.join()).toContain('health compares with the stable version at the same time');
    expect(compile('5s', 'baseline: previous', environment).problems).toEqual([]);
    expect(compile('5s', 'dryRun: true', environment).problems.join()).toContain('dry runs');
  });
});
