import { OpsError } from '#core/errors.ts';
import { type Clock, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { type ChangeLogDeps, type LogMark, lastMark, lastPart, writeMark, writePart } from './change-log.ts';
import type { Change, ChangeStream, Shard } from './change-stream.ts';
import { type ShardPosition, walkShards } from './walk-shards.ts';

export interface CaptureDeps {
  readonly stream: ChangeStream;
  readonly log: ChangeLogDeps;
  readonly clock: Clock;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** How long a change takes into the stream at most. Default 10 s. */
  readonly settleMs?: number | undefined;
  readonly emptyAnswers?: number | undefined;
}

export interface CaptureInput {
  /** No new part is begun past this time; what is left the next capture takes. */
  readonly deadlineMs?: number | undefined;
  /** A part holds about as much, in bytes of lines. Default 4 MiB. */
  readonly partBytes?: number | undefined;
}

export interface CaptureSummary {
  readonly changes: number;
  readonly parts: number;
  /** What is whole now; undefined where the time ended before the capture did. */
  readonly mark?: LogMark | undefined;
  /** Changes of these times may be lost. */
  readonly gap?: { readonly fromMs: number; readonly untilMs: number } | undefined;
}

const SETTLE_MS = 10_000;
const PART_BYTES = 4 * 1024 * 1024;
// A stream keeps 24 hours. Past this age of the last capture something may be gone without a sign: a closed shard's end, for instance.
const KEPT_MS = 24 * HOUR_MS;
const KEPT_MARGIN_MS = 30 * MINUTE_MS;

/**
 * Takes what a stream has beyond the log into it, shard by shard, and marks the time up to which the log is whole. May run twice at once, die
 * anywhere, and be repeated: each part is created once, and where another capture was first, this one goes on behind it. A gap, which
 * a stream leaves that was not read for a day or was switched off, is told and stays visible between the marks.
 */
export async function captureChanges(deps: CaptureDeps, input: CaptureInput = {}): Promise<CaptureSummary> {
  const startedAtMs = deps.clock();
  const untilMs = startedAtMs - (deps.settleMs ?? SETTLE_MS);
  const before = await lastMark(deps.log, startedAtMs);
  const shards = await deps.stream.shards();
  const positions = await readPositions(deps, shards);
  const progress: Progress = { changes: 0, parts: 0, lagMs: 0, wholeFromMs: startOf(deps, before, shards, positions, startedAtMs) };
  const take = { positions, untilMs, progress };
  const isComplete = await takeShards(deps, input, take);
  // A shard without changes has a part too, which says that it was looked at: nothing of its parents is missed a second time.
  if (isComplete)
    for (const shard of shards)
      if (!positions.has(shard.id)) await appendPart(deps, take, { shard, changes: [], closed: false, sizeBytes: 0 });
  const { changes, parts, lagMs, wholeFromMs } = progress;
  if (!isComplete) return { changes, parts };
  // What is lost is a day old: since the beginning of this capture all is there.
  const fromMs = Math.min(wholeFromMs, untilMs);
  const mark = { stream: deps.stream.label, fromMs, untilMs, capturedAtMs: startedAtMs, lagMs };
  await writeMark(deps.log, mark);
  const gap = before !== undefined && fromMs > before.untilMs ? { fromMs: before.untilMs, untilMs: fromMs } : undefined;
  return { changes, parts, mark, gap };
}

interface Position extends ShardPosition {
  /** Number of the shard's last part; -1 before the first. */
  readonly number: number;
}

interface Progress {
  changes: number;
  parts: number;
  lagMs: number;
  /** From when on this capture and those before it have everything. */
  wholeFromMs: number;
}

async function readPositions(deps: CaptureDeps, shards: readonly Shard[]): Promise<Map<string, Position>> {
  const positions = new Map<string, Position>();
  // A parent that the stream no longer has says by its last part whether its children follow without a gap.
  const ids = new Set(shards.flatMap(({ id, parentId }) => [id, ...(parentId === undefined ? [] : [parentId])]));
  for (const id of ids) {
    const last = await lastPart(deps.log, deps.stream.label, id);
    if (last) positions.set(id, positionOf(last));
  }
  return positions;
}

function positionOf({ number, part }: NonNullable<Awaited<ReturnType<typeof lastPart>>>): Position {
  return { number, closed: part.closed, after: part.changes.at(-1)?.sequence ?? part.after };
}

/** From when on the log is whole if nothing turns out to be trimmed: where the last capture ended, or now. */
function startOf(
  deps: CaptureDeps,
  before: LogMark | undefined,
  shards: readonly Shard[],
  positions: ReadonlyMap<string, Position>,
  nowMs: number,
): number {
  if (before === undefined || before.stream !== deps.stream.label) return nowMs;
  const oldestKeptMs = nowMs - KEPT_MS + KEPT_MARGIN_MS;
  if (before.untilMs < oldestKeptMs) return oldestKeptMs;
  const listed = new Set(shards.map(({ id }) => id));
  const isOrphan = ({ id, parentId }: Shard) =>
    parentId !== undefined && !listed.has(parentId) && !positions.has(id) && positions.get(parentId)?.closed !== true;
  return shards.some(isOrphan) ? nowMs : before.untilMs;
}

interface Take {
  readonly positions: Map<string, Position>;
  readonly untilMs: number;
  readonly progress: Progress;
}

/** True if every shard was read to its end, false where the deadline came first. */
async function takeShards(deps: CaptureDeps, input: CaptureInput, take: Take): Promise<boolean> {
  const settleMs = deps.settleMs ?? SETTLE_MS;
  const walk = { stream: deps.stream, clock: deps.clock, sleep: deps.sleep, settleMs, emptyAnswers: deps.emptyAnswers };
  let open: OpenPart | undefined;
  const flush = async () => {
    if (open && (open.changes.length > 0 || open.closed)) await appendPart(deps, take, open);
    open = undefined;
  };
  for await (const { shard, changes, closed, trimmed } of walkShards(walk, take.positions, take.untilMs)) {
    if (open?.shard.id !== shard.id) await flush();
    if (trimmed) noteTrimmed(deps, take, changes);
    open ??= { shard, changes: [], closed: false, sizeBytes: 0 };
    open.changes.push(...changes);
    open.closed = closed;
    open.sizeBytes += changes.reduce((size, { key, item }) => size + key.length + (item?.length ?? 0) + 60, 0);
    const isLate = deps.clock() > (input.deadlineMs ?? Number.POSITIVE_INFINITY);
    if (!isLate && open.sizeBytes < (input.partBytes ?? PART_BYTES)) continue;
    await flush();
    if (isLate) return false;
  }
  await flush();
  return true;
}

interface OpenPart {
  readonly shard: Shard;
  readonly changes: Change[];
  closed: boolean;
  sizeBytes: number;
}

/** The stream lost changes before these: whole again from the first of them on, or from now. */
function noteTrimmed(deps: CaptureDeps, { progress }: Take, changes: readonly Change[]): void {
  const first = changes[0];
  // The second in which it took place may have had others before it.
  const wholeFromMs = first === undefined ? deps.clock() : (first.atS + 1) * 1_000;
  progress.wholeFromMs = Math.max(progress.wholeFromMs, wholeFromMs);
}

/** Appends behind the shard's last part; what another capture has appended meanwhile is left out. */
async function appendPart(deps: CaptureDeps, { positions, progress }: Take, open: OpenPart): Promise<void> {
  const { shard, closed } = open;
  for (let attempt = 0; attempt < 100; attempt++) {
    const { number, after, closed: wasClosed } = positions.get(shard.id) ?? { number: -1, after: undefined, closed: false };
    const changes = open.changes.filter(({ sequence }) => after === undefined || isAfter(sequence, after));
    if (wasClosed || (changes.length === 0 && !closed && number >= 0)) return;
    const capturedAtMs = deps.clock();
    const part = { shardId: shard.id, parentId: shard.parentId, closed, capturedAtMs, after, changes };
    if (await writePart(deps.log, deps.stream.label, number + 1, part)) {
      positions.set(shard.id, { number: number + 1, closed, after: changes.at(-1)?.sequence ?? after });
      progress.changes += changes.length;
      progress.parts++;
      const first = changes[0];
      if (first) progress.lagMs = Math.max(progress.lagMs, capturedAtMs - Math.max(first.atS * 1_000, progress.wholeFromMs));
      return;
    }
    const last = await lastPart(deps.log, deps.stream.label, shard.id);
    if (last === undefined) throw new OpsError('unavailable', `the log of shard "${shard.id}" vanished while it was written`);
    positions.set(shard.id, positionOf(last));
  }
  throw new OpsError('unavailable', `the log of shard "${shard.id}" is being written by too many at once`);
}

/** Sequence numbers are whole numbers of any length. */
function isAfter(sequence: string, other: string): boolean {
  return BigInt(sequence) > BigInt(other);
}
