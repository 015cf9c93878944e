import { beforeAll, describe, expect, it } from 'vitest';
import { parseTokens } from '#config/tokens.ts';
import { HOUR_MS } from '#core/time.ts';
import { times } from './refusals.ts';
import { type Ask, createWholeApi, NOW, type WholeApi } from './whole-api.ts';

const config = {
  'tenants.yaml': `
defaults: { retentionClasses: { short: { hot: 2d } } }
tenants: { a: {}, b: {}, c: {} }
`,
  'pipeline.yaml': `
tenants:
  b: [{ name: brief, match: '{keep="short"}', route: { retentionClass: short } }]
  c: [{ name: to b, match: '{to="b"}', route: { tenant: b } }]
`,
};
const tokens = [
  ...['a', 'b', 'c', 'A', 'a.b', 'a-b'].map((tenant) => `all-of-${tenant}=${tenant}:ingest+query+admin`),
  'reader-of-a=a:query',
  'writer-of-a=a:ingest',
  'reader-of-both=a:query',
  'reader-of-both=b:query',
];

let api: WholeApi;
/** What only tenant b knows: a metric, a label, a value, a help text, of a retention class, in a block and routed there by c. */
const secrets = ['secret_metric', 'secret_label', 'secret_value', 'secret_help', 'secret_brief', 'secret_block', 'secret_routed'];

beforeAll(async () => {
  api = await createWholeApi({ config, tokens });
  const write = (token: string, body: string) => api.ask('/api/v1/import/prometheus', { token, body });
  await write('all-of-b', `secret_block 1 ${NOW - 30 * HOUR_MS}\n`);
  await api.ask(functionPath('storage-compact'), { token: 'all-of-b', body: '{"force":true}' });
  await write('all-of-b', '# HELP secret_metric secret_help\nsecret_metric{secret_label="secret_value",tenant="a"} 1\n');
  await write('all-of-b', 'secret_brief{keep="short"} 1\n');
  await write('all-of-c', 'secret_routed{to="b"} 1\n');
  await write('all-of-a', 'own{tenant="b"} 1\n');
  const seen = await readAll('all-of-b');
  expect(secrets.filter((secret) => !seen.includes(secret))).toEqual([]);
});

function functionPath(name: string): string {
  return `/2015-03-31/functions/${name}/invocations`;
}

const EVER = 'start=0&end=9e9';
const reads = [
  '/api/v1/query?query={__name__=~".%2B"}[10d]',
  '/api/v1/query?query=secret_metric',
  '/api/v1/query?query={tenant="b"}',
  '/api/v1/query?query=absent(secret_metric)%20or%20count({__name__!=""})',
  `/api/v1/query_range?query={__name__=~".%2B"}&start=${NOW / 1000 - 172_800}&end=${NOW / 1000}&step=3600`,
  `/api/v1/series?match[]={__name__=~".%2B"}&${EVER}`,
  `/api/v1/series?match[]=secret_block&${EVER}`,
  `/api/v1/labels?${EVER}`,
  `/api/v1/label/__name__/values?${EVER}`,
  `/api/v1/label/secret_label/values?${EVER}`,
  '/api/v1/metadata',
  '/api/v1/metadata?metric=secret_metric',
  '/api/v1/query_exemplars?query=secret_metric',
  '/api/v1/rules',
  '/api/v1/alerts',
  '/metrics',
  '/api/openapi.json',
  '/',
];
const everyRead = [...reads, ...reads.filter((path) => path.startsWith('/api/v1')).map((path) => `/prometheus${path}`)];

async function readAll(token: string, headers: Record<string, string> = {}): Promise<string> {
  const texts: string[] = [];
  for (const path of everyRead) texts.push((await api.ask(path, { token, headers })).text);
  return texts.join('\n');
}

/** What a tenant's token alone finds, to be found again after others have tried. */
const stateOfB = async () => [
  ...(await api.series('{__name__=~".+"}', { token: 'all-of-b' })),
  (await api.ask('/api/v1/query?query=secret_block[2d]', { token: 'all-of-b' })).text,
];

