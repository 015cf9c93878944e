import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { activateConfig, listRevisions, readActive, readRevision, resolvePin } from '#releases/configuration/activate.ts';
import { diffConfigs } from '#releases/configuration/diff.ts';
import { ConfigDocument } from '#releases/configuration/document.ts';
import { findDrift, hashValue } from '#releases/configuration/drift.ts';
import { findSecrets } from '#releases/configuration/find-secrets.ts';
import { observeConfig, readDrift } from '#releases/configuration/observe.ts';
import { findConfigProblems, findMissingSecrets, resolveConfig } from '#releases/configuration/resolve.ts';
import { listVersions, readVersion, writeVersion } from '#releases/configuration/versions.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const shop = { tenant: 'acme', application: 'shop' };
const production = { ...shop, environment: 'production' };
const who = { by: 'ann', message: 'why not' };

const documentOf = (env: ConfigDocument['env'], rest: Partial<ConfigDocument> = {}) => ConfigDocument.parse({ env, ...rest });

describe('layers laid over one another', () => {
  it('keep the upper value, drop what the upper takes away, and say which layer a value is from', () => {
    const base = documentOf({ A: '1', B: '2', C: { secret: 'ssm:/shop/c' } }, { files: { 'app.yaml': 'x: 1' } });
    const resolved = resolveConfig(base, 'production', documentOf({ B: '3', A: null, D: '4' }));
    expect([...resolved.env]).toEqual([
      ['B', { value: '3', layer: 'production' }],
      ['C', { value: { secret: 'ssm:/shop/c' }, layer: 'base' }],
      ['D', { value: '4', layer: 'production' }],
    ]);
    expect([...resolved.files]).toEqual([['app.yaml', { value: 'x: 1', layer: 'base' }]]);
  });

  it.each([
    ['what is required is there', {}, { PORT: { required: true } }, ['PORT is missing']],
    ['a number is one', { PORT: '80a' }, { PORT: { type: 'integer' } }, ['PORT (layer base) must be of type integer; got "80a"']],
    ['bounds hold', { PORT: '0' }, { PORT: { type: 'integer', min: 1 } }, ['PORT (layer base) must be at least 1; got "0"']],
    ['an empty text is no number', { PORT: '' }, { PORT: { min: 1 } }, ['PORT (layer base) must be a number; got ""']],
    ['one of some', { LEVEL: 'loud' }, { LEVEL: { oneOf: ['low', 'high'] } }, ['LEVEL (layer base) must be one of low, high; got "loud"']],
    ['a secret is a reference', { KEY: 'x' }, { KEY: { secret: true } }, ['KEY (layer base) must be a reference to a secret, and is text']],
    ['what may be left out', {}, { PORT: { type: 'integer' } }, []],
    ['the value of a secret is nobody’s', { KEY: { secret: 'ssm:/k' } }, { KEY: { secret: true, type: 'integer' } }, []],
  ] as const)('are held against what is expected: %s', (_, env, expect_, problems) => {
    const base = ConfigDocument.parse({ env, expect: expect_ });
    expect(findConfigProblems(resolveConfig(base, 'production', documentOf({})))).toEqual(problems);
  });

  it('differ by nothing from themselves, and applying a difference gives the other', () => {
    const values = fc.dictionary(fc.constantFrom('A', 'B', 'C', 'D'), fc.constantFrom('1', '2'));
    fc.assert(
      fc.property(values, values, (one, other) => {
        const from = resolveConfig(documentOf(one), 'e', documentOf({}));
        const to = resolveConfig(documentOf(other), 'e', documentOf({}));
        expect(diffConfigs(from, from)).toEqual([]);
        const applied = new Map<string, string>(Object.entries(one));
        for (const { name, to: value } of diffConfigs(from, to)) {
          if (value === undefined) applied.delete(name);
          else applied.set(name, String(value));
        }
        expect(Object.fromEntries(applied)).toEqual({ ...other });
      }),
    );
  });
});

describe('a reference to a secret', () => {
  it('that leads nowhere is told by the name that refers to it', async () => {
    const env = { A: { secret: 'ssm:/there' }, B: { secret: 'secretsmanager:gone' }, C: 'text' };
    const resolved = resolveConfig(documentOf(env), 'production', documentOf({}));
    const problems = await findMissingSecrets(resolved, async (reference) => reference === 'ssm:/there');
    expect(problems).toEqual(['B refers to secretsmanager:gone, and there is no such secret']);
  });
});

