import { beforeAll, describe, expect, it } from 'vitest';
import { configurationOperations } from '#api/configurations/operations.ts';
import { flagOperations } from '#api/flags/operations.ts';
import { kubernetesOperations } from '#api/kubernetes/operations.ts';
import type { Operation } from '#api/operation.ts';
import { releaseOperations } from '#api/releases/operations.ts';
import type { MemoryTable } from '#ports/memory/memory-table.ts';
import { createWholeApi, type WholeApi } from './whole-api.ts';

/** Only tenant a has it: in a version, a flag, a configuration and a rollout. */
const SECRET = 'sesame';
const SHOP = `
application: shop
repository: acme/shop
analyses: { golden: { metrics: [{ name: errors, kind: threshold, query: 'up{job="{{canary}}"}', success: { below: 1 } }] } }
environments: [{ name: production, gates: { start: [{ approval: {} }] } }]
`;
const operations: readonly Operation[] = [...releaseOperations, ...flagOperations, ...configurationOperations, ...kubernetesOperations];
const scopes = ['ingest', 'query', 'admin'] as const;

let api: WholeApi;
let release: string;
const items = () =>
  (api.deps.table as MemoryTable)
    .items()
    .map((item) => JSON.stringify(item))
    .filter((text) => text.includes(SECRET))
    .sort();
const json = async (method: string, path: string, body: unknown, token: string) => {
  const told = await api.ask(path, { method, token, body: JSON.stringify(body) });
  expect([path, told.status, told.text]).toEqual([path, expect.toSatisfy((status: number) => status < 300), expect.any(String)]);
  return told.text;
};

beforeAll(async () => {
  const tokens = ['a', 'b'].flatMap((tenant) => [
    `all-of-${tenant}=${tenant}:ingest+query+admin`,
    ...scopes.map((scope) => `${scope}-of-${tenant}=${tenant}:${scope}`),
  ]);
  api = await createWholeApi({ config: { 'applications/a/shop.yaml': SHOP, 'applications/b/shop.yaml': SHOP }, tokens });
  const started = { application: 'shop', environment: 'production', version: SECRET };
  release = (JSON.parse(await json('POST', '/api/releases', started, 'all-of-a')) as { id: string }).id;
  const flag = { state: 'ENABLED', variants: { [SECRET]: true, off: false }, defaultVariant: 'off' };
  await json('PUT', '/api/flags/banner', flag, 'all-of-a');
  await json('PUT', '/api/configurations/shop/layers/base', { document: { env: { A: SECRET } }, expected: 0 }, 'all-of-a');
  await json('POST', '/api/configurations/shop/environments/production/activate', { expectedRevision: 0 }, 'all-of-a');
  const rollout = {
    name: SECRET,
    namespace: 'prod',
    checksum: 'c1',
    phase: 'Succeeded',
    metadata: { application: 'shop', analysis: 'golden' },
  };
  await json('POST', '/webhooks/flagger/rollout', rollout, 'all-of-a');
  await api.settle();
});

const RIGHT: Readonly<Record<string, string>> = {
  application: 'shop',
  name: 'shop',
  environment: 'production',
  layer: 'base',
  key: 'banner',
};
const pathOf = ({ path }: Operation) => path.replace(/\{([a-z]+)\}/g, (_, field: string) => RIGHT[field] ?? release);
const named = operations.map((operation) => [`${operation.method.toUpperCase()} ${operation.path}`, operation] as const);
const bodies = [
  {},
  { percentage: 50, by: 'b' },
  { expectedRevision: 1 },
  { expectedRevision: 0 },
  { instance: 'i', env: {} },
  { document: {}, expected: 1 },
];

describe.each(named)('%s', (_, operation) => {
  const send = async (token: string | undefined, headers: Record<string, string> = {}, body: unknown = {}) => {
    const sent = operation.method === 'get' ? {} : { body: JSON.stringify(body) };
    return api.ask(pathOf(operation), {
      method: operation.method.toUpperCase(),
      headers: { 'if-match': '*', ...headers },
      ...(token && { token }),
      ...sent,
    });
  };

  it('takes a token, of the scope that it names, and of the tenant that is asked for', async () => {
    expect((await send(undefined)).status).toBe(401);
    for (const scope of scopes.filter((each) => each !== operation.scope))
      expect([scope, (await send(`${scope}-of-b`)).status]).toEqual([scope, 403]);
    expect((await send('all-of-b', { 'x-scope-orgid': 'a' })).status).toBe(403);
  });

  it('neither shows nor changes anything of another tenant', async () => {
    const before = items();
    expect(before.length).toBeGreaterThan(4);
    for (const body of bodies) expect((await send('all-of-b', {}, body)).text).not.toContain(SECRET);
    await api.settle();
    expect(items()).toEqual(before);
    expect(api.defects).toEqual([]);
  });
});
