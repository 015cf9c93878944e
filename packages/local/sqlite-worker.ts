import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './sqlite-database.ts';
import { createUpkeep, type UpkeepRequest } from './sqlite-upkeep.ts';

// The thread that keeps the database file in shape: checkpoints and vacuum sync files, which would stop the event loop.

const BUSY_TIMEOUT_MS = 100;
const STEP_MS = 20;
const AFTER_WRITES_MS = 100;
/** With no write for this long, the log is emptied and the file shrunk. */
const IDLE_MS = 1_500;

const port = parentPort;
if (!port) throw new Error('sqlite-worker.ts runs as a worker thread only');
const db = openConnection(workerData as string, BUSY_TIMEOUT_MS);
const keepUp = createUpkeep(db);
let nowMs = 0;
let lastWriteMs = 0;
let timer: NodeJS.Timeout | undefined;

function step(): void {
  timer = undefined;
  const isIdle = performance.now() - lastWriteMs >= IDLE_MS;
  let more = true;
  try {
    more = keepUp(nowMs, isIdle);
  } catch {
    // Another process is writing, or the disk is full: upkeep can wait, and writes tell of their own failures.
  }
  if (more) plan(STEP_MS);
  else if (!isIdle) plan(IDLE_MS);
}

function plan(delayMs: number): void {
  timer ??= setTimeout(step, delayMs);
}

port.on('message', (request: UpkeepRequest) => {
  if (request === 'stop') {
    clearTimeout(timer);
    db.close();
    port.close();
    return;
  }
  nowMs = request.nowMs;
  lastWriteMs = performance.now();
  plan(AFTER_WRITES_MS);
});