describe('the value of a secret', () => {
  it.each([
    ['under the name of one', { DB_PASSWORD: 'hunter2' }],
    ['a key of AWS', { X: 'AKIAABCDEFGHIJKLMNOP' }],
    ['a private key', { X: '-----BEGIN RSA PRIVATE KEY-----\nabc' }],
    ['an address with a password', { X: 'postgres://me:pw@db/shop' }],
    ['a token of GitHub', { X: `ghp_${'a'.repeat(36)}` }],
  ])('is found: %s', async (_, env) => {
    expect(findSecrets(documentOf(env))).toHaveLength(1);
    const table = createMemoryTable();
    const written = writeVersion({ table, now: () => NOW }, { ...shop, ...who, layer: 'base', document: documentOf(env), expected: 0 });
    const error = await written.catch((caught: unknown) => caught);
    expect(isOpsError(error, 'input')).toBe(true);
    expect(String(error)).not.toContain(Object.values(env)[0]);
    expect(await listVersions(table, shop, 'base', 10)).toEqual([]);
  });

  it('is not seen in what only sounds like one', () => {
    expect(findSecrets(documentOf({ TOKEN_URL: 'https://a/b', SECRET: { secret: 'ssm:/s' }, PASSWORD: '', MONKEY: 'x' }))).toEqual([]);
  });

  it.each(['secretsmanager:', 'ssm:relative', 'vault:x', 'ssm:/a b'])('is referred to in two forms only, not %j', (secret) => {
    expect(ConfigDocument.safeParse({ env: { A: { secret } } }).success).toBe(false);
  });
});

