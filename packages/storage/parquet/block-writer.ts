import type { Series } from '#model/series.ts';
import { type ByteSink, createSink, putBytes, sinkView } from './byte-sink.ts';
import { MAX_GROUP_ROWS } from './read-footer.ts';
import type { BlockKind } from './schema.ts';
import { MAGIC, putFooter, type WrittenRowGroup } from './write-footer.ts';

export interface BlockOptions {
  /** A row group ends at the next change of metric after this many rows (default 131,072)... */
  readonly groupRows?: number | undefined;
  /** ...and at the next series where it would pass this many (default 262,144). */
  readonly maxGroupRows?: number | undefined;
  /** A page of values ends at the series boundary after this many rows (default 16,384). */
  readonly pageRows?: number | undefined;
  /** zstd's compression level (default 3). */
  readonly level?: number | undefined;
  /** More key-value metadata for the footer, beside `quarterdeck.schema`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface EncodedBlock {
  readonly bytes: Uint8Array;
  /** How many bytes at the end `readFooter` needs. */
  readonly footerBytes: number;
  readonly rows: number;
  readonly seriesCount: number;
  /** Infinity and -Infinity in a block without rows. */
  readonly minTs: number;
  readonly maxTs: number;
}

/** How a row group is laid out. */
export interface GroupLayout {
  readonly pageRows: number;
  readonly level: number;
}

/** Collects rows of one kind and writes them as row groups. */
export interface GroupBuilder<T> {
  seriesOf(item: T): Series;
  tsOf(item: T): Float64Array;
  /** Appends rows `from` to `to` of an item. */
  add(item: T, from: number, to: number): void;
  /** Rows since the last `put`. */
  rows(): number;
  /** Characters of the metrics and labels among them. */
  textSize(): number;
  /** Writes them as a row group and begins the next. */
  put(sink: ByteSink, layout: GroupLayout): WrittenRowGroup;
}

/** Keeps dictionaries far below what the reader takes. */
const MAX_TEXT = 8 * 1024 * 1024;

/** Writes a whole file, yielding after each row group (some 10 to 20 ms of work). */
export function* blockSteps<T>(
  kind: BlockKind,
  input: Iterable<T>,
  builder: GroupBuilder<T>,
  options: BlockOptions,
): Generator<void, EncodedBlock> {
  const { groupRows = 131_072, maxGroupRows = 262_144, metadata = {} } = options;
  const layout = { pageRows: options.pageRows ?? 16_384, level: options.level ?? 3 };
  const sink = createSink(1 << 16);
  putBytes(sink, MAGIC);
  const groups: WrittenRowGroup[] = [];
  let [rows, seriesCount, minTs, maxTs] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let metric: string | undefined;
  for (const item of input) {
    const ts = builder.tsOf(item);
    if (ts.length === 0) continue;
    const series = builder.seriesOf(item);
    const held = builder.rows();
    const isFull = held + ts.length > maxGroupRows || builder.textSize() + series.json.length > MAX_TEXT;
    if (held > 0 && (isFull || (series.metric !== metric && held >= groupRows))) {
      groups.push(builder.put(sink, layout));
      yield;
    }
    for (let from = 0; from < ts.length; from += MAX_GROUP_ROWS) {
      if (from > 0) groups.push(builder.put(sink, layout));
      builder.add(item, from, Math.min(ts.length, from + MAX_GROUP_ROWS));
    }
    metric = series.metric;
    rows += ts.length;
    seriesCount++;
    minTs = Math.min(minTs, ts[0]);
    maxTs = Math.max(maxTs, ts[ts.length - 1]);
  }
  if (builder.rows() > 0) groups.push(builder.put(sink, layout));
  const footerBytes = putFooter(sink, kind, groups, metadata);
  return { bytes: sinkView(sink), footerBytes, rows, seriesCount, minTs, maxTs };
}

/** Runs steps to their end without a pause. */
export function finish<R>(steps: Generator<void, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
