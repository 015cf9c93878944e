import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backupGroups } from '#api/backups/groups.ts';
import { openApiRoutes } from '#api/openapi.ts';
import { file } from '#test/backups/kit.ts';
import { BACKUPS, createBackupApp, PASSPHRASE } from './backup-app.ts';

beforeEach(() => {
  vi.stubEnv('QUARTERDECK_BACKUP_PASSPHRASE', PASSPHRASE);
});
afterEach(() => vi.unstubAllEnvs());

const post = () => ({ method: 'POST' });
const pathsOf = ({ entries }: { entries: { path: string }[] }) => entries.map(({ path }) => path);

describe('/api/backups', () => {
  it('tells what is planned, what ran, and what is due, and no secret', async () => {
    const { ask, backUp } = await createBackupApp();
    const before = await ask('/api/backups');
    expect(before.backups).toMatchObject([{ name: 'shop', schedule: 'rate(1 hour)', nextDueAt: '2026-11-23T13:00:00.000Z' }]);
    expect(before.backups[0]).not.toHaveProperty('last');
    const snapshot = await backUp();
    const after = await ask('/api/backups');
    expect(after.backups[0]).toMatchObject({ last: { ok: true, result: { snapshot } }, lastGoodAt: '2026-11-23T12:00:00.000Z' });
    expect(after.repositories.map(({ name }: { name: string }) => name)).toEqual(['main', 'locked', 'later']);
    expect(JSON.stringify(after)).not.toMatch(/hunter2|passphrase for/);
  });

  it('starts a backup that is there, and joins one that is under way', async () => {
    const { ask, api } = await createBackupApp();
    const [one, two] = await Promise.all([ask('/api/backups/shop/run', 202, post()), ask('/api/backups/shop/run', 202, post())]);
    expect(one.run).toBe(two.run);
    await api.settle();
    expect((await ask('/api/snapshots')).snapshots).toHaveLength(1);
    expect((await ask('/api/backups/none/run', 404, post())).error.hint).toBe('There are: shop.');
  });

  it('tells why a backup failed', async () => {
    const { ask, api, places } = await createBackupApp();
    places.contents.delete('s3://shop/data');
    await ask('/api/backups/shop/run', 202, post());
    await api.settle();
    expect((await ask('/api/backups')).backups[0].last).toMatchObject({ ok: false, sentence: 's3://shop/data is not there' });
  });
});

