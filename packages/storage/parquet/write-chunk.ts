import { type ByteSink, createSink, putByte, putBytes, putUint32, sinkView } from './byte-sink.ts';
import { putSplitDoubles } from './byte-stream-split.ts';
import { type DeltaLayout, putDeltas } from './delta-packed.ts';
import { bitWidth, putHybrid, putRuns, type Runs } from './hybrid.ts';
import {
  BYTE_STREAM_SPLIT,
  compressPage,
  DELTA_BINARY_PACKED,
  PLAIN,
  putDataPage,
  putDictionaryPage,
  RLE,
  RLE_DICTIONARY,
} from './pages.ts';
import { putPlainIntegers } from './plain-integers.ts';
import type { ChunkStatistics, WrittenChunk } from './write-footer.ts';

/** A column chunk being appended to `sink`. */
export interface OpenChunk {
  readonly sink: ByteSink;
  readonly level: number;
  readonly offset: number;
  /** What compression has saved so far. */
  saved: number;
  dictionaryBytes: number;
  readonly encodings: Set<number>;
}

/** A way to encode a page of values. (DuckDB reads BYTE_STREAM_SPLIT of floats only, so integers have PLAIN beside deltas.) */
export type Candidate = { readonly encoding: 'deltas'; readonly layout: DeltaLayout } | { readonly encoding: 'plain' | 'split' };

/** Rows of a nullable page; `present` 1 where a value follows. */
export interface Levels {
  readonly present: Uint8Array;
  readonly from: number;
  readonly to: number;
}

const encodingNumbers = { deltas: DELTA_BINARY_PACKED, plain: PLAIN, split: BYTE_STREAM_SPLIT } as const;
const encoder = new TextEncoder();

/** Starts a chunk at the sink's end. */
export function openChunk(sink: ByteSink, level: number): OpenChunk {
  return { sink, level, offset: sink.at, saved: 0, dictionaryBytes: 0, encodings: new Set([RLE]) };
}

/** What the footer says of the chunk. */
export function closeChunk(chunk: OpenChunk, statistics: ChunkStatistics): WrittenChunk {
  const sizeBytes = chunk.sink.at - chunk.offset;
  return {
    offset: chunk.offset,
    sizeBytes,
    uncompressedBytes: sizeBytes + chunk.saved,
    dictionaryBytes: chunk.dictionaryBytes,
    encodings: [...chunk.encodings],
    statistics,
  };
}

/** Writes a required string column: a PLAIN dictionary and one page of runs of indexes. */
export function putStringColumn(chunk: OpenChunk, rows: number, dictionary: readonly string[], runs: Runs): void {
  const body = createSink(dictionary.length * 64 + 64);
  for (const value of dictionary) {
    const bytes = encoder.encode(value);
    putUint32(body, bytes.length);
    putBytes(body, bytes);
  }
  addDictionary(chunk, dictionary.length, sinkView(body));
  const page = createSink(runs.values.length * 8 + 16);
  const width = bitWidth(dictionary.length - 1);
  putByte(page, width);
  putRuns(page, runs, width);
  addPage(chunk, rows, RLE_DICTIONARY, sinkView(page));
}

/**
 * Writes one page of a column of few distinct 4- or 8-byte values: `indexes` point into the dictionary, one per present row. The
 * dictionary goes before the chunk's first page.
 */
export function putIndexPage(
  chunk: OpenChunk,
  levels: Levels | undefined,
  rows: number,
  dictionary: Uint8Array,
  entries: number,
  indexes: Uint8Array | Uint32Array,
): void {
  const page = createSink(256);
  if (levels !== undefined) putLevels(page, levels);
  if (entries === 0) {
    addPage(chunk, rows, PLAIN, sinkView(page)); // other readers refuse indexes without a dictionary
    return;
  }
  if (chunk.dictionaryBytes === 0) addDictionary(chunk, entries, dictionary);
  const width = bitWidth(entries - 1);
  putByte(page, width);
  putHybrid(page, indexes, 0, indexes.length, width);
  addPage(chunk, rows, RLE_DICTIONARY, sinkView(page));
}

