import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteTable } from '#local/sqlite-table.ts';
import { tableContract } from './table.contract.ts';

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'quarterdeck-local-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

tableContract('local, two handles on one file', async () => {
  const { path, remove } = await folder();
  const [port, other] = await Promise.all([1, 2].map(() => openSqliteTable(join(path, 'table.db'), Date.now)));
  const close = async () => {
    await Promise.all([port.close(), other.close()]);
    await remove();
  };
  return { port, other, close };
});