describe('/api/snapshots', () => {
  it('lists by repository, backup and tag, the newest first in pages, and says which repository cannot be opened and why', async () => {
    const { ask, backUp } = await createBackupApp();
    const ids = [await backUp(), await backUp(), await backUp()];
    const { snapshots, problems } = await ask('/api/snapshots');
    expect(new Set(snapshots.map(({ id }: { id: string }) => id))).toEqual(new Set(ids));
    expect(snapshots[0]).toMatchObject({ backup: 'shop', repository: 'main', tags: ['nightly'] });
    expect(problems).toEqual([
      { repository: 'locked', message: "the repository locked cannot be opened: the passphrase opens none of the repository's keys" },
      { repository: 'later', message: 'there is no repository in s3://acme-backups/later' },
    ]);
    const first = await ask('/api/snapshots?limit=2&backup=shop&tag=nightly&repository=main');
    const second = await ask(`/api/snapshots?limit=2&after=${first.next}`);
    expect([...first.snapshots, ...second.snapshots]).toEqual(snapshots);
    expect(second.next).toBeUndefined();
    expect((await ask('/api/snapshots?tag=nightly&tag=other')).snapshots).toEqual([]);
    expect((await ask('/api/snapshots?repository=locked', 409)).error.message).toContain('the passphrase opens none');
    await ask('/api/snapshots?repository=later', 404);
    await ask('/api/snapshots?repository=none', 404);
    await ask('/api/snapshots?backup=none', 404);
  });

  it('shows one by the beginning of its id, without what leads to its content', async () => {
    const { ask, backUp } = await createBackupApp();
    const id = await backUp();
    const snapshot = await ask(`/api/snapshots/${id.slice(0, 10)}`);
    expect(snapshot).toMatchObject({ id, repository: 'main', backup: 'shop', counts: { items: 7 } });
    expect(snapshot).not.toHaveProperty('entries');
    // One that is in no repository that opens may be in the one that does not.
    expect((await ask('/api/snapshots/ffffffffffff', 409)).error.message).toContain('locked cannot be opened');
    await ask('/api/snapshots/ffffffffffff?repository=main', 404);
  });

  it('lists one level of a folder, or all below it, in pages', async () => {
    const { ask, backUp } = await createBackupApp();
    const entries = `/api/snapshots/${await backUp()}/entries`;
    const root = await ask(entries);
    expect(root.entries.map(({ path, kind }: { path: string; kind: string }) => `${path} ${kind}`)).toEqual([
      'a dir',
      'a-b file',
      'implied prefix',
      'z file',
    ]);
    expect(pathsOf(await ask(`${entries}?path=/a/`))).toEqual(['a/deep', 'a/two']);
    expect(pathsOf(await ask(`${entries}?path=a&recursive=true`))).toEqual(['a/deep', 'a/deep/one', 'a/two']);
    expect(pathsOf(await ask(`${entries}?path=implied`))).toEqual(['implied/x']);
    expect(await ask(`${entries}?path=z`)).toMatchObject({ self: { path: 'z', kind: 'file', sizeBytes: 4 }, entries: [] });
    expect((await ask(`${entries}?path=nowhere`, 404)).error.message).toBe('the snapshot has no nowhere');
    for (const recursive of ['false', 'true']) {
      const [all, seen] = [await ask(`${entries}?recursive=${recursive}`), [] as string[]];
      for (let next = ''; ; ) {
        const page = await ask(`${entries}?recursive=${recursive}&limit=1${next && `&after=${next}`}`);
        seen.push(...pathsOf(page));
        if (page.next === undefined) break;
        next = page.next;
      }
      expect(seen).toEqual(pathsOf(all));
    }
  });

  it('tells what differs between two, in pages', async () => {
    const { ask, backUp, places } = await createBackupApp();
    const before = await backUp();
    places.contents.get('s3://shop/data')?.set('a/two', file('two')).set('new', file('new'));
    places.contents.get('s3://shop/data')?.delete('z');
    const diff = `/api/snapshots/${before}/diff/${await backUp()}`;
    const { differences } = await ask(diff);
    expect(differences.map(({ path, change }: { path: string; change: string }) => `${path} ${change}`)).toEqual([
      'a/two changed',
      'new added',
      'z removed',
    ]);
    const first = await ask(`${diff}?limit=2`);
    expect([...first.differences, ...(await ask(`${diff}?limit=2&after=${first.next}`)).differences]).toEqual(differences);
  });

  it.each([
    'entries?limit=0',
    'entries?limit=x',
    'entries?after=!',
    'entries?after=QQ',
    'entries?recursive=yes',
    'entries?path=%00',
    `entries?path=${'x'.repeat(5_000)}`,
  ])('refuses %.40s', async (query) => {
    const { ask, backUp } = await createBackupApp();
    await ask(`/api/snapshots/${await backUp()}/${query}`, 400);
  });
});

describe('/api/drills', () => {
  it('runs one, and shows its report with a signature that is judged', async () => {
    const { ask, api, backUp } = await createBackupApp();
    await backUp();
    await ask('/api/drills/plain/run', 202, post());
    await api.settle();
    const { drills } = await ask('/api/drills');
    expect(drills).toMatchObject([{ drill: 'plain', status: 'SUCCESSFUL' }]);
    const told = await ask(`/api/drills/${drills[0].id}`);
    expect(told.signatureIs).toEqual({ right: true, by: 'the repository main' });
    expect(JSON.parse(told.text)).toEqual(told.report);
    await ask('/api/drills/none', 404);
    await ask('/api/drills/none/run', 404, post());
  });

  it('says that a report was changed after it was signed, or signed by another', async () => {
    const { ask, api, backUp } = await createBackupApp();
    await backUp();
    await ask('/api/drills/plain/run', 202, post());
    await api.settle();
    const { items } = await api.deps.table.query({ pk: 'backups/drills' });
    const item = items[0] as NonNullable<(typeof items)[0]>;
    const text = String(item.text).replace('"drill":"plain"', '"drill":"other"');
    await api.deps.table.put({ ...item, text });
    expect((await ask(`/api/drills/${item.id}`)).signatureIs).toMatchObject({ right: false });
    const { signReport } = await import('#backups/drills/drill-report.ts');
    const secrets = { signingSeed: () => Buffer.alloc(32, 7) } as never;
    await api.deps.table.put({ ...item, ...signReport(secrets, JSON.parse(text)) });
    expect((await ask(`/api/drills/${item.id}`)).signatureIs).toEqual({
      right: false,
      by: 'a key that is not the one of the repository main',
    });
  });
});

