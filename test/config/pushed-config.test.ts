import { describe, expect, it } from 'vitest';
import { loadConfig, tenantSettings } from '#config/load-config.ts';
import { openPushedConfig, pushConfig, readVersion } from '#config/pushed-config.ts';
import { DAY_MS } from '#core/time.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

const tenantsYaml = (days: number) => `tenants:\n  team-a:\n    retention: { hot: ${days}d }\n`;

function openStore() {
  return { blobs: createMemoryBlobs(), table: createMemoryTable(), now: () => 1_000, check: loadConfig };
}

async function hotDays(store: ReturnType<typeof openStore>): Promise<number> {
  const { files } = await openPushedConfig(store);
  return tenantSettings(await loadConfig(files), 'team-a').retentionMs.hot / DAY_MS;
}

describe('a pushed configuration', () => {
  it('is the defaults before the first push', async () => {
    const store = openStore();
    expect(await readVersion(store.table)).toBe('');
    expect(await hotDays(store)).toBe(15);
  });

  it('is in force once it is pushed, and the next one replaces it', async () => {
    const store = openStore();
    const first = await pushConfig(store, [{ path: 'tenants.yaml', text: tenantsYaml(3) }]);
    expect(first).toMatchObject({ files: 1, replaced: '' });
    expect(await hotDays(store)).toBe(3);
    const second = await pushConfig(store, [{ path: 'tenants.yaml', text: tenantsYaml(4) }]);
    expect(second.replaced).toBe(first.version);
    expect(await hotDays(store)).toBe(4);
  });

  it('has the same version for the same files in any order, and can be pushed again', async () => {
    const store = openStore();
    const files = [
      { path: 'tenants.yaml', text: tenantsYaml(3) },
      { path: 'tables/hosts.yaml', text: 'a: { b: c }' },
    ];
    const first = await pushConfig(store, files);
    await pushConfig(store, [{ path: 'tenants.yaml', text: tenantsYaml(4) }]);
    const again = await pushConfig(store, files.toReversed());
    expect(again.version).toBe(first.version);
    expect(await hotDays(store)).toBe(3);
  });

  it('is read as one set, whatever is pushed while it is read', async () => {
    const store = openStore();
    await pushConfig(store, [{ path: 'tenants.yaml', text: tenantsYaml(3) }]);
    const opened = await openPushedConfig(store);
    await pushConfig(store, [{ path: 'pipeline.yaml', text: '' }]);
    expect(await opened.files.readFile('tenants.yaml')).toBe(tenantsYaml(3));
    expect(await opened.files.readFile('pipeline.yaml')).toBeUndefined();
  });

  it.each([
    ['a file that is wrong', [{ path: 'tenants.yaml', text: 'tenants: [' }], 'tenants.yaml:1'],
    ['a file whose name no object can have', [{ path: 'rules/ä.yaml', text: '' }], 'is not a blob key'],
    ['a path out of the folder', [{ path: '../tenants.yaml', text: '' }], 'is not a blob key'],
    [
      'the same file twice',
      [
        { path: 'tenants.yaml', text: '' },
        { path: 'tenants.yaml', text: '' },
      ],
      'named twice',
    ],
  ])('keeps what is in force where it is handed %s', async (_, files, message) => {
    const store = openStore();
    await expect(pushConfig(store, files)).rejects.toMatchObject({ kind: 'input', message: expect.stringContaining(message) });
    expect(await readVersion(store.table)).toBe('');
    expect((await store.blobs.list('')).entries).toEqual([]);
  });
});
