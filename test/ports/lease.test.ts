import { describe, expect, it } from 'vitest';
import { endLeases, withLease } from '#ports/lease.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

function openProcesses() {
  const table = createMemoryTable();
  const clock = { nowMs: 1_000 };
  let ids = 0;
  const start = () => ({ table, now: () => clock.nowMs, newId: () => `id${ids++}` });
  return { table, clock, start };
}

const never = () => new Promise<never>(() => {});

describe('a lease', () => {
  it('keeps others from a job while it goes on, and lets them once it has ended', async () => {
    const { start } = openProcesses();
    const inner = await withLease(start(), 'job', 60_000, () => withLease(start(), 'job', 60_000, async () => 'done'));
    expect(inner).toBeUndefined();
    expect(await withLease(start(), 'job', 60_000, async () => 'done')).toBe('done');
  });

  it('of a process that is gone runs out', async () => {
    const { start, clock } = openProcesses();
    void withLease(start(), 'job', 60_000, never);
    expect(await withLease(start(), 'job', 60_000, async () => 'done')).toBeUndefined();
    clock.nowMs += 60_000;
    expect(await withLease(start(), 'job', 60_000, async () => 'done')).toBe('done');
  });

  it('of a process that is gone is ended by the one that runs the schedules', async () => {
    const { start, table } = openProcesses();
    void withLease(start(), 'job', 60_000, never);
    await withLease(start(), 'other', 60_000, async () => undefined);
    await endLeases(table);
    expect(await withLease(start(), 'job', 60_000, async () => 'done')).toBe('done');
  });

  it('is given back where the job fails', async () => {
    const { start } = openProcesses();
    await expect(withLease(start(), 'job', 60_000, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await withLease(start(), 'job', 60_000, async () => 'done')).toBe('done');
  });
});
