import { beforeEach, describe, expect, it } from 'vitest';
import { sweepAlerts } from '#alerts/sweep-alerts.ts';
import { DAY_MS } from '#core/time.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { START } from './world.ts';

const OLD = ['alerts/a/state/1', 'alerts/a/inbox/2', 'alerts/ab/book/3', 'segments/a/4'];

describe('sweepAlerts', () => {
  let nowMs: number;
  let deps: { table: ReturnType<typeof createMemoryTable>; blobs: ReturnType<typeof createMemoryBlobs>; now: () => number };

  beforeEach(async () => {
    nowMs = START - DAY_MS;
    deps = { table: createMemoryTable(), blobs: createMemoryBlobs({ clock: () => nowMs }), now: () => nowMs };
    for (const key of OLD) await deps.blobs.put(key, new Uint8Array(10));
    nowMs = START;
    await deps.blobs.put('alerts/a/state/young', new Uint8Array(10));
  });

  const left = () => [...deps.blobs.stored.keys()].sort();

  it('deletes objects of alerting that are a day old and named by no item, and nothing else', async () => {
    await deps.table.put({ pk: 'alerts/groups/a', sk: 'g', key: 'alerts/a/state/1' });
    expect(await sweepAlerts(deps)).toEqual({ orphans: 2, orphanBytes: 20 });
    expect(left()).toEqual(['alerts/a/state/1', 'alerts/a/state/young', 'segments/a/4']);
  });

  it.each([
    ['a group', 'state', 'alerts/groups/a'],
    ['the inbox', 'inbox', 'alerts/inbox/a'],
    ['a delivery', 'deliveries', 'alerts/lanes/a'],
    ['a delivery that was a whole batch', 'batches', 'alerts/lanes/a'],
    ['a batch', 'batches', 'alerts/batches'],
    ['a book', 'book', 'alerts/books'],
    ['the incidents', 'incidents', 'alerts/incidents'],
  ])('keeps what %s names', async (_, kind, pk) => {
    nowMs -= DAY_MS;
    for (const name of ['named', 'orphan']) await deps.blobs.put(`alerts/a/${kind}/${name}`, new Uint8Array(10));
    nowMs += DAY_MS;
    await deps.table.put({ pk, sk: 'x', key: `alerts/a/${kind}/named` });
    await sweepAlerts(deps);
    expect(left().filter((key) => key.startsWith(`alerts/a/${kind}/`) && !key.endsWith('young'))).toEqual([`alerts/a/${kind}/named`]);
  });

  it('leaves alone what it does not know', async () => {
    nowMs -= DAY_MS;
    await deps.blobs.put('alerts/a/later/1', new Uint8Array(10));
    nowMs += DAY_MS;
    await sweepAlerts(deps);
    expect(left()).toContain('alerts/a/later/1');
  });

  it('looks at one tenant alone where it runs for one', async () => {
    expect(await sweepAlerts({ ...deps, onlyTenant: 'a' })).toEqual({ orphans: 2, orphanBytes: 20 });
    expect(left()).toEqual(['alerts/a/state/young', 'alerts/ab/book/3', 'segments/a/4']);
  });

  it('only tells, where it is asked to', async () => {
    expect((await sweepAlerts(deps, { dryRun: true })).orphans).toBe(3);
    expect(left().length).toBe(OLD.length + 1);
  });
});
