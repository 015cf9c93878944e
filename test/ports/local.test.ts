import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocal } from '#local/open.ts';
import { openPackStore } from '#local/pack-store.ts';
import { createPackedBlobs } from '#local/packed-blobs.ts';
import type { BusEvent } from '#ports/bus.ts';
import { blobsContract } from './blobs.contract.ts';
import { busContract } from './bus.contract.ts';
import { schedulesContract } from './schedules.contract.ts';
import { tableContract } from './table.contract.ts';

/** Two handles on one data folder, as two processes would have. */
async function openTwice() {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-local-'));
  const [first, second] = await Promise.all([openLocal(folder, Date.now), openLocal(folder, Date.now)]);
  const close = async () => {
    await Promise.all([first.close(), second.close()]);
    await rm(folder, { recursive: true });
  };
  return { first, second, close };
}

blobsContract('local, two handles on one folder', async () => {
  const { first, second, close } = await openTwice();
  return { port: first.blobs, other: second.blobs, close };
});

blobsContract('local, small objects in packs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-packs-'));
  const { blobs: files, close } = await openLocal(folder, Date.now);
  const packs = openPackStore(join(folder, 'more-packs'), Date.now);
  return {
    port: createPackedBlobs({ files, packs, isPacked: () => true }),
    async close() {
      await packs.close();
      await close();
      await rm(folder, { recursive: true });
    },
  };
});

tableContract('local, two handles on one file', async () => {
  const { first, second, close } = await openTwice();
  return { port: first.table, other: second.table, close };
});

schedulesContract('local, two handles on one file', async () => {
  const { first, second, close } = await openTwice();
  return { port: first.schedules, other: second.schedules, close };
});

busContract('local', async () => {
  const { first, close } = await openTwice();
  const received: BusEvent[] = [];
  const pattern = { source: ['quarterdeck.contract'], 'detail-type': ['Contract Checked'] };
  first.bus.subscribe({ name: 'ear', pattern, handle: async (event) => void received.push(event) });
  return { port: first.bus, received: async () => received, close };
});
