import { describe, expect, it } from 'vitest';
import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { configurationGroups } from '#api/configurations/groups.ts';
import { createApi } from '#api/create-api.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

const PATH = '/api/configurations/shop';
const PRODUCTION = `${PATH}/environments/production`;

function createApp() {
  const table = createMemoryTable();
  const now = () => Date.parse('2026-11-27T12:00:00Z');
  const grant = (token: string, tenant: string, ...scopes: Scope[]) => ({ token, tenant, scopes: new Set(scopes) });
  const authenticate = authenticateByTokens([
    grant('admin-a', 'a', 'admin', 'query', 'ingest'),
    grant('query-a', 'a', 'query'),
    grant('all-b', 'b', 'admin', 'query', 'ingest'),
  ]);
  let published = 0;
  const publish = async () => ++published;
  const report = (error: unknown) => {
    throw error;
  };
  const app = createApi({ authenticate, newId: () => 'id', now, observe() {}, report }, configurationGroups({ table, now, publish }));
  const call = async (method: string, path: string, body?: unknown, token = 'admin-a') => {
    const init = { method, headers: { authorization: `Bearer ${token}` }, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await app.request(path, init);
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { call, published: () => published };
}

const write = (env: Record<string, unknown>, expected = 0) => ({ document: { env }, expected, message: 'first', by: 'ann' });

const longNames = () => Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`${i}/${'x'.repeat(490)}`, 'set']));

describe('the API of configurations', () => {
  it('goes from a layer that is written to drift that is told, and back', async () => {
    const { call, published } = createApp();
    expect((await call('PUT', `${PATH}/layers/base`, write({ PORT: '80' }))).body).toMatchObject({ version: 1, isBase: true });
    await call('PUT', `${PATH}/layers/production`, write({ KEY: { secret: 'ssm:/shop/key' } }));
    expect((await call('GET', `${PRODUCTION}/plan`)).body).toMatchObject({
      pin: { base: 1, environment: 1 },
      changes: [{ name: 'KEY' }, { name: 'PORT', change: 'added', to: '80' }],
      problems: [],
    });
    expect((await call('POST', `${PRODUCTION}/activate`, { expectedRevision: 0, by: 'ann' })).body).toMatchObject({ revision: 1 });
    expect(published()).toBe(1);
    expect((await call('GET', PRODUCTION)).body).toMatchObject({
      active: { revision: 1 },
      env: { PORT: { value: '80', layer: 'base' }, KEY: { value: { secret: 'ssm:/shop/key' }, layer: 'production' } },
    });
    expect((await call('POST', `${PRODUCTION}/observed`, { instance: 'i-1', env: { KEY: 'set' } })).status).toBe(204);
    expect((await call('GET', `${PRODUCTION}/drift`)).body).toMatchObject({
      drifted: 1,
      instances: [{ drifts: [{ name: 'PORT', drift: 'missing' }] }],
    });
    expect((await call('POST', `${PRODUCTION}/rollback`, { expectedRevision: 1 })).body).toMatchObject({ revision: 2, base: 0 });
    expect((await call('GET', `${PRODUCTION}/revisions`)).body.revisions).toHaveLength(2);
    expect((await call('GET', `${PATH}/layers/base/diff?from=0&to=1`)).body.changes).toMatchObject([{ name: 'PORT', change: 'added' }]);
  });

  it.each([
    ['the value of a secret', 'PUT', `${PATH}/layers/base`, write({ PASSWORD: 'x' }), 400],
    ['a version that was not seen', 'PUT', `${PATH}/layers/base`, write({ A: '1' }, 7), 409],
    ['a name of a variable that is none', 'PUT', `${PATH}/layers/base`, write({ '1A': '1' }), 400],
    ['a path of a file that leads out', 'PUT', `${PATH}/layers/base`, { document: { files: { '../x': 'y' } }, expected: 0 }, 400],
    ['__proto__', 'PUT', `${PATH}/layers/base`, JSON.parse('{"document":{"env":{"__proto__":"x"}},"expected":0}'), 400],
    ['an unknown field', 'PUT', `${PATH}/layers/base`, { ...write({}), more: 1 }, 400],
    ['a name of an application that is none', 'GET', '/api/configurations/%2e%2e%2fx/layers', undefined, 400],
    ['a version that is none', 'GET', `${PATH}/layers/base?version=x`, undefined, 400],
    ['a version that is not there', 'GET', `${PATH}/layers/base?version=9`, undefined, 404],
    ['a revision that is not the last', 'POST', `${PRODUCTION}/activate`, { expectedRevision: 3, base: 0 }, 409],
    ['what is observed and no hash', 'POST', `${PRODUCTION}/observed`, { instance: 'i', env: { A: 'plain' } }, 400],
    ['more than an item of the table holds', 'POST', `${PRODUCTION}/observed`, { instance: 'i', files: longNames() }, 413],
  ])('refuses %s', async (_, method, path, body, status) => {
    const answer = await createApp().call(method, path, body);
    expect([answer.status, typeof answer.body.error.message]).toEqual([status, 'string']);
  });

  it('keeps tenants apart and changes under admin alone', async () => {
    const { call } = createApp();
    await call('PUT', `${PATH}/layers/base`, write({ A: '1' }));
    expect((await call('GET', `${PATH}/layers`, undefined, 'all-b')).body).toEqual({ layers: {} });
    expect((await call('PUT', `${PATH}/layers/base`, write({ A: '2' }, 1), 'query-a')).status).toBe(403);
    expect((await call('POST', `${PRODUCTION}/activate`, { expectedRevision: 0 }, 'query-a')).status).toBe(403);
  });
});