describe('what another tenant holds', () => {
  it.each(['all-of-a', 'all-of-A', 'all-of-a.b', 'all-of-a-b', 'reader-of-a', 'all-of-c'])(
    'is not shown to %s by any read',
    async (token) => {
      const seen = await readAll(token);
      expect(secrets.filter((secret) => seen.includes(secret) && !everyRead.some((path) => path.includes(secret)))).toEqual([]);
      expect(seen).not.toContain('secret_value');
    },
  );

  it('is not found through caches that its owner has filled', async () => {
    await api.series('{__name__=~".+"}', { token: 'all-of-b' });
    for (const token of ['all-of-a', 'all-of-c']) {
      expect(await api.series('{__name__=~"secret.*"}', { token })).toEqual([]);
      expect((await api.ask('/api/v1/query?query=secret_block[2d]', { token })).text).toContain('"result":[]');
    }
    // The same series of two tenants is one object in the caches of series, and two in storage.
    const body = 'secret_metric{secret_label="secret_value",tenant="a"} 7\n';
    await api.ask('/api/v1/import/prometheus', { token: 'all-of-a-b', body });
    expect((await api.ask('/api/v1/query?query=secret_metric', { token: 'all-of-a-b' })).text).toContain('"7"');
    expect((await api.ask('/api/v1/query?query=secret_metric', { token: 'all-of-b' })).text).toContain('"1"');
  });

  it('does not show in the figures of the process', async () => {
    const samples = api.registry.counter('samples_total', 'Samples.');
    for (const tenant of ['a', 'b']) samples.add({ tenant });
    samples.add({ kind: 'anybody' });
    const { text } = await api.ask('/metrics', { token: 'reader-of-a' });
    expect(text.split('\n').filter((line) => line.startsWith('samples_total'))).toEqual([
      'samples_total{tenant="a"} 1',
      'samples_total{kind="anybody"} 1',
    ]);
  });

  const basic = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });
  const org = (tenant: string) => ({ 'x-scope-orgid': tenant });
  it.each<[string, Ask, number]>([
    ['the header', { token: 'all-of-a', headers: org('b') }, 403],
    ['the header twice over', { token: 'all-of-a', headers: org('a, b') }, 403],
    ["Mimir's form of several", { token: 'reader-of-both', headers: org('a|b') }, 403],
    ['the name of a retention class', { token: 'all-of-b', headers: org('b!short') }, 403],
    ['a name with a path in it', { token: 'all-of-a', headers: org('a/../b') }, 403],
    ['a name in other letters', { token: 'all-of-a', headers: org('A') }, 403],
    ['a name with a blank', { token: 'all-of-a', headers: org('b\t') }, 403],
    ['a name of an object', { token: 'all-of-a', headers: org('__proto__') }, 403],
    ['an empty name', { token: 'all-of-a', headers: org('') }, 403],
    ['the user of Basic', { headers: basic('b', 'all-of-a') }, 403],
    ['a user with a colon', { headers: basic('b:x', 'all-of-a') }, 401],
    ['the header over the user', { headers: { ...basic('a', 'all-of-a'), ...org('b') } }, 403],
    ['the token as user', { headers: basic('all-of-b', '') }, 401],
    ['no token', {}, 401],
    ['an empty token', { headers: { authorization: 'Bearer ' } }, 401],
    ['two tokens', { headers: { authorization: 'Bearer all-of-a, Bearer all-of-b' } }, 401],
    ['a token with something behind', { headers: { authorization: 'Bearer all-of-b\u00ff' } }, 401],
    ["Firehose's key beside a token", { token: 'nobody', headers: { 'x-amz-firehose-access-key': 'all-of-b' } }, 401],
    ['a scope that is another', { token: 'writer-of-a' }, 403],
  ])('cannot be asked for by %s', async (_, ask, status) => {
    for (const path of ['/api/v1/query?query=secret_metric', '/api/v1/metadata', '/metrics']) {
      const told = await api.ask(path, ask);
      expect([told.status, told.text.includes('secret_help'), told.text.includes('all-of-b')]).toEqual([status, false, false]);
    }
  });

  it('is shown to a token that has both, by name', async () => {
    expect((await readAll('reader-of-both')).includes('secret_value')).toBe(false);
    expect((await readAll('reader-of-both', org('b'))).includes('secret_value')).toBe(true);
    expect(await api.series('secret_brief', { headers: basic('b', 'reader-of-both') })).toHaveLength(1);
  });
});

describe('the data of another tenant', () => {
  const sample = 'intruder{tenant="b"} 1\n';
  it.each<[string, string, Ask]>([
    ['the header', '/api/v1/import/prometheus', { token: 'all-of-a', headers: { 'x-scope-orgid': 'b' }, body: sample }],
    ['a class of it', '/api/v1/import/prometheus', { token: 'all-of-b', headers: { 'x-scope-orgid': 'b!short' }, body: sample }],
    [
      'the scope that is another',
      '/api/v1/import/prometheus',
      { token: 'reader-of-both', headers: { 'x-scope-orgid': 'b' }, body: sample },
    ],
    ["Firehose's key", '/firehose', { headers: { 'x-amz-firehose-access-key': 'all-of-a', 'x-scope-orgid': 'b' }, body: '{}' }],
    ["InfluxDB's token", '/api/v2/write', { headers: { authorization: 'Token all-of-a', 'x-scope-orgid': 'b' }, body: 'intruder v=1' }],
    [
      'an upload of it',
      '/api/v1/import/uploads',
      { token: 'all-of-a', headers: { 'x-scope-orgid': 'b' }, body: '{"format":"prometheus"}' },
    ],
  ])('takes nothing by %s', async (_, path, ask) => {
    const before = await stateOfB();
    expect((await api.ask(path, ask)).status).toBe(403);
    expect(await stateOfB()).toEqual(before);
  });

  it.each([
    ['a label', 'intruder{tenant="b",__tenant_id__="b",keep="short"} 1\n'],
    ["another tenant's rule", 'intruder{to="b"} 1\n'],
  ])('takes nothing by %s', async (_, body) => {
    const before = await stateOfB();
    for (const path of ['/api/v1/import/prometheus?tenant=b', '/prometheus/../api/v1/import/prometheus?X-Scope-OrgID=b'])
      expect((await api.ask(path, { token: 'all-of-a', body })).status).toBe(204);
    expect(await stateOfB()).toEqual(before);
    expect(await api.series('intruder', { token: 'all-of-a' })).not.toEqual([]);
  });

  it('is not worked on by a function that another asks for', async () => {
    const before = await stateOfB();
    const outcomes: string[] = [];
    for (const name of ['storage-expire', 'storage-sweep', 'storage-compact', 'storage-downsample', 'storage-expire', 'ingest-aggregate']) {
      for (const onlyTenant of [undefined, 'b', null]) {
        const event = JSON.stringify({ at: '2999-01-01T00:00:00Z', graceMs: 0, force: true, onlyTenant });
        const told = await api.ask(functionPath(name), { token: 'all-of-a', body: event });
        expect(told.status).toBe(200);
        outcomes.push(told.text);
      }
    }
    expect(outcomes.join()).not.toMatch(/"tenant":"(?!a"|a!)/);
    expect(outcomes.join()).toMatch(/"tenant":"a"/);
    expect(await stateOfB()).toEqual(before);
  });

  it.each(['reader-of-a', 'writer-of-a', 'reader-of-both'])('is not worked on by a function that %s asks for', async (token) => {
    expect((await api.ask(functionPath('storage-compact'), { token, body: '{}' })).status).toBe(403);
  });
});

