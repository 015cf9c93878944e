import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { file } from '#test/backups/kit.ts';
import { createBackupApp, PASSPHRASE } from './backup-app.ts';

beforeEach(() => {
  vi.stubEnv('QUARTERDECK_BACKUP_PASSPHRASE', PASSPHRASE);
  vi.stubEnv('QUARTERDECK_RESTORE_FOLDER', '/srv/restored');
});
afterEach(() => vi.unstubAllEnvs());

const post = (body?: object) => ({ method: 'POST', ...(body ? { body: JSON.stringify(body) } : {}) });
describe('/api/restores', () => {
  it('restores as asked, once for each key, and tells what came of it', async () => {
    const { ask, api, backUp, places } = await createBackupApp();
    const snapshot = await backUp();
    const request = { repository: 'main', snapshot: 'latest', to: 's3://beside/x', include: ['a'] };
    const keyed = { ...post(request), headers: { 'idempotency-key': 'k1' } };
    const asked = await ask('/api/restores', 202, keyed);
    expect(asked).toMatchObject({ snapshot, joined: false });
    await api.settle();
    expect(await ask(`/api/restores/${asked.id}`)).toMatchObject({
      state: 'done',
      request: { to: 's3://beside/x', snapshot, include: ['a'] },
      last: { ok: true, result: { created: 4, missingCount: 0 } },
    });
    expect([...(places.contents.get('s3://beside/x')?.keys() ?? [])]).toEqual(['a', 'a/deep', 'a/deep/one', 'a/two']);
    expect(await ask('/api/restores', 202, keyed)).toEqual({ ...asked, joined: true });
    await ask('/api/restores', 409, { ...keyed, body: JSON.stringify({ ...request, include: ['z'] }) });
    expect((await ask('/api/restores')).restores).toHaveLength(1);
  });

  it('plans only, where that is asked for', async () => {
    const { ask, api, backUp, places } = await createBackupApp();
    await backUp();
    const { id } = await ask('/api/restores', 202, post({ repository: 'main', snapshot: 'latest', to: 's3://beside/x', dryRun: true }));
    await api.settle();
    expect((await ask(`/api/restores/${id}`)).last.result.plan).toMatchObject({ create: 7, replace: 0 });
    expect(places.contents.get('s3://beside/x')?.size).toBe(0);
  });

  it('fails over what is there, and says so, unless it may: then what is there is backed up first', async () => {
    const { ask, api, backUp, places } = await createBackupApp();
    const snapshot = await backUp();
    places.contents.get('s3://shop/data')?.set('z', file('changed'));
    const request = { repository: 'main', snapshot, to: 's3://shop/data' };
    const refused = await ask('/api/restores', 202, post(request));
    await api.settle();
    expect(await ask(`/api/restores/${refused.id}`)).toMatchObject({ state: 'failed', last: { sentence: 's3://shop/data is not empty' } });
    await ask('/api/restores', 202, post({ ...request, yes: true }));
    await api.settle();
    expect(Buffer.from(places.contents.get('s3://shop/data')?.get('z')?.content ?? []).toString()).toBe('last');
    expect((await ask('/api/snapshots?tag=before-restore')).snapshots).toHaveLength(1);
  });

  it('goes to a folder right below the one that is set, and to no other', async () => {
    const { ask, backUp } = await createBackupApp();
    await backUp();
    const to = (place: string) => post({ repository: 'main', snapshot: 'latest', to: place });
    for (const place of ['orders', '/srv/restored/orders', './orders', '/srv/restored/../restored/orders'])
      expect((await ask('/api/restores', 202, to(place))).to).toBe('/srv/restored/orders');
    for (const place of [
      '/etc',
      '/srv/restored',
      '/srv/restored/a/b',
      '../x',
      '/srv/restored/../x',
      '..',
      '.',
      '.ssh',
      'a/../../x',
      'a/..',
    ])
      await ask('/api/restores', 403, to(place));
    await ask('/api/restores', 400, to('a\0b'));
  });

  it.each([
    ['itself', 'quarterdeck:', /not restored into itself/],
    ['a repository', 's3://acme-backups/main', /repository main lies/],
    ['what a repository is in', 's3://acme-backups', /repository main lies/],
    ['what is in a repository', 's3://acme-backups/main/packs', /repository main lies/],
    ['no place', 'ftp:x', /takes a folder/],
  ])('goes not into %s', async (_, to, message) => {
    const { ask } = await createBackupApp();
    expect((await ask('/api/restores', 400, post({ repository: 'main', snapshot: 'latest', to }))).error.message).toMatch(message);
  });

  it('refuses folders where none is set, and requests that are none', async () => {
    vi.stubEnv('QUARTERDECK_RESTORE_FOLDER', '');
    const { ask } = await createBackupApp();
    const request = { repository: 'main', snapshot: 'latest', to: 'x' };
    expect((await ask('/api/restores', 403, post(request))).error.hint).toContain('QUARTERDECK_RESTORE_FOLDER');
    await ask('/api/restores', 400, post({ ...request, force: true }));
    await ask('/api/restores', 404, post({ ...request, to: 's3://beside/x' }));
    await ask('/api/restores', 404, post({ ...request, to: 's3://beside/x', repository: 'none' }));
    await ask('/api/restores', 409, post({ ...request, to: 's3://beside/x', repository: 'locked' }));
    await ask('/api/restores/none', 404);
  });
});
