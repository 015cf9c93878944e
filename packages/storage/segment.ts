import type { SampleBatch } from '#model/samples.ts';
import { corruptSegment, decodeSeriesSection, encodeSeries, type UnpackRun } from './series-section.ts';

/**
 * A segment's bytes, little-endian: a header of six u32 (magic, version, samples, series, bits of what is present, 0) and the
 * f64 `base`; then the columns, each padded to 8 bytes: value f64; start f64 if present; ts u32 as milliseconds after `base`;
 * index u32 unless sample i belongs to series i; flags u8 if present; then the series (series-section.ts).
 */
const MAGIC = 0x31475351; // "QSG1"
const VERSION = 1;
const HEADER_BYTES = 32;
const HAS_INDEX = 1;
const HAS_FLAGS = 2;
const HAS_START = 4;

export interface EncodedSegment {
  readonly bytes: Uint8Array;
  /** Distinct metric names. */
  readonly metrics: ReadonlySet<string>;
}

/** The bytes of a batch whose samples all lie within 2^32 ms from `baseMs` on. */
export function encodeSegment(batch: SampleBatch, baseMs: number): EncodedSegment {
  const count = batch.ts.length;
  const present = presentBits(batch);
  const layout = columnLayout(count, present);
  const { pieces, sizeBytes, metrics } = encodeSeries(batch.series);
  const bytes = new Uint8Array(layout.end + sizeBytes);
  const header = new DataView(bytes.buffer);
  for (const [i, size] of [MAGIC, VERSION, count, batch.series.length, present, 0].entries()) header.setUint32(i * 4, size, true);
  header.setFloat64(24, baseMs, true);
  new Float64Array(bytes.buffer, layout.value, count).set(batch.value);
  if (batch.startTs && present & HAS_START) new Float64Array(bytes.buffer, layout.start, count).set(batch.startTs);
  const ts = new Uint32Array(bytes.buffer, layout.ts, count);
  for (let i = 0; i < count; i++) ts[i] = batch.ts[i] - baseMs;
  if (present & HAS_INDEX) new Uint32Array(bytes.buffer, layout.index, count).set(batch.seriesIndex);
  if (present & HAS_FLAGS) bytes.set(batch.flags, layout.flags);
  let at = layout.end;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, metrics };
}

/** The batch of a segment's bytes. Columns may be views of them. `input` if the bytes are damaged. */
export function decodeSegment(source: Uint8Array, unpack?: UnpackRun): SampleBatch {
  const bytes = source.byteOffset % 8 === 0 ? source : source.slice();
  if (bytes.length < HEADER_BYTES) throw corruptSegment('it is shorter than its header');
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [magic, version, count, seriesCount, present] = Array.from({ length: 5 }, (_, i) => header.getUint32(i * 4, true));
  if (magic !== MAGIC || version !== VERSION) throw corruptSegment('it does not begin as a segment of version 1 does');
  const layout = columnLayout(count, present);
  if (layout.end > bytes.length) throw corruptSegment(`it has ${bytes.length} bytes, and its columns alone take ${layout.end}`);
  const baseMs = header.getFloat64(24, true);
  const at = bytes.byteOffset;
  const offsets = new Uint32Array(bytes.buffer, at + layout.ts, count);
  const ts = new Float64Array(count);
  for (let i = 0; i < count; i++) ts[i] = baseMs + offsets[i];
  const section = Buffer.from(bytes.buffer, at + layout.end, bytes.length - layout.end);
  const seriesIndex = present & HAS_INDEX ? new Uint32Array(bytes.buffer, at + layout.index, count) : identity(count);
  if (seriesIndex.some((index) => index >= seriesCount)) throw corruptSegment('a sample belongs to no series');
  return {
    series: decodeSeriesSection(section, seriesCount, unpack),
    seriesIndex,
    ts,
    value: new Float64Array(bytes.buffer, at + layout.value, count),
    flags: present & HAS_FLAGS ? bytes.subarray(layout.flags, layout.flags + count) : new Uint8Array(count),
    startTs: present & HAS_START ? new Float64Array(bytes.buffer, at + layout.start, count) : undefined,
  };
}

function identity(count: number): Uint32Array {
  const index = new Uint32Array(count);
  for (let i = 0; i < count; i++) index[i] = i;
  return index;
}

function presentBits(batch: SampleBatch): number {
  const { seriesIndex, flags, startTs } = batch;
  let isIdentity = seriesIndex.length === batch.series.length;
  let anyFlags = 0;
  for (let i = 0; i < flags.length; i++) {
    if (seriesIndex[i] !== i) isIdentity = false;
    anyFlags |= flags[i];
  }
  return (isIdentity ? 0 : HAS_INDEX) | (anyFlags ? HAS_FLAGS : 0) | (startTs ? HAS_START : 0);
}

function columnLayout(count: number, present: number) {
  const value = HEADER_BYTES;
  const start = value + count * 8;
  const ts = start + (present & HAS_START ? count * 8 : 0);
  const index = ts + padded(count * 4);
  const flags = index + (present & HAS_INDEX ? padded(count * 4) : 0);
  const end = flags + (present & HAS_FLAGS ? padded(count) : 0);
  return { value, start, ts, index, flags, end };
}

function padded(size: number): number {
  return (size + 7) & ~7;
}
