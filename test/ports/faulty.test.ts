import { describe, expect, it } from 'vitest';
import { CrashError, FAULTS, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';

const key = { pk: 'p', sk: 'a' };

describe('faulty ports', () => {
  it('change nothing without a fault, and count the calls', async () => {
    const { ports, calls, crashed } = faulty({ table: createMemoryTable(), blobs: createMemoryBlobs() }, () => undefined);
    await ports.table.put({ ...key, n: 1 });
    expect(await ports.blobs.put('a', Uint8Array.of(1))).toBe('created');
    expect(await ports.table.get(key)).toEqual({ ...key, n: 1 });
    await expect(ports.table.put(key, { exists: false })).rejects.toMatchObject({ kind: 'conflict' });
    expect(calls.map((call) => `${call.number} ${call.name}`)).toEqual(['1 table.put', '2 blobs.put', '3 table.get', '4 table.put']);
    expect(crashed()).toBe(false);
  });

  it.each([
    ['fail-before', false],
    ['fail-half', false],
    ['fail-after', true],
    ['timeout', true],
    ['throttle', false],
    ['crash-before', false],
    ['crash-half', false],
    ['crash-after', true],
  ] satisfies [Fault, boolean][])('%s leaves the effect of a put: %s', async (fault, effect) => {
    const table = createMemoryTable();
    const { ports, crashed, settle } = faulty({ table }, faultAt(1, fault));
    const crash = fault.startsWith('crash');
    await expect(ports.table.put(key)).rejects.toMatchObject(crash ? { name: 'CrashError' } : { kind: 'unavailable' });
    await settle();
    expect(await table.get(key)).toEqual(effect ? key : undefined);
    expect(crashed()).toBe(crash);
    if (crash) await expect(ports.table.get(key)).rejects.toBeInstanceOf(CrashError);
    else await ports.table.get(key);
  });

  it('tells how long to wait after a throttle', async () => {
    const { ports } = faulty({ table: createMemoryTable() }, faultAt(1, 'throttle'));
    await expect(ports.table.get(key)).rejects.toMatchObject({ retryAfterMs: 1 });
  });

  it('lets a call that timed out take effect after its own repeat', async () => {
    const table = createMemoryTable();
    const { ports } = faulty({ table }, faultAt(1, 'timeout'));
    await expect(ports.table.put({ ...key, n: 1 })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await table.get(key)).toBeUndefined();
    await ports.table.put({ ...key, n: 2 });
    expect(await table.get(key)).toEqual({ ...key, n: 1 });
  });

  it('hold a stalled call until it is released, while others go on', async () => {
    const table = createMemoryTable();
    const { ports, stalled, release } = faulty({ table }, faultAt(1, 'stall'));
    const first = ports.table.put({ ...key, n: 1 });
    await stalled;
    await ports.table.put({ ...key, n: 2 });
    expect(await table.get(key)).toEqual({ ...key, n: 2 });
    release();
    await first;
    expect(await table.get(key)).toEqual({ ...key, n: 1 });
  });

  it('does half of a batch', async () => {
    const table = createMemoryTable();
    const blobs = createMemoryBlobs();
    const { ports } = faulty({ table, blobs }, (call) => (call.name === 'blobs.put' ? undefined : 'fail-half'));
    const puts = ['1', '2', '3', '4'].map((sk) => ({ kind: 'put', item: { pk: 'p', sk } }) as const);
    await expect(ports.table.batch(puts)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(table.items().map((item) => item.sk)).toEqual(['1', '2']);
    for (const name of ['a', 'b']) await ports.blobs.put(name, Uint8Array.of(1));
    await expect(ports.blobs.delete(['a', 'b'])).rejects.toMatchObject({ kind: 'unavailable' });
    expect([...blobs.stored.keys()]).toEqual(['b']);
  });

  it('crash calls that are under way as well', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const table = createMemoryTable({ pause: () => held });
    const { ports } = faulty({ table }, faultAt(2, 'crash-before'));
    const first = ports.table.put(key);
    const second = ports.table.put({ pk: 'p', sk: 'b' });
    await expect(second).rejects.toBeInstanceOf(CrashError);
    release();
    await expect(first).rejects.toBeInstanceOf(CrashError);
  });

  it("hide the call's own error behind the fault", async () => {
    const { ports } = faulty({ table: createMemoryTable() }, faultAt(1, 'fail-after'));
    await expect(ports.table.put(key, { exists: true })).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('name every kind of fault once', () => {
    expect(new Set(FAULTS).size).toBe(8);
  });
});

describe('uploads in memory', () => {
  const setUp = () => {
    let nowMs = 0;
    const blobs = createMemoryBlobs();
    const uploads = createMemoryUploads(blobs, { clock: () => nowMs });
    const pass = (ms: number) => {
      nowMs += ms;
    };
    return { blobs, uploads, pass };
  };
  const request = { key: 'imports/1', maxBytes: 4, expiresInMs: 1_000 };

  it('take what a ticket permits', async () => {
    const { blobs, uploads } = setUp();
    const ticket = await uploads.presign(request);
    expect(ticket.expiresAtMs).toBe(1_000);
    expect(await uploads.receive(ticket.fields, Uint8Array.of(1, 2, 3, 4))).toBe('created');
    expect(await blobs.get('imports/1')).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('refuse a larger body, changed fields, and a late one', async () => {
    const { uploads, pass } = setUp();
    const { fields } = await uploads.presign(request);
    await expect(uploads.receive(fields, new Uint8Array(5))).rejects.toMatchObject({ kind: 'limit' });
    await expect(uploads.receive({ ...fields, key: 'other' }, new Uint8Array(1))).rejects.toMatchObject({ kind: 'denied' });
    await expect(uploads.receive({}, new Uint8Array(1))).rejects.toMatchObject({ kind: 'denied' });
    await expect(uploads.presign({ ...request, key: '..' })).rejects.toMatchObject({ kind: 'input' });
    pass(1_000);
    await expect(uploads.receive(fields, new Uint8Array(1))).rejects.toMatchObject({ kind: 'denied' });
  });
});
