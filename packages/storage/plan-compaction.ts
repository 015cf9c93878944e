import { alignDown, DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { type CatalogEntry, dayStart, LEVEL, visibleEntries, type Window } from './catalog-entry.ts';

/** Inputs to be replaced by blocks of a level. */
export interface CompactionJob {
  readonly level: number;
  readonly inputs: readonly CatalogEntry[];
}

/** A closed day is made final this long after its end, when the ordinary stragglers are in. */
const CLOSE_DELAY_MS = 10 * MINUTE_MS;
/** Late data of a closed day waits this long for more of its kind, unless it is a quarter of the day. */
const LATE_DELAY_MS = HOUR_MS;
const LATE_SHARE = 0.25;
const HOURS_SLOT_MS = 2 * HOUR_MS;
/** Fewer segments than this are left for the two-hour level. */
const MIN_SEGMENTS = 16;
/** Bounds of one step's inputs: segments are unpacked whole, blocks are streamed. */
const MAX_SEGMENT_ROWS = 4_000_000;
const MAX_INPUT_BYTES = 256 * 1024 * 1024;
/** Ids of all inputs ride in one catalog item of at most 400 KB. */
const MAX_INPUTS = 4_000;
/** 80 blocks of the size that blocks have: what one commit holds. */
const MAX_INPUT_ROWS = 640_000_000;

/** True once the day is over and its stragglers have had their time. */
export function isClosed(window: Window, nowMs: number): boolean {
  return nowMs >= dayStart(window) + DAY_MS + CLOSE_DELAY_MS;
}

/**
 * The next compaction of a raw window, if any is due: recent (segments of about a minute), hours (what was written in past
 * two-hour slots), final (the whole day, once it is over). `force` makes everything that is not final yet due now.
 */
export function planCompaction(window: Window, entries: readonly CatalogEntry[], nowMs: number, force = false): CompactionJob | undefined {
  const visible = visibleEntries(entries);
  const pending = visible.filter((entry) => entry.level < LEVEL.final);
  if (pending.length === 0) return undefined;
  const segments = bounded(pending.filter((entry) => entry.level === LEVEL.segment));
  const segmentCount = pending.filter((entry) => entry.level === LEVEL.segment).length;
  if (segments.length < segmentCount) return { level: LEVEL.recent, inputs: segments };
  if (isClosed(window, nowMs) || force) {
    const final = visible.filter((entry) => entry.level === LEVEL.final);
    if (force || isFinalDue(final, pending, nowMs)) {
      return { level: LEVEL.final, inputs: finalInputs(pending, final) };
    }
    return segments.length >= MIN_SEGMENTS ? { level: LEVEL.recent, inputs: segments } : undefined;
  }
  const slotStart = alignDown(nowMs, HOURS_SLOT_MS);
  const past = bounded(pending.filter((entry) => entry.level < LEVEL.hours && entry.createdAtMs < slotStart));
  if (past.length >= 2) return { level: LEVEL.hours, inputs: past };
  return segments.length >= MIN_SEGMENTS ? { level: LEVEL.recent, inputs: segments } : undefined;
}

/** The whole day where one step can take it; a larger day grows by further final blocks beside those that it has. */
function finalInputs(pending: readonly CatalogEntry[], final: readonly CatalogEntry[]): CatalogEntry[] {
  const all = bounded([...pending, ...final]);
  return all.length === pending.length + final.length ? all : bounded(pending);
}

function isFinalDue(final: readonly CatalogEntry[], pending: readonly CatalogEntry[], nowMs: number): boolean {
  if (final.length === 0) return true;
  const rows = (entries: readonly CatalogEntry[]) => entries.reduce((sum, entry) => sum + entry.rows, 0);
  const oldest = Math.min(...pending.map((entry) => entry.createdAtMs));
  return rows(pending) >= LATE_SHARE * rows(final) || nowMs - oldest >= LATE_DELAY_MS;
}

/** As many as one step may take, oldest first. */
function bounded(entries: readonly CatalogEntry[]): CatalogEntry[] {
  const taken: CatalogEntry[] = [];
  let segmentRows = 0;
  let rows = 0;
  let bytes = 0;
  for (const entry of [...entries].sort((a, b) => a.createdAtMs - b.createdAtMs)) {
    segmentRows += entry.kind === 'segment' ? entry.rows : 0;
    rows += entry.rows;
    bytes += entry.bytes;
    const tooMany = segmentRows > MAX_SEGMENT_ROWS || rows > MAX_INPUT_ROWS || taken.length >= MAX_INPUTS;
    const over = tooMany || bytes > MAX_INPUT_BYTES;
    if (over && taken.length > 0) break;
    taken.push(entry);
  }
  return taken;
}
