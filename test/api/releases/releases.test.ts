import { describe, expect, it } from 'vitest';
import { openApiRoutes } from '#api/openapi.ts';
import { releaseGroups } from '#api/releases/groups.ts';
import type { ReleaseDomains } from '#api/releases/release-domains.ts';
import { MINUTE_MS } from '#core/time.ts';
import { COMMANDS } from '#releases/plan/command.ts';
import { createReleaseApp } from './release-app.ts';

const wanted = { application: 'shop', environment: 'production', version: 'v2', commit: 'c0ffee' };

describe('the API of releases', () => {
  it('starts a release, says where it stands, and walks it by commands', async () => {
    const { ask, advance, run, announced } = createReleaseApp();
    const { status, body } = await ask('POST', '/api/releases', { ...wanted, actor: 'ann' });
    expect([status, body.state, body.sentence]).toEqual([201, 'queued', 'waits for its turn in production']);
    expect(announced).toEqual([`default/${body.id}`]);
    await advance();
    const path = `/api/releases/${body.id}`;
    const held = (await ask('GET', path)).body;
    expect(held).toMatchObject({
      state: 'progressing',
      position: 'holding',
      step: 1,
      steps: 2,
      weight: 10,
      stable: 'v1',
      driver: 'memory',
      strategy: 'canary',
    });
    expect(held.sentence).toBe('step 1 of 2, canary 10 %: holding; held 0 of 300 s; approval shut: 0 of 1 approvals');
    expect(held.plan.map((step) => step.state)).toEqual(['current', 'to come']);
    expect(held.gates).toMatchObject([
      { name: 'approval', state: 'shut', sentence: '0 of 1 approvals' },
      { name: 'alerts of the service', state: 'open', sentence: 'none fires' },
    ]);
    await run(6 * MINUTE_MS);
    const approved = await ask('POST', `${path}/approve`, { actor: 'ann', why: 'looks fine', step: 1 });
    expect([approved.status, approved.body.approvals]).toEqual([200, [{ gate: '0/after/0', by: 'ann', at: '2026-11-25T12:06:00.000Z' }]]);
    await advance();
    expect((await ask('GET', path)).body).toMatchObject({ state: 'promoted', weight: 100, outcome: 'v2 has all traffic of production' });
    const { history } = (await ask('GET', `${path}/history`)).body;
    expect(history.map((entry) => entry.number)).toEqual(history.map((_, i) => i + 1));
    expect(history[0]).toMatchObject({ kind: 'requested', sentence: expect.stringContaining('ann asked for shop v2 in production') });
    const { environments } = (await ask('GET', '/api/applications/shop')).body;
    expect(environments[0]).toMatchObject({ name: 'production', promoted: { version: 'v2' } });
  });

  it('lists releases, the newest first, by what is asked for, a page at a time', async () => {
    const { ask, advance, passMs } = createReleaseApp();
    for (const version of ['v2', 'v3', 'v4']) {
      await ask('POST', '/api/releases', { ...wanted, version });
      passMs(1_000);
    }
    await advance();
    const versions = async (query: string) => {
      const { body } = await ask('GET', `/api/releases${query}`);
      return { next: body.next, releases: body.releases.map(({ version, state }) => `${version} ${state}`) };
    };
    expect((await versions('')).releases).toEqual(['v4 queued', 'v3 cancelled', 'v2 progressing']);
    expect((await versions('?state=cancelled')).releases).toEqual(['v3 cancelled']);
    expect((await versions('?environment=moon')).releases).toEqual([]);
    const { releases, next } = await versions('?limit=2');
    expect(releases).toEqual(['v4 queued', 'v3 cancelled']);
    expect(await versions(`?limit=2&after=${next}`)).toEqual({ releases: ['v2 progressing'] });
  });

  it('starts one release for one key, whichever way it comes', async () => {
    const { ask } = createReleaseApp();
    const first = await ask('POST', '/api/releases', { ...wanted, delivery: 'build-7' });
    const second = await ask('POST', '/api/releases', wanted, 'all', { 'idempotency-key': 'build-7' });
    expect([second.status, second.body.id]).toEqual([200, first.body.id]);
    const tooLong = await ask('POST', '/api/releases', wanted, 'all', { 'idempotency-key': 'k'.repeat(201) });
    expect([tooLong.status, tooLong.body.error.message]).toEqual([400, 'Idempotency-Key: takes 1 to 200 characters']);
  });

  it.each([
    ['no JSON', 'POST', '/api/releases', '{', 400, 'the body is no JSON'],
    ['no application', 'POST', '/api/releases', { ...wanted, application: 'x' }, 404, 'there is no application "x"'],
    ['no environment', 'POST', '/api/releases', { ...wanted, environment: 'x' }, 404, 'shop has no environment "x"'],
    ['no version', 'POST', '/api/releases', { application: 'shop', environment: 'production' }, 400, 'version: '],
    ['an unknown field', 'POST', '/api/releases', { ...wanted, force: true }, 400, 'force'],
    ['a link that is none', 'POST', '/api/releases', { ...wanted, sbomUrl: 'javascript:alert(1)' }, 400, 'sbomUrl: '],
    ['a version too long', 'POST', '/api/releases', { ...wanted, version: 'v'.repeat(201) }, 400, 'version: '],
    ['no release', 'GET', '/api/releases/nope', undefined, 404, 'there is no release "nope"'],
    ['no release to command', 'POST', '/api/releases/nope/abort', undefined, 404, 'there is no release "nope"'],
    ['no such state', 'GET', '/api/releases?state=happy', undefined, 400, 'state: takes one of'],
    ['a limit that is none', 'GET', '/api/releases?limit=0', undefined, 400, 'limit: '],
    ['a page that is none', 'GET', '/api/releases?after=%00', undefined, 400, 'after: '],
    ['no application of that name', 'GET', '/api/applications/x', undefined, 404, 'there is no application "x"'],
  ])('refuses %s', async (_, method, path, body, status, message) => {
    const { ask } = createReleaseApp();
    const answer = await ask(method, path, body);
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(message)]);
  });

  it('refuses what cannot be obeyed, and says why', async () => {
    const { ask, advance } = createReleaseApp();
    const { body } = await ask('POST', '/api/releases', wanted);
    await advance();
    const path = `/api/releases/${body.id}`;
    expect((await ask('POST', `${path}/promote`, { step: 2 })).body.error).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('is at step 1 by now, not at 2'),
    });
    expect((await ask('POST', `${path}/retry`)).status).toBe(409);
    expect((await ask('POST', `${path}/approve`, { step: 0 })).status).toBe(400);
  });

  it('lets only admins change anything, and shows no tenant another\u2019s', async () => {
    const { ask } = createReleaseApp();
    const { body } = await ask('POST', '/api/releases', wanted);
    expect((await ask('GET', '/api/releases', undefined, 'query')).body.releases).toHaveLength(1);
    expect((await ask('POST', '/api/releases', wanted, 'query')).status).toBe(403);
    for (const command of COMMANDS) expect((await ask('POST', `/api/releases/${body.id}/${command}`, undefined, 'query')).status).toBe(403);
    expect((await ask('GET', '/api/releases', undefined, 'b')).body.releases).toEqual([]);
    expect((await ask('GET', '/api/applications', undefined, 'b')).body.applications).toEqual([]);
    expect((await ask('GET', `/api/releases/${body.id}`, undefined, 'b')).status).toBe(404);
    expect((await ask('POST', `/api/releases/${body.id}/abort`, undefined, 'b')).status).toBe(404);
  });

  it('is documented, with its scopes', async () => {
    const { paths } = (await (await openApiRoutes().request('/api/openapi.json')).json()) as {
      paths: Record<string, Record<string, { 'x-scope'?: string }>>;
    };
    const there = releaseGroups({} as ReleaseDomains).flatMap(({ scope, routes }) =>
      routes.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')} ${scope}`),
    );
    const documented = Object.entries(paths)
      .filter(([path]) => /^\/api\/(releases|applications)/.test(path))
      .flatMap(([path, methods]) => Object.entries(methods).map(([method, each]) => `${method.toUpperCase()} ${path} ${each['x-scope']}`));
    expect(documented.sort()).toEqual(there.sort());
  });
});