/** Writes a required boolean column as RLE. */
export function putBooleanColumn(chunk: OpenChunk, values: Uint8Array, rows: number): void {
  const page = createSink(64);
  putLengthPrefixed(page, values, 0, rows);
  addPage(chunk, rows, RLE, sinkView(page));
}

/**
 * Writes one page of `values[from..to)`, under whichever candidate compresses best; returns that one. Under 'deltas' and 'plain' they are whole numbers
 * within +-2^53; 'deltas' are passed over where they are more than 2^52 apart.
 */
export function putNumberPage(
  chunk: OpenChunk,
  levels: Levels | undefined,
  rows: number,
  values: Float64Array,
  from: number,
  to: number,
  candidates: readonly Candidate[],
): Candidate {
  const deltasFit = to > from && spreadFits(values, from, to);
  let best: { candidate: Candidate; sizeBytes: number; compressed: Uint8Array } | undefined;
  for (const candidate of candidates) {
    if (candidate.encoding === 'deltas' && !deltasFit) continue;
    const tried = compressNumbers(chunk, levels, values, from, to, candidate);
    if (best === undefined || tried.compressed.length < best.compressed.length) best = tried;
  }
  best ??= compressNumbers(chunk, levels, values, from, to, { encoding: 'plain' });
  const encoding = encodingNumbers[best.candidate.encoding];
  chunk.encodings.add(encoding);
  chunk.saved += best.sizeBytes - best.compressed.length;
  putDataPage(chunk.sink, rows, encoding, best.sizeBytes, best.compressed);
  return best.candidate;
}

const scratch = createSink(1 << 16);

function compressNumbers(
  chunk: OpenChunk,
  levels: Levels | undefined,
  values: Float64Array,
  from: number,
  to: number,
  candidate: Candidate,
): { candidate: Candidate; sizeBytes: number; compressed: Uint8Array } {
  scratch.at = 0;
  if (levels !== undefined) putLevels(scratch, levels);
  if (candidate.encoding === 'deltas') putDeltas(scratch, values, from, to, candidate.layout);
  else if (candidate.encoding === 'split') putSplitDoubles(scratch, values, from, to);
  else putPlainIntegers(scratch, values, from, to);
  return { candidate, sizeBytes: scratch.at, compressed: compressPage(sinkView(scratch), chunk.level) };
}

/** Whether the values' deltas, and the differences of two deltas, are exact in float64. */
function spreadFits(values: Float64Array, from: number, to: number): boolean {
  let least = values[from];
  let most = least;
  for (let i = from + 1; i < to; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least <= 2 ** 52;
}

function addDictionary(chunk: OpenChunk, entries: number, body: Uint8Array): void {
  const compressed = compressPage(body, chunk.level);
  const before = chunk.sink.at;
  putDictionaryPage(chunk.sink, entries, body.length, compressed);
  chunk.saved += body.length - compressed.length;
  chunk.dictionaryBytes = chunk.sink.at - before;
  chunk.encodings.add(RLE_DICTIONARY).add(PLAIN);
}

function addPage(chunk: OpenChunk, rows: number, encoding: number, body: Uint8Array): void {
  const compressed = compressPage(body, chunk.level);
  chunk.saved += body.length - compressed.length;
  chunk.encodings.add(encoding);
  putDataPage(chunk.sink, rows, encoding, body.length, compressed);
}

function putLevels(sink: ByteSink, levels: Levels): void {
  putLengthPrefixed(sink, levels.present, levels.from, levels.to);
}

function putLengthPrefixed(sink: ByteSink, values: Uint8Array, from: number, to: number): void {
  const lengthAt = sink.at;
  putUint32(sink, 0);
  putHybrid(sink, values, from, to, 1);
  const end = sink.at;
  sink.at = lengthAt;
  putUint32(sink, end - lengthAt - 4);
  sink.at = end;
}
