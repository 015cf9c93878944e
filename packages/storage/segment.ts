import zlib from 'node:zlib';
import { OpsError } from '#core/errors.ts';
import type { SampleBatch } from '#model/samples.ts';
import { type Series, seriesFromJson } from '#model/series.ts';

/**
 * A segment's bytes, little-endian: a header of eight u32 (magic, version, samples, series, bits of what is present, bytes of
 * the series section as stored and unpacked, 0) and the f64 `base`; then the columns, each padded to 8 bytes: value f64; start
 * f64 if present; ts u32 as milliseconds after `base`; index u32 unless sample i belongs to series i; flags u8 if present; then
 * the series section, zstd: for each series u16 bytes of its metric, u32 bytes of its canonical JSON, then both in UTF-8.
 */
const MAGIC = 0x31475351; // "QSG1"
const VERSION = 1;
const HEADER_BYTES = 40;
const HAS_INDEX = 1;
const HAS_FLAGS = 2;
const HAS_START = 4;
const ZSTD_LEVEL = 1;
const NAME_HEADER_BYTES = 6;

/** Makes the series whose metric lies at [metricStart, jsonStart) and whose JSON at [jsonStart, end). */
export type InternEncoded = (raw: Buffer, metricStart: number, jsonStart: number, end: number) => Series;

const parseEncoded: InternEncoded = (raw, metricStart, jsonStart, end) =>
  seriesFromJson(raw.toString('utf8', metricStart, jsonStart), raw.toString('utf8', jsonStart, end));

/** Parses each distinct series once; forgets all of them past `maxSeries`. */
export function createEncodedInterner(maxSeries: number): InternEncoded {
  const known = new Map<string, Series>();
  return (raw, metricStart, jsonStart, end) => {
    const key = raw.toString('latin1', metricStart - NAME_HEADER_BYTES, end);
    let series = known.get(key);
    if (!series) {
      if (known.size >= maxSeries) known.clear();
      series = parseEncoded(raw, metricStart, jsonStart, end);
      known.set(key, series);
    }
    return series;
  };
}

const encodedNames = new WeakMap<Series, Buffer>();

/** The bytes of a batch whose samples all lie within 2^32 ms from `baseMs` on. */
export function encodeSegment(batch: SampleBatch, baseMs: number): Uint8Array {
  const count = batch.ts.length;
  const packed = zlib.zstdCompressSync(seriesSection(batch.series), { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
  const present = presentBits(batch);
  const layout = columnLayout(count, present);
  const bytes = new Uint8Array(layout.end + packed.length);
  const header = new DataView(bytes.buffer);
  const sizes = [MAGIC, VERSION, count, batch.series.length, present, packed.length, sectionBytes(batch.series), 0];
  for (const [i, size] of sizes.entries()) header.setUint32(i * 4, size, true);
  header.setFloat64(32, baseMs, true);
  new Float64Array(bytes.buffer, layout.value, count).set(batch.value);
  if (batch.startTs && present & HAS_START) new Float64Array(bytes.buffer, layout.start, count).set(batch.startTs);
  const ts = new Uint32Array(bytes.buffer, layout.ts, count);
  for (let i = 0; i < count; i++) ts[i] = batch.ts[i] - baseMs;
  if (present & HAS_INDEX) new Uint32Array(bytes.buffer, layout.index, count).set(batch.seriesIndex);
  if (present & HAS_FLAGS) bytes.set(batch.flags, layout.flags);
  bytes.set(packed, layout.end);
  return bytes;
}

/** The batch of a segment's bytes; `intern` makes its series, or finds those that it has met. */
export function decodeSegment(source: Uint8Array, intern: InternEncoded = parseEncoded): SampleBatch {
  const bytes = source.byteOffset % 8 === 0 ? source : source.slice();
  if (bytes.length < HEADER_BYTES) throw corrupt('it is shorter than its header');
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [magic, version, count, seriesCount, present, packedBytes, rawBytes] = Array.from({ length: 7 }, (_, i) =>
    header.getUint32(i * 4, true),
  );
  if (magic !== MAGIC || version !== VERSION) throw corrupt('it does not begin as a segment of version 1 does');
  const layout = columnLayout(count, present);
  if (layout.end + packedBytes !== bytes.length) throw corrupt(`it has ${bytes.length} bytes and should have ${layout.end + packedBytes}`);
  const baseMs = header.getFloat64(32, true);
  const at = bytes.byteOffset;
  const offsets = new Uint32Array(bytes.buffer, at + layout.ts, count);
  const ts = new Float64Array(count);
  for (let i = 0; i < count; i++) ts[i] = baseMs + offsets[i];
  return {
    series: decodeSeries(bytes.subarray(layout.end), rawBytes, seriesCount, intern),
    seriesIndex:
      present & HAS_INDEX ? new Uint32Array(bytes.buffer, at + layout.index, count) : Uint32Array.from({ length: count }, (_, i) => i),
    ts,
    value: new Float64Array(bytes.buffer, at + layout.value, count),
    flags: present & HAS_FLAGS ? bytes.subarray(layout.flags, layout.flags + count) : new Uint8Array(count),
    startTs: present & HAS_START ? new Float64Array(bytes.buffer, at + layout.start, count) : undefined,
  };
}

function presentBits(batch: SampleBatch): number {
  const { seriesIndex, flags, startTs } = batch;
  let bits = startTs ? HAS_START : 0;
  if (seriesIndex.length !== batch.series.length) bits |= HAS_INDEX;
  for (let i = 0; i < flags.length; i++) {
    if (seriesIndex[i] !== i) bits |= HAS_INDEX;
    if (flags[i] !== 0) bits |= HAS_FLAGS;
  }
  return bits;
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

function encodedName(series: Series): Buffer {
  let name = encodedNames.get(series);
  if (!name) {
    const metricBytes = Buffer.byteLength(series.metric);
    const jsonBytes = Buffer.byteLength(series.json);
    name = Buffer.allocUnsafe(NAME_HEADER_BYTES + metricBytes + jsonBytes);
    name.writeUInt16LE(metricBytes, 0);
    name.writeUInt32LE(jsonBytes, 2);
    name.write(series.metric, NAME_HEADER_BYTES);
    name.write(series.json, NAME_HEADER_BYTES + metricBytes);
    encodedNames.set(series, name);
  }
  return name;
}

function sectionBytes(series: readonly Series[]): number {
  return series.reduce((sum, one) => sum + encodedName(one).length, 0);
}

function seriesSection(series: readonly Series[]): Buffer {
  return Buffer.concat(series.map(encodedName));
}

function decodeSeries(packed: Uint8Array, rawBytes: number, count: number, intern: InternEncoded): Series[] {
  const raw = unpack(packed, rawBytes);
  const series: Series[] = [];
  let at = 0;
  while (series.length < count) {
    const metricStart = at + NAME_HEADER_BYTES;
    if (metricStart > raw.length) throw corrupt('its series section ends early');
    const jsonStart = metricStart + raw.readUInt16LE(at);
    const end = jsonStart + raw.readUInt32LE(at + 2);
    if (end > raw.length) throw corrupt('its series section ends early');
    series.push(intern(raw, metricStart, jsonStart, end));
    at = end;
  }
  return series;
}

function unpack(packed: Uint8Array, rawBytes: number): Buffer {
  try {
    return zlib.zstdDecompressSync(packed, { maxOutputLength: rawBytes + 1 });
  } catch (cause) {
    throw corrupt('its series section does not decompress', cause);
  }
}

function corrupt(why: string, cause?: unknown): OpsError {
  return new OpsError('input', `not a readable segment: ${why}`, { cause });
}