describe('an upload', () => {
  const begin = async (token: string) => {
    const { status, text } = await api.ask('/api/v1/import/uploads', { token, body: '{"format":"prometheus"}' });
    expect(status).toBe(201);
    return JSON.parse(text) as { id: string; fields: Record<string, string> };
  };
  const upload = (fields: Record<string, string>, file: string) => {
    const part = (name: string, value: string) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = `${Object.entries(fields)
      .map(([name, value]) => part(name, value))
      .join('')}${part('file', file)}--x--\r\n`;
    return api.ask('/uploads', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body });
  };

  it("is nobody else's to follow, whatever its id is spelled like", async () => {
    const { id } = await begin('all-of-b');
    expect((await api.ask(`/api/v1/import/uploads/${id}`, { token: 'all-of-b' })).status).toBe(200);
    for (const path of [id, `..%2fb%2f${id}`, `b/${id}`, `%2e%2e/b/${id}`, `${id}%00`, `b%2f${id}`])
      expect((await api.ask(`/api/v1/import/uploads/${path}`, { token: 'all-of-a' })).status).toBe(404);
    expect((await api.ask(`/api/v1/import/uploads/${id}`, { token: 'all-of-a', headers: { 'x-scope-orgid': 'b' } })).status).toBe(403);
  });

  it('goes where its ticket says and nowhere else', async () => {
    const before = await stateOfB();
    const [own, other] = [await begin('all-of-a'), await begin('all-of-b')];
    const changed: Record<string, string>[] = [
      { key: other.fields.key as string },
      { key: 'imports/b/new' },
      { key: `imports/a/../b/${other.id}` },
      { key: 'segments/metrics/b/2026-11-23/x.qsg' },
      { 'max-bytes': '99999999999' },
      { 'expires-at-ms': '9999999999999' },
      { signature: '' },
      { signature: times(32, '00') },
      { signature: other.fields.signature as string },
    ];
    for (const change of changed) {
      const told = await upload({ ...own.fields, ...change }, 'intruder 1\n');
      expect([told.status, told.text.includes('secret')]).toEqual([403, false]);
    }
    expect((await upload(own.fields, 'uploaded 1\n')).status).toBe(204);
    await api.settle();
    expect(await api.series('uploaded', { token: 'all-of-a' })).toEqual(['{"__name__":"uploaded"}']);
    expect(await stateOfB()).toEqual(before);
  });

  it('is not run for another by name', async () => {
    const { id, fields } = await begin('all-of-b');
    for (const detail of [{ tenant: 'b', uploadId: id }, { object: { key: fields.key } }, { tenant: 'b!short', uploadId: id }])
      expect(await api.ask(functionPath('ingest-import'), { token: 'all-of-a', body: JSON.stringify({ detail }) })).toMatchObject({
        status: 200,
        text: '{"outcome":"unknown"}',
      });
    expect(JSON.parse((await api.ask(`/api/v1/import/uploads/${id}`, { token: 'all-of-b' })).text).state).toBe('waiting');
  });
});

describe('a token in the settings', () => {
  it.each(['b!short', 'a/b', '..', '.', '', '*', 'a b', '\u0430', times(65, 'x')])('has no tenant called %j', (tenant) => {
    const issues: unknown[] = [];
    expect(parseTokens(`t=${tenant}:query`, { addIssue: (issue: unknown) => issues.push(issue) } as never)).toEqual([]);
    expect(issues).toHaveLength(1);
  });
});

it('reports no defect for any of that', () => expect(api.defects).toEqual([]));
