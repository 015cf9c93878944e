import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { DecodeContext } from '#ingest/decode-context.ts';
import { decodeLines, type ImportBlock } from '#ingest/import-stream.ts';
import { type IngestDeps, ingestSamples } from '#ingest/ingest-samples.ts';
import { countAccepted } from '#ingest/refuse-days.ts';
import { createRejectionList } from '#ingest/rejections.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import { importContinued, importFinished } from './import-events.ts';
import { type ImportLease, takeLease } from './import-lease.ts';
import { errorAttribute, type ImportState, type ImportTally, importObjectKey, tallyAttributes } from './import-record.ts';
import { readObjectText } from './object-text.ts';

export interface RunImportDeps {
  readonly blobs: Blobs;
  readonly table: Table;
  readonly ingest: IngestDeps;
  readonly now: Clock;
  readonly newId: () => string;
  readonly sleep: (delayMs: number) => Promise<void>;
}

export interface RunImportInput {
  readonly tenant: string;
  readonly id: string;
  /** How long this run may still take; it stops in good time, between two blocks, to be continued. Default: as long as it likes. */
  readonly remainingMs?: (() => number) | undefined;
}

export interface RunImportResult {
  readonly id: string;
  /**
   * `done`, `failed`: it has ended, now or before. `continued`: it stopped for lack of time, `postponed`: because of an error that may
   * pass; either way an event will start it again. `running`: somebody else is at it. `waiting`: nothing has been uploaded.
   * `unknown`: there is no such import, or no more.
   */
  readonly outcome: ImportState | 'continued' | 'postponed' | 'unknown';
  readonly accepted?: number | undefined;
  readonly rejected?: number | undefined;
  readonly error?: string | undefined;
}

const SAVE_EVERY_MS = SECOND_MS;
/** A block, its writes with all their repeats, and the end. */
const STOP_BEFORE_MS = MINUTE_MS;
/** Runs in a row that an error may end before one block is taken. Continued a minute apart, they outlast a short outage. */
const MAX_FAILURES = 10;
/** As often as Lambda delivers an event whose function fails. */
const MAX_DEFECTS = 3;
const MAX_SERIES = 50_000;

/**
 * Imports an uploaded file, or goes on with it. May be called at any time and any number of times, at once too: blocks are cut by
 * the file's bytes alone and a block's samples are stored once, so what was done before a crash is met again and changes nothing. The
 * tally is saved about once a second, always as of the end of a block. Ends by deleting the object and telling of it in the outbox.
 * What it throws, a defect's error or `unavailable` where not even the table can be written, asks for the event to be delivered again.
 */
export async function runImport(deps: RunImportDeps, input: RunImportInput): Promise<RunImportResult> {
  const { id } = input;
  const sizeBytes = await findObject(deps, input);
  const lease = await takeLease(deps, { ...input, hasFile: sizeBytes !== undefined });
  if (typeof lease === 'string') {
    if (sizeBytes !== undefined && (lease === 'done' || lease === 'failed')) await deleteObject(deps, input);
    return { id, outcome: lease };
  }
  try {
    const end = await takeAll(deps, lease, sizeBytes, input.remainingMs ?? (() => Number.POSITIVE_INFINITY));
    return await end();
  } catch (error) {
    if (!lease.isLost()) throw error;
    return { id, outcome: 'running' };
  }
}

/** Takes what there is time for; returns how to end the run. */
async function takeAll(
  deps: RunImportDeps,
  lease: ImportLease,
  sizeBytes: number | undefined,
  remainingMs: () => number,
): Promise<() => Promise<RunImportResult>> {
  let tally = lease.record.tally;
  try {
    if (sizeBytes === undefined) throw new OpsError('missing', 'the uploaded file is gone');
    for await (const next of takeBlocks(deps, lease, sizeBytes)) {
      tally = next;
      if (remainingMs() < STOP_BEFORE_MS) return () => stop(deps, lease, tally);
    }
    return () => finish(deps, lease, { ...tally, objectBytes: sizeBytes, totalBytes: sizeBytes }, 'done');
  } catch (error) {
    if (lease.isLost()) throw error;
    return () => giveUp(deps, lease, tally, error);
  }
}