describe('a drill that fails', () => {
  const drill = async ({ ask, api }: Awaited<ReturnType<typeof createBackupApp>>, event: object) => {
    await ask('/2015-03-31/functions/backups-drill/invocations', 200, { body: JSON.stringify(event) });
    await api.settle();
    const alerts = await ask('/alertmanager/api/v2/alerts');
    return alerts.map(({ labels, annotations, endsAt }: Record<string, Record<string, string>>) => [
      labels?.drill,
      annotations?.summary,
      endsAt,
    ]);
  };

  it('is an alert, told of again by each call, until it goes well', async () => {
    const app = await createBackupApp();
    const why = 'there is no snapshot to drill';
    // All before the time that stands still, so that what is over is over.
    expect(await drill(app, { name: 'plain', at: '2026-11-23T11:45:00Z' })).toEqual([['plain', why, '2026-11-23T12:05:00.000Z']]);
    expect(await drill(app, { at: '2026-11-23T11:50:00Z' })).toEqual([['plain', why, '2026-11-23T12:10:00.000Z']]);
    await app.backUp();
    expect(await drill(app, { name: 'plain', at: '2026-11-23T11:55:00Z' })).toEqual([]);
  });
});

describe('who may', () => {
  const everything = [
    ['GET', '/api/backups'],
    ['POST', '/api/backups/shop/run'],
    ['GET', '/api/snapshots'],
    ['GET', '/api/snapshots/abcd1234'],
    ['GET', '/api/snapshots/abcd1234/entries'],
    ['GET', '/api/snapshots/abcd1234/diff/abcd'],
    ['GET', '/api/restores'],
    ['POST', '/api/restores'],
    ['GET', '/api/restores/x'],
    ['GET', '/api/drills'],
    ['GET', '/api/drills/x'],
    ['POST', '/api/drills/plain/run'],
  ] as const;
  const tokens = ['root=default:admin', 'reader=default:query', 'other=a:admin+query+ingest'];

  it.each(everything)('%s %s: nobody but admin of the first tenant, on a server that tenants share', async (method, path) => {
    const { api } = await createBackupApp(tokens);
    for (const token of ['reader', 'other']) expect((await api.ask(path, { method, token })).status).toBe(403);
    expect((await api.ask(path, { method })).status).toBe(401);
    expect([200, 202, 400, 404, 409]).toContain((await api.ask(path, { method, token: 'root' })).status);
  });

  it.each(['snapshot', 'restore', 'drill', 'check', 'forget'])('backups-%s is not run for another tenant', async (name) => {
    const { api } = await createBackupApp(tokens);
    const path = `/2015-03-31/functions/backups-${name}/invocations`;
    expect((await api.ask(path, { token: 'other', body: '{}' })).status).toBe(403);
    expect((await api.ask(path, { token: 'root', body: '{}' })).status).toBe(200);
  });
});

it('is documented as it is', async () => {
  const { paths } = (await (await openApiRoutes().request('/api/openapi.json')).json()) as {
    paths: Record<string, Record<string, { 'x-scope': string }>>;
  };
  const there = backupGroups({ isShared: false } as never).flatMap(({ scope, routes }) =>
    routes.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')} ${scope}`),
  );
  const documented = Object.entries(paths)
    .filter(([path]) => /^\/api\/(backups|snapshots|restores|drills)/.test(path))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { 'x-scope': scope }]) => `${method.toUpperCase()} ${path} ${scope}`),
    );
  expect(documented.sort()).toEqual(there.sort());
  expect(BACKUPS).toContain('hunter2');
});
