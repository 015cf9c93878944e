import { expect, it } from 'vitest';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { listReleases } from '#releases/release/release-store.ts';

it('a list of releases looks through so many and no more at once, and finds the oldest of thousands page by page', async () => {
  const table = createMemoryTable();
  const put = (i: number, application: string) => {
    const sk = `20261125t120000z-${String(i).padStart(6, '0')}`;
    return table.put({ pk: 'releases/default', sk, application, rev: 1, stamp: 's', release: JSON.stringify({ id: sk }) });
  };
  await put(0, 'rare');
  for (let i = 1; i <= 4_500; i++) await put(i, 'common');
  let queries = 0;
  const query: typeof table.query = (input) => {
    queries++;
    return table.query(input);
  };
  const counted = { ...table, query };
  const found: string[] = [];
  let requests = 0;
  for (let after: string | undefined; ; requests++) {
    queries = 0;
    const { releases, next } = await listReleases(counted, 'default', { application: 'rare', limit: 100, after });
    expect(queries).toBeLessThanOrEqual(20);
    found.push(...releases.map(({ id }) => id));
    if (next === undefined) break;
    after = next;
  }
  expect([requests, found]).toEqual([2, ['20261125t120000z-000000']]);
});
