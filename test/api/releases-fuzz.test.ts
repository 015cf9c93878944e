import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import { configurationOperations } from '#api/configurations/operations.ts';
import { flagOperations } from '#api/flags/operations.ts';
import { kubernetesOperations } from '#api/kubernetes/operations.ts';
import type { Operation } from '#api/operation.ts';
import { releaseOperations } from '#api/releases/operations.ts';
import { webhookOperations } from '#api/webhooks/operations.ts';
import { createWholeApi, NOW, type WholeApi } from './whole-api.ts';

// Whatever is in paths, parameters and bodies of releases, flags, configurations and hooks: it is taken or refused, and never a defect.

const SECRET = 'a secret of the fuzz test';
const SHOP = `
application: shop
repository: acme/shop
analyses: { golden: { looks: 5, metrics: [{ name: errors, kind: threshold, query: 'up{job="{{canary}}"}', success: { below: 1 } }] } }
environments:
  - name: production
    gates: { start: [{ approval: {} }, { checks: [unit] }], step: [{ analysis: golden }] }
  - { name: late, strategy: { canary: Linear10PercentEvery1Minute } }
`;
const FLAGS = JSON.stringify({ flags: { banner: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } } });

let api: WholeApi;
let release: string;
beforeAll(async () => {
  for (const name of ['QUARTERDECK_CI_SECRET', 'QUARTERDECK_GITHUB_SECRET', 'QUARTERDECK_GITLAB_TOKEN']) vi.stubEnv(name, SECRET);
  api = await createWholeApi({ config: { 'applications/shop.yaml': SHOP, 'flags/site.json': FLAGS } });
  const { text } = await api.ask('/api/releases', {
    body: JSON.stringify({ application: 'shop', environment: 'production', version: 'v0' }),
  });
  release = (JSON.parse(text) as { id: string }).id;
});

const operations: readonly Operation[] = [
  ...releaseOperations,
  ...flagOperations,
  ...configurationOperations,
  ...kubernetesOperations,
  ...webhookOperations,
];

const NAMES = [
  'shop',
  'production',
  'late',
  'base',
  'banner',
  'golden',
  'v1',
  'unit',
  'acme/shop',
  '__proto__',
  'constructor',
  'toString',
  'a/b',
  'a#b',
  '..',
  '%',
  '',
];
const word = fc.oneof(
  { arbitrary: fc.constantFrom(...NAMES), weight: 4 },
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('x'.repeat(1_500), '\ud800', '\u0000', '-1', '1e999'),
);
const FIELDS = [
  ...[
    'application',
    'environment',
    'version',
    'commit',
    'ref',
    'artifactDigest',
    'sbomUrl',
    'delivery',
    'actor',
    'why',
    'step',
    'by',
    'reason',
  ],
  ...[
    'percentage',
    'steps',
    'variant',
    'state',
    'variants',
    'defaultVariant',
    'targeting',
    'rollout',
    'context',
    'targetingKey',
    'flags',
    'features',
  ],
  ...[
    'document',
    'expected',
    'expectedRevision',
    'message',
    'base',
    'revision',
    'instance',
    'env',
    'files',
    'expect',
    'functions',
    'secret',
  ],
  ...['name', 'namespace', 'phase', 'checksum', 'metadata', 'analysis', 'window', 'variables', 'run', 'interval', 'inconclusive'],
  ...[
    'kind',
    'repository',
    'check',
    'occurredAt',
    'full_name',
    'deployment',
    'deployment_callback_url',
    'action',
    'id',
    'sha',
    'object_kind',
  ],
  ...['__proto__', 'constructor', 'if', 'var', 'fractional', 'on', 'off'],
];
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(word, fc.integer(), fc.double(), fc.constantFrom(null, true, false, NOW, 'ENABLED', '2026-11-23T12:00:00Z', '1m')),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...FIELDS), tie('json')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

