import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemorySchedules } from '#ports/memory/memory-schedules.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { blobsContract } from './blobs.contract.ts';
import { busContract } from './bus.contract.ts';
import { schedulesContract } from './schedules.contract.ts';
import { tableContract } from './table.contract.ts';

const close = () => Promise.resolve();
const pause = () => sleep(Math.random() * 2);

blobsContract('memory', async () => ({ port: createMemoryBlobs(), close }));
blobsContract('memory, calls interleaved', async () => ({ port: createMemoryBlobs({ pause }), close }));
tableContract('memory', async () => ({ port: createMemoryTable(), close }));
tableContract('memory, calls interleaved', async () => ({ port: createMemoryTable({ pause }), close }));
busContract('memory', async () => {
  const port = createMemoryBus();
  return { port, received: async () => port.published, close };
});
schedulesContract('memory', async () => ({ port: createMemorySchedules(), close }));
