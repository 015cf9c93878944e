import { describe, expect, it } from 'vitest';
import { flagGroups } from '#api/flags/groups.ts';
import { openApiRoutes } from '#api/openapi.ts';
import { FlagChanged } from '#model/flag-events.ts';
import { createFlagApp, NOW, onOff } from './flag-app.ts';

const rolled = (percentage: number) => ({ ...onOff, rollout: { variant: 'on', percentage } });
const value = async (app: ReturnType<typeof createFlagApp>, key: string, context: object = { targetingKey: 'ann' }) =>
  (await app.evaluate(key, context)).body.value;

describe('a flag written by API', () => {
  it('is made, read, changed with the version that was read, and deleted', async () => {
    const app = createFlagApp();
    const made = await app.ask('PUT', '/api/flags/banner?by=ann&reason=launch', onOff);
    expect([made.status, made.headers.get('etag'), made.body.flag]).toEqual([201, '"1"', onOff]);
    const read = await app.ask('GET', '/api/flags/banner');
    expect(read).toMatchObject({
      status: 200,
      body: { key: 'banner', source: 'api', version: 1, flag: onOff, updatedAt: new Date(NOW).toISOString() },
    });
    const changed = await app.ask('PUT', '/api/flags/banner?by=bob', rolled(100), { 'if-match': read.headers.get('etag') as string });
    expect([changed.status, changed.body.version, await value(app, 'banner')]).toEqual([200, 2, true]);
    expect((await app.ask('DELETE', '/api/flags/banner?by=bob', undefined, { 'if-match': '"2"' })).status).toBe(204);
    expect([(await app.ask('GET', '/api/flags/banner')).status, (await app.evaluate('banner')).status]).toEqual([404, 404]);
    expect(await app.ask('PUT', '/api/flags/banner', onOff)).toMatchObject({ status: 201, body: { version: 4 } });
    const { changes } = (await app.ask('GET', '/api/flags/banner/audit')).body;
    expect(changes).toMatchObject([
      { version: 4, action: 'created', by: 'unknown', before: null },
      { version: 3, action: 'deleted', by: 'bob', before: { definition: rolled(100) }, after: null },
      { version: 2, action: 'changed', by: 'bob', before: { definition: onOff }, after: { definition: rolled(100) } },
      { version: 1, action: 'created', by: 'ann', reason: 'launch', before: null, after: { definition: onOff } },
    ]);
    expect((await app.ask('GET', '/api/flags/banner/audit?limit=1&before=3')).body.changes).toMatchObject([{ version: 2 }]);
  });

  it('keeps the change of one of two writers, and tells the other', async () => {
    const app = createFlagApp();
    await app.put('banner', onOff);
    const both = await Promise.all(
      [10, 20].map((percentage) => app.ask('PUT', '/api/flags/banner', rolled(percentage), { 'if-match': '1' })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)?.body.error.message).toBe(
      'flag "banner" is at version 2, and version 1 was to be changed: somebody else has changed it',
    );
    expect((await app.ask('PUT', '/api/flags/banner', rolled(30))).status).toBe(409);
    expect((await app.ask('GET', '/api/flags/banner')).body.version).toBe(2);
  });

  it.each<[string, string, unknown, Record<string, string>, number, RegExp]>([
    ['what is no flag', 'x', {}, {}, 400, /^flag\.state/],
    ['a variant that is none', 'x', { ...onOff, defaultVariant: 'red' }, {}, 400, /^flag\.defaultVariant: "red" is no variant$/],
    ['targeting that is none', 'x', { ...onOff, targeting: { moon: [] } }, {}, 400, /"moon" is no operation/],
    ['no JSON', 'x', '{', {}, 400, /^the body is no JSON/],
    ['a version that is none', 'x', onOff, { 'if-match': 'abc' }, 400, /^If-Match takes the version/],
    ['a version of what is not there', 'x', onOff, { 'if-match': '"3"' }, 409, /is not there, and version 3/],
    ['a name of the API', 'stale', onOff, {}, 400, /cannot be called stale/],
    ['a name of objects', '__proto__', onOff, {}, 400, /cannot be used/],
    ['a name that is too long', 'x'.repeat(300), onOff, {}, 400, /takes 1 to 256 bytes/],
    ['a flag that is too large', 'x', { ...onOff, note: 'x'.repeat(140_000) }, {}, 413, /at most 131072/],
    ['a body that is too large', 'x', { ...onOff, note: 'x'.repeat(300_000) }, {}, 413, /larger than/],
    ['a name of a file', 'filed', onOff, { 'if-match': '*' }, 409, /"filed" is in flags\/shop\.json of the configuration/],
  ])('is refused for %s', async (_, key, body, headers, status, message) => {
    const told = await createFlagApp({ files: { filed: onOff } }).ask('PUT', `/api/flags/${key}`, body, headers);
    expect([told.status, told.body.error.message]).toEqual([status, expect.stringMatching(message)]);
  });

  it('tells of each change on the bus, from the transaction of the change', async () => {
    const app = createFlagApp();
    await app.put('banner', rolled(10));
    await app.ask('POST', '/api/flags/banner/rollout', { percentage: 25.5, by: 'ann', reason: 'more' });
    const events = (await app.stored.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)));
    expect(events.map(({ source, detailType }) => `${source} ${detailType}`)).toEqual(Array(2).fill('quarterdeck.flags Flag Changed'));
    const details = events.map(({ detail }) => FlagChanged.parse(detail)).sort((a, b) => a.version - b.version);
    expect(details).toMatchObject([
      { tenant: 'a', flag: 'banner', version: 1, action: 'created', toPercentage: 10 },
      { action: 'rollout', by: 'ann', reason: 'more', fromPercentage: 10, toPercentage: 25.5 },
    ]);
  });
});