/** What is right for a path, from which other bodies are made by putting something else in the place of a field. */
const GOOD: readonly (readonly [RegExp, Record<string, unknown>])[] = [
  [
    /^\/api\/releases$/,
    { application: 'shop', environment: 'production', version: 'v1', commit: 'c0ffee', ref: 'main', delivery: 'd', actor: 'ann' },
  ],
  [/^\/api\/releases\//, { actor: 'ann', why: 'so', step: 1 }],
  [
    /flags\/\{key\}$/,
    { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting: { if: [{ '==': [{ var: 'a' }, 1] }, 'on'] } },
  ],
  [/rollout$|kill$/, { percentage: 50, steps: [{ from: '2026-11-23T12:00:00Z', percentage: 60 }], variant: 'on', by: 'ann', reason: '' }],
  [/^\/ofrep/, { context: { targetingKey: 'u', a: 1 } }],
  [/import$/, { flags: { other: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' } } }],
  [
    /import$/,
    {
      version: 2,
      features: [{ name: 'f', enabled: true, strategies: [{ name: 'flexibleRollout', parameters: { rollout: '50' }, constraints: [] }] }],
    },
  ],
  [
    /layers/,
    {
      document: { env: { A: '1', S: { secret: 'ssm:/a' } }, files: { 'a/b': 'x' }, expect: { A: { type: 'number' } } },
      expected: 0,
      message: 'm',
      by: 'b',
    },
  ],
  [/activate$/, { base: 1, environment: 0, expectedRevision: 0, message: '', by: '' }],
  [/rollback$/, { revision: 0, expectedRevision: 1 }],
  [/observed$/, { instance: 'i-1', env: { A: 'set' }, files: {} }],
  [
    /flagger/,
    {
      name: 'shop',
      namespace: 'prod',
      phase: 'Succeeded',
      checksum: 'c1',
      metadata: { application: 'shop', environment: 'late', analysis: 'golden', canary: 'x' },
    },
  ],
  [/argo/, { application: 'shop', analysis: 'golden', window: '5m', variables: { canary: 'c' }, run: 'r1', interval: '1m' }],
  [/ci$/, { kind: 'release-requested', repository: 'acme/shop', commit: 'c0ffee', environment: 'production', version: 'v2' }],
  [/ci$/, { kind: 'check-reported', repository: 'acme/shop', commit: 'c0ffee', check: { name: 'unit', kind: 'build', state: 'success' } }],
  [/ci$/, { kind: 'approved', repository: 'acme/shop', commit: 'c0ffee', actor: 'ann', occurredAt: '2026-11-23T12:00:00Z' }],
  [
    /github$/,
    { ref: 'refs/heads/main', after: 'c0ffee', pusher: { name: 'ann' }, repository: { full_name: 'acme/shop' }, head_commit: null },
  ],
  [/gitlab$/, { object_kind: 'push', ref: 'refs/heads/main', after: 'c0ffee', project: { id: 1, path_with_namespace: 'acme/shop' } }],
];
const changes = fc.array(fc.tuple(fc.nat(), json), { maxLength: 2 });
const mutated = (path: string) =>
  fc.tuple(fc.constantFrom(...bodiesFor(path)), changes).map(([good, changed]) => {
    const at = (index: number) => Object.keys(good)[index % Object.keys(good).length] as string;
    return JSON.stringify(Object.assign({ ...good }, ...changed.map(([index, value]) => ({ [at(index)]: value }))));
  });

function bodiesFor(path: string): readonly Record<string, unknown>[] {
  const fitting = GOOD.filter(([pattern]) => pattern.test(path));
  return (fitting.length > 0 ? fitting : GOOD).map(([, good]) => good);
}

const bodyFor = (path: string) =>
  fc.oneof(
    { arbitrary: mutated(path), weight: 4 },
    json.map((value) => JSON.stringify(value) ?? ''),
    fc.constantFrom('', '[', '{"a":', '['.repeat(30_000), '{"__proto__":{"a":1}}', `{"a":${'9'.repeat(400)}}`),
  );

function sign(path: string, text: string, delivery: string): Record<string, string> {
  const hmac = (signed: string) => `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`;
  const seconds = String(NOW / 1_000);
  if (path === '/webhooks/ci')
    return {
      'x-quarterdeck-signature': hmac(`${seconds}.${text}`),
      'x-quarterdeck-timestamp': seconds,
      'x-quarterdeck-delivery': delivery,
    };
  if (path === '/webhooks/github') return { 'x-hub-signature-256': hmac(text), 'x-github-delivery': delivery, 'x-github-event': 'push' };
  return path === '/webhooks/gitlab' ? { 'x-gitlab-token': SECRET, 'idempotency-key': delivery } : {};
}

/** What stands in a path where it is right; `{id}` is that of a release that is under way. */
const RIGHT: Readonly<Record<string, string>> = {
  application: 'shop',
  name: 'shop',
  environment: 'production',
  layer: 'base',
  key: 'banner',
};

const request = fc.constantFrom(...operations).chain((operation) =>
  fc.record({
    operation: fc.constant(operation),
    names: fc.array(fc.option(word, { freq: 2 }), { minLength: 3, maxLength: 3 }),
    values: fc.array(fc.option(word, { freq: 2 }), { maxLength: 5 }),
    text: bodyFor(operation.path),
    match: fc.option(fc.constantFrom('*', '1', '"0"', 'x')),
  }),
);

it('nothing that a client sends is a defect, or a failure of the server', async () => {
  let deliveries = 0;
  await fc.assert(
    fc.asyncProperty(request, async ({ operation, names, values, text, match }) => {
      const { method, path: form, parameters = [] } = operation;
      const fill = (path: string, name: string | null) =>
        path.replace(/\{([a-z]+)\}/, (_, field: string) => encodeURIComponent((name ?? RIGHT[field] ?? release).toWellFormed()));
      const query = new URLSearchParams(
        values.flatMap((value, i): [string, string][] =>
          value === null || parameters[i] === undefined ? [] : [[parameters[i].replace('!', ''), value]],
        ),
      );
      const headers = { ...sign(form, text, `d${deliveries++}`), ...(match && { 'if-match': match }) };
      const sent = method === 'get' ? {} : { body: text };
      const { status, text: said } = await api.ask(`${names.reduce(fill, form)}?${query}`, {
        method: method.toUpperCase(),
        headers,
        ...sent,
      });
      expect([status, said.slice(0, 300)]).toEqual([
        expect.toSatisfy((each: number) => each < 500),
        expect.not.stringMatching(/node_modules|\.ts:\d/),
      ]);
    }),
    { numRuns: 4_000 },
  );
  await api.settle();
  expect(api.defects).toEqual([]);
}, 120_000);
