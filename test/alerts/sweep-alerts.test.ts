import { expect, it } from 'vitest';
import { sweepAlerts } from '#alerts/sweep-alerts.ts';
import { DAY_MS } from '#core/time.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

const startMs = Date.parse('2026-11-23T12:00:00Z');

/** Where what lies in a folder of alerts is named. */
const kinds = [
  ['state', 'alerts/groups/team-a'],
  ['inbox', 'alerts/inbox/team-a'],
  ['incidents', 'alerts/incidents'],
  ['book', 'alerts/books'],
  ['batches', 'alerts/batches'],
  ['deliveries', 'alerts/lanes/team-a'],
] as const;

it.each(kinds)('of %s what an item names stays, and what none does goes after a day', async (kind, pk) => {
  const [table, blobs] = [createMemoryTable(), createMemoryBlobs({ clock: () => startMs })];
  for (const name of ['named', 'orphan']) await blobs.put(`alerts/team-a/${kind}/${name}`, Uint8Array.of(1));
  await table.put({ pk, sk: 'team-a', key: `alerts/team-a/${kind}/named` });
  expect(await sweepAlerts({ table, blobs, now: () => startMs + DAY_MS - 1 })).toMatchObject({ orphans: 0 });
  expect(await sweepAlerts({ table, blobs, now: () => startMs + DAY_MS })).toMatchObject({ orphans: 1, orphanBytes: 1 });
  expect((await blobs.list('alerts/')).entries.map(({ key }) => key)).toEqual([`alerts/team-a/${kind}/named`]);
});

it('what it does not know it leaves alone', async () => {
  const [table, blobs] = [createMemoryTable(), createMemoryBlobs({ clock: () => startMs })];
  await blobs.put('alerts/team-a/something-new/1', Uint8Array.of(1));
  expect(await sweepAlerts({ table, blobs, now: () => startMs + 9 * DAY_MS })).toMatchObject({ orphans: 0 });
});