describe('what one tenant has', () => {
  it('is neither told to another nor changed by one', async () => {
    const app = createFlagApp({ files: { filed: onOff } });
    await app.put('banner', onOff);
    for (const path of ['/api/flags/banner', '/api/flags/filed'])
      expect((await app.ask('GET', path, undefined, {}, 'all-b')).status).toBe(404);
    expect((await app.ask('GET', '/api/flags', undefined, {}, 'all-b')).body).toEqual({ version: 0, flags: [], problems: [] });
    expect((await app.ask('GET', '/api/flags/banner/audit', undefined, {}, 'all-b')).body).toEqual({ changes: [] });
    expect((await app.ask('POST', '/api/flags/filed/kill', {}, {}, 'all-b')).status).toBe(404);
    expect((await app.ask('PUT', '/api/flags/banner', rolled(100), {}, 'all-b')).status).toBe(201);
    expect([await value(app, 'banner'), (await app.evaluate('banner', {}, 'all-b')).body.value]).toEqual([false, true]);
  });

  it('is read with the scope query and changed with admin', async () => {
    const app = createFlagApp({ files: { filed: onOff } });
    const asked = (method: string, path: string, token: string) =>
      app.ask(method, path, method === 'GET' ? undefined : onOff, { 'if-match': '*' }, token).then(({ status }) => status);
    expect([await asked('GET', '/api/flags', 'query-a'), await asked('GET', '/api/flags', 'ingest-a')]).toEqual([200, 403]);
    for (const [method, path] of [
      ['PUT', 'x'],
      ['DELETE', 'x'],
      ['POST', 'filed/rollout'],
      ['POST', 'filed/kill'],
      ['DELETE', 'filed/kill'],
      ['POST', 'import'],
    ] as const)
      expect(await asked(method, `/api/flags/${path}`, 'query-a')).toBe(403);
  });
});

describe('a name that a file and the API both have', () => {
  it('is an error that names both, and hurts no other flag', async () => {
    const app = createFlagApp({ files: { filed: onOff, other: onOff } });
    const item = {
      pk: 'flags/a',
      sk: 'filed',
      version: 1,
      changeId: 'x',
      isDeleted: false,
      definition: JSON.stringify(onOff),
      createdAtMs: NOW,
      updatedAtMs: NOW,
    };
    await app.stored.put(item);
    await app.stored.put({ pk: 'flags/set/a', sk: 'version', version: 1 });
    const clash = 'flag "filed" is both in flags/shop.json of the configuration and written by API: delete one of them';
    expect((await app.evaluate('filed')).body).toEqual({ key: 'filed', errorCode: 'PARSE_ERROR', errorDetails: clash });
    expect((await app.ask('GET', '/api/flags')).body.problems).toEqual([clash]);
    expect((await app.ask('POST', '/api/flags/filed/kill', {})).body.error.message).toBe(clash);
    expect((await app.evaluate('other')).status).toBe(200);
    expect((await app.ask('DELETE', '/api/flags/filed', undefined, { 'if-match': '1' })).status).toBe(204);
    expect((await app.evaluate('filed')).status).toBe(200);
  });
});

