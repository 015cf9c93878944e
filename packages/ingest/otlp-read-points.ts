import { addBound, addValue, passAttribute, readPacked, startPoint, type WirePoint } from './otlp-point.ts';
import {
  BYTES,
  closeMessage,
  FIXED64,
  openMessage,
  type ProtoReader,
  readDouble,
  readFixed64,
  readNanosAsMs,
  readSfixed64,
  readTag,
  readUint,
  skipField,
  VARINT,
} from './protobuf.ts';

/** Tags of the attributes of each kind of point. */
export const NUMBER_ATTRIBUTES = 7 * 8 + BYTES;
export const HISTOGRAM_ATTRIBUTES = 9 * 8 + BYTES;
export const SUMMARY_ATTRIBUTES = 7 * 8 + BYTES;

/** Reads a NumberDataPoint, which ends where the reader does. An as_int past 2^53 is rounded; no value is 0, as in Prometheus. */
export function readNumberPoint(reader: ProtoReader, point: WirePoint): void {
  startPoint(point, reader.pos);
  while (reader.pos < reader.end) {
    const at = reader.pos;
    const tag = readTag(reader);
    switch (tag) {
      case NUMBER_ATTRIBUTES:
        passAttribute(point, reader, at);
        break;
      case 2 * 8 + FIXED64:
        point.startMs = readNanosAsMs(reader);
        break;
      case 3 * 8 + FIXED64:
        point.tsMs = readNanosAsMs(reader);
        break;
      case 4 * 8 + FIXED64:
        point.value = readDouble(reader);
        break;
      case 6 * 8 + FIXED64:
        point.value = readSfixed64(reader);
        break;
      case 8 * 8 + VARINT:
        point.flags = readUint(reader);
        break;
      default:
        if (tag === 5 * 8 + BYTES) point.exemplars++;
        skipField(reader, tag);
    }
  }
}

/** Reads a HistogramDataPoint, which ends where the reader does. */
export function readHistogramPoint(reader: ProtoReader, point: WirePoint): void {
  startPoint(point, reader.pos);
  while (reader.pos < reader.end) {
    const at = reader.pos;
    const tag = readTag(reader);
    switch (tag) {
      case HISTOGRAM_ATTRIBUTES:
        passAttribute(point, reader, at);
        break;
      case 2 * 8 + FIXED64:
        point.startMs = readNanosAsMs(reader);
        break;
      case 3 * 8 + FIXED64:
        point.tsMs = readNanosAsMs(reader);
        break;
      case 4 * 8 + FIXED64:
        point.count = readFixed64(reader);
        break;
      case 5 * 8 + FIXED64:
        point.sum = readDouble(reader);
        point.hasSum = true;
        break;
      case 6 * 8 + BYTES:
        readPacked(reader, point, readFixed64, addValue);
        break;
      case 6 * 8 + FIXED64:
        addValue(point, readFixed64(reader));
        break;
      case 7 * 8 + BYTES:
        readPacked(reader, point, readDouble, addBound);
        break;
      case 7 * 8 + FIXED64:
        addBound(point, readDouble(reader));
        break;
      case 10 * 8 + VARINT:
        point.flags = readUint(reader);
        break;
      default:
        if (tag === 8 * 8 + BYTES) point.exemplars++;
        skipField(reader, tag);
    }
  }
}

/** Reads a SummaryDataPoint, which ends where the reader does. */
export function readSummaryPoint(reader: ProtoReader, point: WirePoint): void {
  startPoint(point, reader.pos);
  point.hasSum = true;
  while (reader.pos < reader.end) {
    const at = reader.pos;
    const tag = readTag(reader);
    switch (tag) {
      case SUMMARY_ATTRIBUTES:
        passAttribute(point, reader, at);
        break;
      case 2 * 8 + FIXED64:
        point.startMs = readNanosAsMs(reader);
        break;
      case 3 * 8 + FIXED64:
        point.tsMs = readNanosAsMs(reader);
        break;
      case 4 * 8 + FIXED64:
        point.count = readFixed64(reader);
        break;
      case 5 * 8 + FIXED64:
        point.sum = readDouble(reader);
        break;
      case 6 * 8 + BYTES:
        readQuantile(reader, point);
        break;
      case 8 * 8 + VARINT:
        point.flags = readUint(reader);
        break;
      default:
        skipField(reader, tag);
    }
  }
}

function readQuantile(reader: ProtoReader, point: WirePoint): void {
  const outer = openMessage(reader);
  let quantile = 0;
  let value = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + FIXED64) quantile = readDouble(reader);
    else if (tag === 2 * 8 + FIXED64) value = readDouble(reader);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  addBound(point, quantile);
  addValue(point, value);
}
