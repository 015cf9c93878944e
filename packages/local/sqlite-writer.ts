import { Worker } from 'node:worker_threads';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { UnitOutcome, WriteUnit } from './sqlite-group.ts';
import type { WorkerFile, WorkerReply, WorkerRequest } from './sqlite-worker.ts';

const GROUP_UNITS = 1_000;
const GROUP_BYTES = 8 * 1024 * 1024;

/** Hands writes to the thread that commits them. */
export interface SqliteWriter {
  /** Resolves when the unit is on the disk, with the encoded item of an update. */
  submit(unit: WriteUnit): Promise<Uint8Array | undefined>;
  /** Commits what has been submitted and ends the thread. */
  close(): Promise<void>;
}

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly resolve: (body: Uint8Array | undefined) => void;
  readonly reject: (error: OpsError) => void;
}

/**
 * Group commit: what is submitted while a group is being committed, or in the same tick, is the next group. The thread starts with
 * the first write, so that a process that only reads does not pay for it, and starts again with the next write should it end.
 */
export function createSqliteWriter(file: WorkerFile, clock: Clock): SqliteWriter {
  let waiting: PendingUnit[] = [];
  let underWay: PendingUnit[] = [];
  let worker: Worker | undefined;
  let planned = false;
  let closing: Promise<void> | undefined;

  const start = (): Worker => {
    const started = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: file, execArgv: [] });
    started.on('message', (reply: WorkerReply) => settle(reply));
    started.on('error', (error) => fail(started, error.message));
    started.on('exit', () => fail(started, 'its thread has ended'));
    return started;
  };

  const fail = (failed: Worker, message: string) => {
    if (worker !== failed) return;
    worker = undefined;
    if (underWay.length > 0) settle({ failure: message });
  };

  const settle = (reply: WorkerReply) => {
    const group = underWay;
    underWay = [];
    if (waiting.length > 0) send();
    else worker?.unref();
    for (const [i, pending] of group.entries())
      settleUnit(pending, 'outcomes' in reply ? reply.outcomes[i] : failed(file.path, reply.failure));
  };

  const send = () => {
    planned = false;
    if (underWay.length > 0 || waiting.length === 0) return;
    const size = groupSize(waiting);
    underWay = waiting.slice(0, size);
    waiting = waiting.slice(size);
    worker ??= start();
    // Only unfinished writes keep the process alive.
    worker.ref();
    worker.postMessage({ units: underWay.map((pending) => pending.unit), nowMs: clock() } satisfies WorkerRequest);
  };

  const submit = (unit: WriteUnit) =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      if (closing) return reject(new OpsError('unavailable', `table ${file.path} is closed`));
      waiting.push({ unit, resolve, reject });
      if (planned || underWay.length > 0) return;
      planned = true;
      queueMicrotask(send);
    });

  const close = async () => {
    while (waiting.length > 0 || underWay.length > 0) await new Promise((resolve) => setImmediate(resolve));
    const ending = worker;
    if (!ending) return;
    worker = undefined;
    ending.ref();
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.postMessage('close' satisfies WorkerRequest);
    await ended;
  };

  return { submit, close: () => (closing ??= close()) };
}

/** How many of the units that wait make the next group: at least one. */
function groupSize(waiting: readonly PendingUnit[]): number {
  let sizeBytes = 0;
  let size = 0;
  while (size < waiting.length && size < GROUP_UNITS && sizeBytes < GROUP_BYTES) {
    for (const write of waiting[size].unit) sizeBytes += write.kind === 'put' ? write.body.length : 0;
    size++;
  }
  return size;
}

function failed(path: string, message: string): UnitOutcome {
  return { done: false, kind: 'unavailable', message: `table ${path} could not commit: ${message}` };
}

function settleUnit(pending: PendingUnit, outcome: UnitOutcome): void {
  if (outcome.done) pending.resolve(outcome.body);
  else pending.reject(new OpsError(outcome.kind, outcome.message, { hint: outcome.hint }));
}
