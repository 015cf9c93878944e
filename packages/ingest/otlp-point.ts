import type { LabelKey } from './label-key.ts';
import { closeMessage, malformed, openMessage, type ProtoReader, readLength, readTag, skipField } from './protobuf.ts';

/** One data point as it comes off the wire; reused from point to point. Milliseconds; 0 where the sender gave no time. */
export interface WirePoint {
  start: number;
  /** Where the first attribute's tag stands, and the end of the last; -1 without attributes. */
  attributesStart: number;
  attributesEnd: number;
  /** Other fields stand between the attributes. */
  isScattered: boolean;
  startMs: number;
  tsMs: number;
  flags: number;
  /** A number point's value. */
  value: number;
  count: number;
  sum: number;
  hasSum: boolean;
  /** Upper bounds of buckets, or quantiles. */
  bounds: Float64Array;
  boundCount: number;
  /** Of each bucket by itself, or at each quantile. */
  values: Float64Array;
  valueCount: number;
  exemplars: number;
}

/** Bit of a point's flags: there is no value, the series has stopped. */
export const NO_RECORDED_VALUE = 1;

/** Makes a point to read into. */
export function createWirePoint(): WirePoint {
  return {
    start: 0,
    attributesStart: -1,
    attributesEnd: -1,
    isScattered: false,
    startMs: 0,
    tsMs: 0,
    flags: 0,
    value: 0,
    count: 0,
    sum: 0,
    hasSum: false,
    bounds: new Float64Array(64),
    boundCount: 0,
    values: new Float64Array(64),
    valueCount: 0,
    exemplars: 0,
  };
}

/** Forgets the point before; the reader is at the start of the next. */
export function startPoint(point: WirePoint, start: number): void {
  point.start = start;
  point.attributesStart = -1;
  point.attributesEnd = -1;
  point.isScattered = false;
  point.startMs = 0;
  point.tsMs = 0;
  point.flags = 0;
  point.value = 0;
  point.count = 0;
  point.sum = 0;
  point.hasSum = false;
  point.boundCount = 0;
  point.valueCount = 0;
  point.exemplars = 0;
}

/** Passes over an attribute whose tag began at `tagAt` and has been read, and remembers where it stands. */
export function passAttribute(point: WirePoint, reader: ProtoReader, tagAt: number): void {
  const end = readLength(reader);
  if (point.attributesStart < 0) point.attributesStart = tagAt;
  else if (tagAt !== point.attributesEnd) point.isScattered = true;
  point.attributesEnd = end;
  reader.pos = end;
}

/** Appends a bound or quantile. */
export function addBound(point: WirePoint, bound: number): void {
  if (point.boundCount === point.bounds.length) point.bounds = doubled(point.bounds);
  point.bounds[point.boundCount++] = bound;
}

/** Appends a bucket's count or a quantile's value. */
export function addValue(point: WirePoint, value: number): void {
  if (point.valueCount === point.values.length) point.values = doubled(point.values);
  point.values[point.valueCount++] = value;
}

/** Reads a repeated field of eight-byte values in its packed form. */
export function readPacked(reader: ProtoReader, point: WirePoint, read: (reader: ProtoReader) => number, add: typeof addBound): void {
  const outer = openMessage(reader);
  if ((reader.end - reader.pos) % 8 !== 0) throw malformed(reader, 'a list of 8-byte values of another length');
  while (reader.pos < reader.end) add(point, read(reader));
  closeMessage(reader, outer);
}

/** Appends the attributes' fields, tags and all. The reader stands at the point's end, and does so again afterwards. */
export function keyAttributes(key: LabelKey, reader: ProtoReader, point: WirePoint, fieldTag: number): void {
  if (point.attributesStart < 0) return;
  if (!point.isScattered) {
    key.addRaw(reader, point.attributesStart, point.attributesEnd - point.attributesStart);
    return;
  }
  const end = reader.pos;
  reader.pos = point.start;
  while (reader.pos < end) {
    const at = reader.pos;
    const tag = readTag(reader);
    skipField(reader, tag);
    if (tag === fieldTag) key.addRaw(reader, at, reader.pos - at);
  }
}

/** Appends the bounds, behind a byte that no attribute begins with. */
export function keyBounds(key: LabelKey, point: WirePoint): void {
  key.addByte(0);
  for (let i = 0; i < point.boundCount; i++) key.addDouble(point.bounds[i] as number);
}

function doubled(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
