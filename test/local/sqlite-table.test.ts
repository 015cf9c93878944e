import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteTable } from '#local/sqlite-table.ts';

describe('table in SQLite', () => {
  let root: string;
  let path: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quarterdeck-table-'));
    path = join(root, 'table.db');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function until(holds: () => Promise<boolean>): Promise<boolean> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await holds()) return true;
      await sleep(50);
    }
    return false;
  }

  it('opens one new file many times at once', async () => {
    const tables = await Promise.all(Array.from({ length: 8 }, () => openSqliteTable(path, Date.now)));
    await Promise.all(tables.map((table, i) => table.put({ pk: 'p', sk: `${i}` })));
    expect((await tables[3].query({ pk: 'p' })).items).toHaveLength(8);
    await Promise.all(tables.map((table) => table.close()));
  });

  it('keeps everything over a close, finishes writes under way, and refuses later ones', async () => {
    const table = await openSqliteTable(path, Date.now);
    const writes = Array.from({ length: 50 }, (_, i) => table.put({ pk: 'p', sk: `${i}` }));
    await table.close();
    await Promise.all(writes);
    await table.close();
    await expect(table.put({ pk: 'p', sk: 'late' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(table.get({ pk: 'p', sk: 'late' })).rejects.toMatchObject({ kind: 'unavailable' });
    const again = await openSqliteTable(path, Date.now);
    expect((await again.query({ pk: 'p' })).items).toHaveLength(50);
    await again.close();
  });

  it('waits for another process that holds the file, and keeps the event loop free meanwhile', async () => {
    const table = await openSqliteTable(path, Date.now);
    await table.put({ pk: 'p', sk: 'a', n: 1 });
    const holder = new DatabaseSync(path);
    holder.exec('begin immediate');
    let settled = false;
    const writing = table.put({ pk: 'p', sk: 'b', n: 2 }).finally(() => {
      settled = true;
    });
    for (let i = 0; i < 10; i++) {
      await sleep(10);
      expect((await table.get({ pk: 'p', sk: 'a' }))?.n).toBe(1);
    }
    expect(settled).toBe(false);
    holder.exec('commit');
    await writing;
    expect((await table.get({ pk: 'p', sk: 'b' }))?.n).toBe(2);
    holder.close();
    await table.close();
  });

  it('answers unavailable, and works again later, when the file stays held', async () => {
    const table = await openSqliteTable(path, Date.now, 100);
    const holder = new DatabaseSync(path);
    holder.exec('begin immediate');
    await expect(table.put({ pk: 'p', sk: 'a' })).rejects.toMatchObject({ kind: 'unavailable' });
    holder.exec('rollback');
    await table.put({ pk: 'p', sk: 'a' });
    holder.close();
    await table.close();
  });

  it('tells each write of a group its own outcome, in the order of the calls', async () => {
    const table = await openSqliteTable(path, Date.now);
    const key = { pk: 'p', sk: 'a' };
    const outcomes = await Promise.allSettled([
      table.put({ ...key, n: 1 }, { exists: false }),
      table.put({ ...key, n: 2 }, { exists: false }),
      table.update(key, { add: { n: 10 } }, { equals: { n: 1 } }),
      table.update(key, { add: { n: 10 } }, { equals: { n: 1 } }),
      table.update(key, { set: { big: 'x'.repeat(409_600) } }),
      table.transact([
        { kind: 'delete', key, condition: { equals: { n: 11 } } },
        { kind: 'put', item: { pk: 'p', sk: 'b' } },
      ]),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.kind))).toEqual([
      'done',
      'conflict',
      'done',
      'conflict',
      'input',
      'done',
    ]);
    expect((await table.query({ pk: 'p' })).items).toEqual([{ pk: 'p', sk: 'b' }]);
    await table.close();
  });

  it('gives the disk back what large deletes have freed', async () => {
    const table = await openSqliteTable(path, Date.now);
    const keys = Array.from({ length: 120 }, (_, i) => ({ pk: 'p', sk: `${i}` }));
    await table.batch(keys.map((key) => ({ kind: 'put', item: { ...key, body: new Uint8Array(200_000) } })));
    await table.put({ pk: 'keep', sk: 'a', n: 1 });
    await table.batch(keys.map((key) => ({ kind: 'delete', key })));
    const small = async () => (await stat(path)).size < 6_000_000 && (await stat(`${path}-wal`)).size < 40_000_000;
    expect(await until(small)).toBe(true);
    expect((await table.get({ pk: 'keep', sk: 'a' }))?.n).toBe(1);
    await table.close();
  });

  it('drops expired items some time after a later write', async () => {
    let nowMs = 1_000_000;
    const table = await openSqliteTable(path, () => nowMs);
    await table.batch(
      Array.from({ length: 700 }, (_, i) => ({ kind: 'put', item: { pk: 'p', sk: `${i}`, expiresAtS: i < 600 ? 2_000 : 9_000 } })),
    );
    await table.put({ pk: 'p', sk: 'for ever' });
    nowMs = 3_000_000;
    await table.update({ pk: 'p', sk: '5' }, { set: { expiresAtS: 9_000 } });
    expect(await until(async () => (await table.query({ pk: 'p' })).items.length === 102)).toBe(true);
    expect(await table.get({ pk: 'p', sk: '5' })).toBeDefined();
    await table.close();
  });

  it('answers unavailable to every write, and hangs in none, when its thread cannot work', async () => {
    const table = await openSqliteTable(path, Date.now);
    await rm(root, { recursive: true });
    for (let round = 0; round < 2; round++) {
      const outcomes = await Promise.allSettled([table.put({ pk: 'p', sk: 'a' }), table.put({ pk: 'p', sk: 'b' })]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    }
    await table.close();
  });

  it('refuses a file that is no table, or one of a later version', async () => {
    await writeFile(path, 'this is not a database, and long enough to tell'.repeat(20));
    await expect(openSqliteTable(path, Date.now)).rejects.toMatchObject({ kind: 'unavailable' });
    const later = join(root, 'later.db');
    const db = new DatabaseSync(later);
    db.exec('pragma user_version = 99');
    db.close();
    await expect(openSqliteTable(later, Date.now)).rejects.toMatchObject({ kind: 'input' });
  });
});