/** Takes block after block; gives the tally as of the end of each. */
async function* takeBlocks(deps: RunImportDeps, lease: ImportLease, sizeBytes: number): AsyncGenerator<ImportTally, void, undefined> {
  const { tenant, id, format, precision, encoding, startedAtMs, tally: before } = lease.record;
  const { limits, keepUtf8Names } = deps.ingest.tenant(tenant);
  const series = createSeriesCache({ maxSeries: MAX_SERIES, limits });
  const context: DecodeContext = { intern: (labels) => series.intern(labels), nowMs: startedAtMs ?? deps.now(), limits };
  const key = importObjectKey({ tenant, id });
  let objectBytes = before.objectBytes;
  const onRead = (bytes: number) => {
    objectBytes = Math.max(objectBytes, bytes);
    return lease.keep();
  };
  const chunks = readObjectText(deps.blobs, { key, sizeBytes, encoding, fromBytes: before.textBytes, onRead });
  const from = { ...before, bytes: before.textBytes, samples: 0 };
  let tally = { ...before, totalBytes: sizeBytes };
  let savedAtMs = deps.now();
  for await (const block of decodeLines(chunks, context, { format, precision, keepUtf8Names, from })) {
    tally = await takeBlock(deps, lease, tally, block);
    tally = { ...tally, objectBytes: Math.min(objectBytes, sizeBytes) };
    if (deps.now() - savedAtMs >= SAVE_EVERY_MS) {
      savedAtMs = deps.now();
      await lease.save({ ...tallyAttributes(tally), failures: 0 });
    }
    yield tally;
  }
}

async function takeBlock(deps: RunImportDeps, { record }: ImportLease, tally: ImportTally, block: ImportBlock): Promise<ImportTally> {
  const { tenant, id } = record;
  // Samples without a time have that of the import's start, so the same block is the same request, and no other import's.
  const newId = () => `${id}/${tally.textBytes}`;
  const input = { tenant, protocol: 'import', decoded: block.decoded, isHistory: true };
  const stored = await ingestSamples({ ...deps.ingest, newId }, input);
  const rejections = createRejectionList(tally.rejections);
  for (const { reason, count, message } of stored.rejections) rejections.add(reason, count, () => message);
  const { bytes: textBytes, lines, rejectedLines, reported } = block.progress;
  const accepted = tally.accepted + countAccepted(stored);
  return { ...tally, textBytes, lines, accepted, rejectedLines, reported, rejections: rejections.finish() };
}

async function finish(
  deps: RunImportDeps,
  lease: ImportLease,
  tally: ImportTally,
  state: Extract<ImportState, 'done' | 'failed'>,
  error?: string,
): Promise<RunImportResult> {
  const { tenant, id } = lease.record;
  const set = { ...tallyAttributes(tally), state, finishedAtMs: deps.now(), ...(error !== undefined && { error: errorAttribute(error) }) };
  const rejected = tally.rejections.reduce((sum, { count }) => sum + count, 0);
  const result = { accepted: tally.accepted, rejected };
  await lease.end({ set, remove: error === undefined ? ['error'] : [] }, importFinished(deps, { tenant, uploadId: id, state, ...result }));
  await deleteObject(deps, lease.record);
  return { id, outcome: state, ...result, error };
}

/** Ends the run but not the import: an event starts the next one. */
async function stop(deps: RunImportDeps, lease: ImportLease, tally: ImportTally, error?: OpsError | undefined): Promise<RunImportResult> {
  const { tenant, id } = lease.record;
  const told = error && { failures: failuresOf(lease, tally), error: errorAttribute(error.message) };
  const set = { ...tallyAttributes(tally), failures: 0, ...told };
  await lease.end({ set, remove: error ? [] : ['error'] }, importContinued(deps, { tenant, uploadId: id }));
  return { id, outcome: error ? 'postponed' : 'continued', accepted: tally.accepted, error: error?.message };
}

/** What repeating will not mend ends the import; an outage puts it off; of a defect those who read the logs are to hear. */
async function giveUp(deps: RunImportDeps, lease: ImportLease, tally: ImportTally, error: unknown): Promise<RunImportResult> {
  const failures = failuresOf(lease, tally);
  if (!isOpsError(error)) {
    const told = 'something went wrong here';
    if (failures >= MAX_DEFECTS) await finish(deps, lease, tally, 'failed', told).catch(() => undefined);
    else await lease.release({ ...tallyAttributes(tally), failures, error: told }).catch(() => undefined);
    throw error;
  }
  if (error.kind !== 'unavailable') return finish(deps, lease, tally, 'failed', error.message);
  if (failures < MAX_FAILURES) return stop(deps, lease, tally, error);
  return finish(deps, lease, tally, 'failed', `given up after ${failures} tries: ${error.message}`);
}

/** Runs that failed at this very place, this one included. */
function failuresOf({ record }: ImportLease, tally: ImportTally): number {
  return tally.textBytes > record.tally.textBytes ? 1 : record.failures + 1;
}

async function findObject({ blobs }: RunImportDeps, input: RunImportInput): Promise<number | undefined> {
  const key = importObjectKey(input);
  const { entries } = await retry(() => blobs.list(key, { limit: 1 }));
  return entries.find((entry) => entry.key === key)?.sizeBytes;
}

async function deleteObject({ blobs }: RunImportDeps, input: { tenant: string; id: string }): Promise<void> {
  await retry(() => blobs.delete([importObjectKey(input)]));
}
