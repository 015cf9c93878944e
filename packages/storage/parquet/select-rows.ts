import { type Series, seriesFromJson } from '#model/series.ts';
import { corruptBlock } from './corrupt.ts';
import type { Runs } from './hybrid.ts';
import { openPage } from './pages.ts';
import type { RowGroupSelection } from './plan.ts';
import { type ChunkPages, findPages, takeNumbers } from './read-chunk.ts';
import type { BlockFooter, RowGroup } from './read-footer.ts';
import { readSeriesRuns } from './series-runs.ts';

/** Wanted rows of one series; its row `from` goes to `out` of the output columns. */
export interface WantedRun {
  readonly series: Series;
  readonly from: number;
  readonly to: number;
  readonly out: number;
}

export interface WantedRows {
  readonly runs: readonly WantedRun[];
  /** Rows of all runs together: the length of output columns. */
  readonly count: number;
  /** Timestamps of the wanted rows, in output order. */
  readonly ts: Float64Array;
}

/** A row group and the bytes that were fetched for it, which start at its first. */
export interface OpenGroup {
  readonly group: RowGroup;
  readonly bytes: Uint8Array;
}

/** Checks that the bytes are the whole row group's. */
export function openGroup(footer: BlockFooter, rowGroup: number, bytes: Uint8Array): OpenGroup {
  const group = footer.rowGroups[rowGroup];
  if (group === undefined) throw corruptBlock(`no row group ${rowGroup}, there are ${footer.rowGroups.length}`);
  if (bytes.length !== group.end - group.start) {
    throw corruptBlock(`${bytes.length} bytes for row group ${rowGroup}, which has ${group.end - group.start}`);
  }
  return { group, bytes };
}

/** The bytes of one column. */
export function columnBytes({ group, bytes }: OpenGroup, column: number): Uint8Array {
  const chunk = group.columns[column];
  return bytes.subarray(chunk.start - group.start, chunk.end - group.start);
}

/** Finds the rows of the wanted series and times, and their timestamps. */
export function selectRows(open: OpenGroup, selection: RowGroupSelection): WantedRows {
  const { rows } = open.group;
  const resolve = selection.resolveSeries ?? parseSeries;
  const wanted: { series: Series; from: number; to: number }[] = [];
  for (const { metric, json, from, to } of readSeriesRuns(columnBytes(open, 0), columnBytes(open, 1), rows)) {
    const series = resolve(metric, json);
    if (series !== undefined) wanted.push({ series, from, to });
  }
  if (wanted.length === 0) return { runs: [], count: 0, ts: new Float64Array(0) };
  const ts = readTimestamps(open);
  const { minTs = Number.NEGATIVE_INFINITY, maxTs = Number.POSITIVE_INFINITY } = selection;
  const runs: WantedRun[] = [];
  let count = 0;
  for (const { series, from, to } of wanted) {
    const first = lowerBound(ts, from, to, minTs);
    const end = maxTs === Number.POSITIVE_INFINITY ? to : lowerBound(ts, first, to, Math.floor(maxTs) + 1);
    if (first === end) continue;
    runs.push({ series, from: first, to: end, out: count });
    count += end - first;
  }
  if (count === rows) return { runs, count, ts };
  const compact = new Float64Array(count);
  for (const { from, to, out } of runs) compact.set(ts.subarray(from, to), out);
  return { runs, count, ts: compact };
}

function parseSeries(metric: string, json: string): Series {
  try {
    return seriesFromJson(metric, json);
  } catch (cause) {
    throw corruptBlock(`labels of ${metric} that are not JSON`, cause);
  }
}

function readTimestamps(open: OpenGroup): Float64Array {
  const { rows } = open.group;
  const ts = new Float64Array(rows);
  const pages = findPages(columnBytes(open, 2), rows);
  pages.data.forEach((page, i) => {
    takeNumbers(openPage(page), page.encoding, page.count, 'integers', ts, pages.starts[i]);
  });
  return ts;
}

/** The first row from `from` to `to` whose time is at least `wantedTs`. */
function lowerBound(ts: Float64Array, from: number, to: number, wantedTs: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ts[middle] < wantedTs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls `read` for every page that holds a wanted row, with the index of the first run that reaches into it. */
export function forWantedPages(pages: ChunkPages, runs: readonly WantedRun[], read: (page: number, firstRun: number) => void): void {
  let run = 0;
  for (let page = 0; page < pages.data.length && run < runs.length; page++) {
    const end = pages.starts[page + 1];
    while (run < runs.length && runs[run].to <= pages.starts[page]) run++;
    if (run < runs.length && runs[run].from < end) read(page, run);
  }
}

/** Hands out the stretches of rows that are both present in a page and wanted. Returns their rows. */
export function intersect(
  levels: Runs,
  pageStart: number,
  runs: readonly WantedRun[],
  firstRun: number,
  take: (denseAt: number, row: number, out: number, length: number) => void,
): number {
  let [dense, start, run, found] = [0, pageStart, firstRun, 0];
  for (let i = 0; i < levels.ends.length; i++) {
    const end = pageStart + levels.ends[i];
    if (levels.values[i] === 1) {
      while (run < runs.length && runs[run].to <= start) run++;
      for (let r = run; r < runs.length && runs[r].from < end; r++) {
        const from = Math.max(start, runs[r].from);
        const to = Math.min(end, runs[r].to);
        take(dense + from - start, from, runs[r].out + from - runs[r].from, to - from);
        found += to - from;
      }
      dense += end - start;
    }
    start = end;
  }
  return found;
}

/** Marks (runs of 0 and 1 over all rows) of the wanted rows; undefined where no row of the group has one. */
export function copyMarks(marks: Runs, wanted: WantedRows): Uint8Array | undefined {
  if (!marks.values.includes(1)) return undefined;
  const copied = new Uint8Array(wanted.count);
  intersect(marks, 0, wanted.runs, 0, (_dense, _row, out, length) => copied.fill(1, out, out + length));
  return copied;
}

/** One series' part of marks; undefined where none is set. */
export function markedPart(marks: Uint8Array | undefined, from: number, to: number): Uint8Array | undefined {
  const part = marks?.subarray(from, to);
  return part?.includes(1) ? part : undefined;
}
