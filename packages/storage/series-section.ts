import zlib from 'node:zlib';
import { OpsError } from '#core/errors.ts';
import { type Series, seriesFromJson } from '#model/series.ts';
import { type SeriesRun, splitRuns } from '#model/series-runs.ts';

/**
 * The series of a segment, as runs: for each u32 series, u32 bytes packed, u32 bytes unpacked, then zstd of, per series, u16
 * bytes of its metric, u32 bytes of its canonical JSON, and both in UTF-8. A run met before is neither packed nor unpacked again.
 */
const RUN_HEADER_BYTES = 12;
const NAME_HEADER_BYTES = 6;
const ZSTD_LEVEL = 3;
const MAX_RUN_BYTES = 64 * 1024 * 1024;

interface PackedRun {
  /** Header and packed bytes. */
  readonly bytes: Buffer;
  readonly metrics: readonly string[];
}

const packedRuns = new WeakMap<SeriesRun, PackedRun>();

/** The pieces of the section, in order, and the distinct metrics in it. */
export function encodeSeries(series: readonly Series[]): { pieces: readonly Buffer[]; sizeBytes: number; metrics: ReadonlySet<string> } {
  const pieces: Buffer[] = [];
  const metrics = new Set<string>();
  let sizeBytes = 0;
  for (const run of splitRuns(series)) {
    const packed = packRun(run);
    pieces.push(packed.bytes);
    sizeBytes += packed.bytes.length;
    for (const metric of packed.metrics) metrics.add(metric);
  }
  return { pieces, sizeBytes, metrics };
}

function packRun(run: SeriesRun): PackedRun {
  let packed = packedRuns.get(run);
  if (!packed) {
    const raw = Buffer.concat(run.series.map(encodeName));
    const body = zlib.zstdCompressSync(raw, { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
    const header = Buffer.alloc(RUN_HEADER_BYTES);
    for (const [i, size] of [run.series.length, body.length, raw.length].entries()) header.writeUInt32LE(size, i * 4);
    packed = { bytes: Buffer.concat([header, body]), metrics: [...new Set(run.series.map((one) => one.metric))] };
    packedRuns.set(run, packed);
  }
  return packed;
}

function encodeName({ metric, json }: Series): Buffer {
  const metricBytes = Buffer.byteLength(metric);
  const name = Buffer.allocUnsafe(NAME_HEADER_BYTES + metricBytes + Buffer.byteLength(json));
  name.writeUInt16LE(metricBytes, 0);
  name.writeUInt32LE(name.length - NAME_HEADER_BYTES - metricBytes, 2);
  name.write(metric, NAME_HEADER_BYTES);
  name.write(json, NAME_HEADER_BYTES + metricBytes);
  return name;
}

/** The series of a run's packed bytes. */
export type UnpackRun = (packed: Buffer, count: number, rawBytes: number) => readonly Series[];

/** Unpacks each distinct run once; forgets all of them past `maxSeries`. */
export function createRunCache(maxSeries: number): UnpackRun {
  const known = new Map<string, readonly Series[]>();
  let held = 0;
  return (packed, count, rawBytes) => {
    const key = packed.toString('latin1');
    let series = known.get(key);
    if (!series) {
      series = unpackRun(packed, count, rawBytes);
      held += count;
      if (held > maxSeries) {
        known.clear();
        held = count;
      }
      known.set(key, series);
    }
    return series;
  };
}

/** The series of a section of `count` series. */
export function decodeSeriesSection(section: Buffer, count: number, unpack: UnpackRun = unpackRun): Series[] {
  const series: Series[] = [];
  let at = 0;
  while (series.length < count) {
    if (at + RUN_HEADER_BYTES > section.length) throw corruptSegment('its series section ends early');
    const [runCount, packedBytes, rawBytes] = [0, 4, 8].map((offset) => section.readUInt32LE(at + offset));
    const end = at + RUN_HEADER_BYTES + packedBytes;
    if (end > section.length || runCount === 0 || series.length + runCount > count || rawBytes > MAX_RUN_BYTES) {
      throw corruptSegment('a run of series does not fit');
    }
    for (const one of unpack(section.subarray(at + RUN_HEADER_BYTES, end), runCount, rawBytes)) series.push(one);
    at = end;
  }
  return series;
}

function unpackRun(packed: Buffer, count: number, rawBytes: number): Series[] {
  const raw = decompress(packed, rawBytes);
  const series: Series[] = [];
  let at = 0;
  while (series.length < count) {
    const metricStart = at + NAME_HEADER_BYTES;
    if (metricStart > raw.length) throw corruptSegment('a run of series ends early');
    const jsonStart = metricStart + raw.readUInt16LE(at);
    const end = jsonStart + raw.readUInt32LE(at + 2);
    if (end > raw.length) throw corruptSegment('a run of series ends early');
    series.push(parseSeries(raw.toString('utf8', metricStart, jsonStart), raw.toString('utf8', jsonStart, end)));
    at = end;
  }
  return series;
}

function parseSeries(metric: string, json: string): Series {
  try {
    return seriesFromJson(metric, json);
  } catch (cause) {
    throw corruptSegment('labels that are no JSON', cause);
  }
}

function decompress(packed: Buffer, rawBytes: number): Buffer {
  try {
    return zlib.zstdDecompressSync(packed, { maxOutputLength: Math.max(1, rawBytes) });
  } catch (cause) {
    throw corruptSegment('a run of series does not decompress', cause);
  }
}

/** The error of a segment that cannot be read. */
export function corruptSegment(why: string, cause?: unknown): OpsError {
  return new OpsError('input', `not a readable segment: ${why}`, { cause });
}
