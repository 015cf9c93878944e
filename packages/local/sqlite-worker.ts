import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './sqlite-database.ts';
import { createGroupWriter, type UnitOutcome, type WriteUnit } from './sqlite-group.ts';
import { createUpkeep } from './sqlite-upkeep.ts';

// The thread that commits, so that neither a slow disk nor another process at the file stops the event loop.

/** What the thread is started with. */
export interface WorkerFile {
  readonly path: string;
  /** How long a commit waits for those of other processes. */
  readonly busyTimeoutMs: number;
}

/** To the thread: a group to commit, or the end. */
export type WorkerRequest = { readonly units: readonly WriteUnit[]; readonly nowMs: number } | 'close';

/** From the thread: one outcome for each unit, or why nothing of the group was done. */
export type WorkerReply = { readonly outcomes: readonly UnitOutcome[] } | { readonly failure: string };

const UPKEEP_AFTER_MS = 1_000;
const UPKEEP_STEP_MS = 20;

const port = parentPort;
if (!port) throw new Error('sqlite-worker.ts runs as a worker thread only');
const { path, busyTimeoutMs } = workerData as WorkerFile;
const db = openConnection(path, busyTimeoutMs);
const applyGroup = createGroupWriter(db);
const keepUp = createUpkeep(db);
let nowMs = 0;
let upkeep: NodeJS.Timeout | undefined;

function reply(units: readonly WriteUnit[]): WorkerReply {
  try {
    return { outcomes: applyGroup(units) };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

function planUpkeep(delayMs: number): void {
  upkeep ??= setTimeout(() => {
    upkeep = undefined;
    let more = true;
    try {
      more = keepUp(nowMs);
    } catch {
      // Another process is writing, or the disk is full: upkeep can wait, and writes tell of their own failures.
    }
    if (more) planUpkeep(UPKEEP_STEP_MS);
  }, delayMs);
}

port.on('message', (request: WorkerRequest) => {
  if (request === 'close') {
    clearTimeout(upkeep);
    db.close();
    port.close();
    return;
  }
  nowMs = request.nowMs;
  port.postMessage(reply(request.units));
  planUpkeep(UPKEEP_AFTER_MS);
});
