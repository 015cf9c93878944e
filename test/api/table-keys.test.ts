import { describe, expect, it } from 'vitest';
import { authenticateByTable, createKey, deleteKey } from '#api/table-keys.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

function openKeys() {
  const table = createMemoryTable();
  const clock = { nowMs: 0 };
  const now = () => clock.nowMs;
  let made = 0;
  const newSecret = () => `secret-${++made}`;
  return { table, clock, deps: { table, now, newSecret }, authenticate: authenticateByTable(table, now) };
}

describe('keys in the table', () => {
  it('grant the tenant and scopes that they were made for', async () => {
    const { deps, authenticate } = openKeys();
    const key = await createKey(deps, { tenant: 'team-a', scopes: ['ingest', 'query', 'ingest'] });
    expect(key).toMatchObject({ secret: 'secret-1', tenant: 'team-a', scopes: ['ingest', 'query'] });
    expect(await authenticate('secret-1')).toEqual([{ tenant: 'team-a', scopes: new Set(['ingest', 'query']) }]);
  });

  it.each([[undefined], [''], ['secret-2'], ['api-keys']])('grant nothing to %j', async (secret) => {
    const { deps, authenticate } = openKeys();
    await createKey(deps, { tenant: 'team-a', scopes: ['admin'] });
    expect(await authenticate(secret)).toEqual([]);
  });

  it('are nowhere in the table, nor is anything that could be sent in their place', async () => {
    const { deps, table, authenticate } = openKeys();
    const { id } = await createKey(deps, { tenant: 'team-a', scopes: ['admin'] });
    const [item] = table.items();
    expect(JSON.stringify(item)).not.toContain('secret-1');
    for (const known of [item.sk, id]) expect(await authenticate(known)).toEqual([]);
  });

  it('work within five seconds of being made, even where they were tried before', async () => {
    const { deps, clock, authenticate } = openKeys();
    expect(await authenticate('secret-1')).toEqual([]);
    await createKey(deps, { tenant: 'team-a', scopes: ['query'] });
    clock.nowMs = 5_000;
    expect(await authenticate('secret-1')).toHaveLength(1);
  });

  it('are refused within a minute of being deleted, and looked up once in that time', async () => {
    const { deps, clock, authenticate } = openKeys();
    const { id } = await createKey(deps, { tenant: 'team-a', scopes: ['query'] });
    await authenticate('secret-1');
    expect(await deleteKey(deps, id)).toEqual({ id, tenant: 'team-a' });
    expect(await authenticate('secret-1')).toHaveLength(1);
    clock.nowMs = 60_000;
    expect(await authenticate('secret-1')).toEqual([]);
  });

  it.each([[''], ['0'], ['0123456789abcdef'], ['~']])('cannot be deleted by the id %j, which no key has', async (id) => {
    const { deps } = openKeys();
    await createKey(deps, { tenant: 'team-a', scopes: ['query'] });
    await expect(deleteKey(deps, id)).rejects.toMatchObject({ kind: 'missing' });
  });
});
