import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBlobs } from '#local/file-blobs.ts';
import { openSqliteTable } from '#local/sqlite-table.ts';
import { blobsContract } from './blobs.contract.ts';
import { tableContract } from './table.contract.ts';

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'quarterdeck-local-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

blobsContract('local, two handles on one folder', async () => {
  const { path, remove } = await makeFolder();
  const options = { folder: join(path, 'blobs'), tempFolder: join(path, 'tmp'), clock: Date.now };
  const [port, other] = await Promise.all([openFileBlobs(options), openFileBlobs(options)]);
  return { port, other, close: remove };
});

tableContract('local, two handles on one file', async () => {
  const { path, remove } = await makeFolder();
  const [port, other] = await Promise.all([1, 2].map(() => openSqliteTable(join(path, 'table.db'), Date.now)));
  const close = async () => {
    await Promise.all([port.close(), other.close()]);
    await remove();
  };
  return { port, other, close };
});