describe('versions of a layer', () => {
  it('are never changed, counted from 1, and refused to who did not see the latest', async () => {
    const deps = { table: createMemoryTable(), now: () => NOW };
    const write = (env: ConfigDocument['env'], expected: number) =>
      writeVersion(deps, { ...shop, ...who, layer: 'base', document: documentOf(env), expected });
    expect(await write({ A: '1' }, 0)).toMatchObject({ version: 1 });
    expect(await write({ A: '2' }, 1)).toMatchObject({ version: 2 });
    expect(await write({ A: '2' }, 1)).toMatchObject({ version: 2 });
    await expect(write({ A: '3' }, 1)).rejects.toMatchObject({ kind: 'conflict' });
    expect((await readVersion(deps.table, shop, 'base', 1)).document.env).toEqual({ A: '1' });
    await expect(readVersion(deps.table, shop, 'base', 3)).rejects.toMatchObject({ kind: 'missing' });
    expect((await listVersions(deps.table, shop, 'base', 10)).map(({ version }) => version)).toEqual([2, 1]);
  });

  it('are one of two that are written at once', async () => {
    const deps = { table: createMemoryTable(), now: () => NOW };
    const write = (value: string) =>
      writeVersion(deps, { ...shop, ...who, layer: 'base', document: documentOf({ A: value }), expected: 0 });
    const results = await Promise.allSettled([write('1'), write('2')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('of one tenant and layer are not seen in another, nor of a layer whose name begins alike', async () => {
    const deps = { table: createMemoryTable(), now: () => NOW };
    await writeVersion(deps, { ...shop, ...who, layer: 'prod', document: documentOf({ A: '1' }), expected: 0 });
    expect(await listVersions(deps.table, { ...shop, tenant: 'other' }, 'prod', 10)).toEqual([]);
    expect(await listVersions(deps.table, shop, 'pro', 10)).toEqual([]);
  });
});

async function writeTwo(table: Table): Promise<void> {
  const deps = { table, now: () => NOW };
  const base = ConfigDocument.parse({ env: { PORT: '80', LEVEL: 'low' }, expect: { PORT: { type: 'integer' } } });
  await writeVersion(deps, { ...shop, ...who, layer: 'base', document: base, expected: 0 });
  await writeVersion(deps, { ...shop, ...who, layer: 'production', document: documentOf({ LEVEL: 'high' }), expected: 0 });
  await writeVersion(deps, { ...shop, ...who, layer: 'production', document: documentOf({ PORT: 'eighty' }), expected: 1 });
}

const outboxOf = async (table: Table) => (await table.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)));

describe('what an environment runs with', () => {
  const first = { ...production, ...who, pin: { base: 1, environment: 1 }, expectedRevision: 0 };

  it('is activated with an event that names what changed and tells no value', async () => {
    const table = createMemoryTable();
    await writeTwo(table);
    await activateConfig({ table, now: () => NOW }, first);
    expect(await readActive(table, production)).toMatchObject({ base: 1, environment: 1, revision: 1, by: 'ann' });
    const [event] = await outboxOf(table);
    expect(event).toMatchObject({ detailType: 'Config Changed', detail: { environment: 'production', names: ['LEVEL', 'PORT'] } });
    expect(JSON.stringify(event)).not.toContain('high');
  });

  it('stays as it is where the new one would not do', async () => {
    const table = createMemoryTable();
    await writeTwo(table);
    const wrong = activateConfig({ table, now: () => NOW }, { ...first, pin: { base: 1, environment: 2 } });
    await expect(wrong).rejects.toMatchObject({ kind: 'input', message: expect.stringContaining('PORT (layer production)') });
    expect((await readActive(table, production)).revision).toBe(0);
  });

  it('returns to what it was, which is one more revision', async () => {
    const table = createMemoryTable();
    const deps = { table, now: () => NOW };
    await writeTwo(table);
    await activateConfig(deps, first);
    await activateConfig(deps, { ...first, pin: { base: 1, environment: 0 }, expectedRevision: 1 });
    const { base, environment } = await readRevision(table, production, 1);
    await activateConfig(deps, { ...first, pin: { base, environment }, expectedRevision: 2 });
    expect((await listRevisions(table, production, 10)).map((each) => each.environment)).toEqual([1, 0, 1]);
  });

  it('is what one of two says who activate at once', async () => {
    const table = createMemoryTable();
    const deps = { table, now: () => NOW };
    await writeTwo(table);
    const results = await Promise.allSettled([
      activateConfig(deps, first),
      activateConfig(deps, { ...first, pin: { base: 1, environment: 0 } }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await outboxOf(table)).toHaveLength(1);
  });

  it('is the same after any one fault and a repetition, with one event', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number <= 6; number++) {
        const table = createMemoryTable();
        await writeTwo(table);
        const broken = faulty({ table }, faultAt(number, fault));
        await activateConfig({ table: broken.ports.table, now: () => NOW }, first).catch(() => undefined);
        await broken.settle();
        await activateConfig({ table, now: () => NOW }, first);
        expect(await readActive(table, production), `${fault} at ${number}`).toMatchObject({ revision: 1, base: 1, environment: 1 });
        expect(await outboxOf(table), `${fault} at ${number}`).toHaveLength(1);
      }
    }
  });
});

describe('drift', () => {
  it('is what is missing, different and unexpected; of secrets only that they are missing', async () => {
    const table = createMemoryTable();
    const deps = { table, now: () => NOW };
    const document = documentOf({ A: '1', B: '2', C: '3', KEY: { secret: 'ssm:/k' }, PIN: { secret: 'ssm:/p' } });
    await writeVersion(deps, { ...shop, ...who, layer: 'base', document, expected: 0 });
    await activateConfig(deps, { ...production, ...who, pin: { base: 1, environment: 0 }, expectedRevision: 0 });
    const env = { A: hashValue('1'), B: hashValue('9'), KEY: 'set', MORE: hashValue('x') };
    await observeConfig(deps, production, { instance: 'i-1', env, files: {} });
    expect(await readDrift(deps, production)).toEqual([
      {
        instance: 'i-1',
        observedAtMs: NOW,
        drifts: [
          { kind: 'env', name: 'B', drift: 'different' },
          { kind: 'env', name: 'C', drift: 'missing' },
          { kind: 'env', name: 'PIN', drift: 'missing' },
          { kind: 'env', name: 'MORE', drift: 'unexpected' },
        ],
      },
    ]);
    expect(await readDrift({ table, now: () => NOW + 25 * 3_600_000 }, production)).toEqual([]);
  });

  it('of a Lambda function is read from what it is set to, and tells no value', async () => {
    const deps = { table: createMemoryTable(), now: () => NOW };
    const document = documentOf({ A: '1', B: '2', KEY: { secret: 'ssm:/k' } }, { functions: ['shop'] });
    await writeVersion(deps, { ...shop, ...who, layer: 'base', document, expected: 0 });
    await activateConfig(deps, { ...production, ...who, pin: { base: 1, environment: 0 }, expectedRevision: 0 });
    const variablesOf = async () => ({ values: { A: '1', B: 'other', KEY: 'hunter2' } });
    const drift = await readDrift({ ...deps, running: { hasSecret: async () => true, variablesOf } }, production);
    expect(drift).toMatchObject([{ instance: 'lambda:shop', drifts: [{ name: 'B', drift: 'different' }] }]);
    expect(JSON.stringify(drift)).not.toMatch(/hunter2|other/);
    const gone = await readDrift({ ...deps, running: { hasSecret: async () => true, variablesOf: async () => undefined } }, production);
    expect(gone[0]?.drifts.map(({ drift }) => drift)).toEqual(['missing', 'missing', 'missing']);
  });

  it('is not confused by names that every object has', () => {
    const resolved = resolveConfig(documentOf({ constructor: '1' }), 'e', documentOf({}));
    expect(findDrift(resolved, { instance: 'i', env: {}, files: {} })).toEqual([{ kind: 'env', name: 'constructor', drift: 'missing' }]);
  });

  it('is resolved against versions that exist only', async () => {
    await expect(resolvePin(createMemoryTable(), production, { base: 7, environment: 0 })).rejects.toMatchObject({ kind: 'missing' });
  });
});