describe('the report of stale flags', () => {
  const DAY = 86_400_000;
  it('names those that nobody changed and that are not asked for, or give everybody the same', async () => {
    const app = createFlagApp();
    for (const key of ['busy', 'same', 'all', 'idle']) await app.put(key, rolled(50));
    app.clock.nowMs += 40 * DAY;
    await app.put('new', onOff);
    for (const targetingKey of Array.from({ length: 30 }, (_, i) => `user-${i}`)) await app.evaluate('busy', { targetingKey });
    await app.evaluate('same', { targetingKey: 'ann' });
    app.clock.nowMs += 61_000;
    await app.evaluateAll({ targetingKey: 'ann' });
    app.clock.nowMs += 61_000;
    await app.evaluateAll({ targetingKey: 'ann' });
    const told = (await app.ask('GET', '/api/flags/stale?days=30')).body;
    expect(Object.fromEntries(told.flags.map(({ flag, why }: { flag: string; why: string[] }) => [flag, why]))).toEqual({
      all: [
        expect.stringMatching(/^was not asked for by name for 30 days, only with all others$/),
        expect.stringMatching(/^gave everybody "o/),
      ],
      idle: [expect.stringMatching(/only with all others$/), expect.stringMatching(/^gave everybody "o/)],
      same: [expect.stringMatching(/^gave everybody "o\w+" for 30 days$/)],
    });
    app.clock.nowMs += 50 * DAY;
    expect((await app.ask('GET', '/api/flags/stale?days=30')).body.flags.map(({ why }: { why: string[] }) => why)).toEqual(
      Array(5).fill([['was not evaluated for 30 days']].flat()),
    );
    expect((await app.ask('GET', '/api/flags/stale?days=0')).status).toBe(400);
  });

  it('costs a write a day for each variant, however often a flag is evaluated', async () => {
    let writes = 0;
    const app = createFlagApp({
      files: { filed: onOff },
      wrapTable: (table) => ({
        ...table,
        batch: async (list) => {
          writes += list.length;
          return table.batch(list);
        },
      }),
    });
    for (let i = 0; i < 200; i++) {
      await app.evaluate('filed');
      app.clock.nowMs += 30_000;
    }
    expect(writes).toBe(1);
  });
});

describe('an import', () => {
  const features = [
    {
      name: 'beta',
      enabled: true,
      strategies: [{ name: 'userWithId', parameters: { userIds: 'ann' } }],
      variants: [{ name: 'blue', weight: 1 }],
    },
    { name: 'odd', enabled: true, strategies: [{ name: 'moon' }] },
  ];

  it('takes what Unleash gives, says what it could not carry over, and changes nothing the second time', async () => {
    const app = createFlagApp();
    const unleash = '/api/flags/import?format=unleash';
    expect(Object.keys((await app.ask('POST', `${unleash}&dryRun=true`, { version: 2, features })).body.flags)).toEqual([
      'beta',
      'beta:variant',
      'odd',
    ]);
    expect((await app.ask('GET', '/api/flags')).body.flags).toEqual([]);
    const first = (await app.ask('POST', unleash, { version: 2, features })).body;
    expect(first.imported).toEqual(['beta', 'beta:variant', 'odd'].map((key) => ({ key, result: 'created' })));
    expect(first.notes).toEqual(['odd: the strategy moon is unknown here: it never holds']);
    expect(
      (await app.ask('POST', unleash, { version: 2, features })).body.imported.map(({ result }: { result: string }) => result),
    ).toEqual(Array(3).fill('unchanged'));
    expect([await value(app, 'beta'), await value(app, 'beta', { targetingKey: 'eve' }), await value(app, 'beta:variant')]).toEqual([
      true,
      false,
      { name: 'blue', enabled: true, feature_enabled: true },
    ]);
  });

  it("takes flagd's sets with what their rules refer to, but for what a file has", async () => {
    const app = createFlagApp({ files: { filed: onOff } });
    const set = {
      flags: { banner: { ...onOff, targeting: { if: [{ $ref: 'staff' }, 'on'] } }, filed: onOff },
      $evaluators: { staff: { '==': [{ var: 'team' }, 'staff'] } },
    };
    const told = await app.ask('POST', '/api/flags/import?format=flagd', set);
    expect(told.body.imported).toMatchObject([
      { key: 'banner', result: 'created' },
      { key: 'filed', result: 'refused', message: expect.stringMatching(/flags\/shop\.json/) },
    ]);
    expect(await value(app, 'banner', { team: 'staff' })).toBe(true);
  });

  it.each([
    ['format=moon', {}],
    ['format=unleash', { features: 1 }],
    ['format=flagd', {}],
    ['format=flagd', []],
    ['', {}],
  ])('is refused for %s %j', async (query, body) => {
    expect((await createFlagApp().ask('POST', `/api/flags/import?${query}`, body)).status).toBe(400);
  });
});

describe('the OpenAPI document', () => {
  it('has every route of flags with its scope, and none that there is not', async () => {
    const { paths } = (await (await openApiRoutes().request('/api/openapi.json')).json()) as {
      paths: Record<string, Record<string, { 'x-scope'?: string }>>;
    };
    const there = flagGroups(createFlagApp().domains).flatMap(({ scope, routes }) =>
      routes.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)(?:\{.*\})?/g, '{$1}')} ${scope}`),
    );
    const documented = Object.entries(paths)
      .filter(([path]) => /^\/(ofrep|api\/flags)/.test(path))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation['x-scope']}`),
      );
    expect(documented.sort()).toEqual([...new Set(there)].sort());
  });
});
