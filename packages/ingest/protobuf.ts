import { OpsError } from '#core/errors.ts';

/** A position in bounded bytes. `end` is that of the innermost message under way: nothing past it is ever read. */
export interface ProtoReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos: number;
  end: number;
}

/** Wire types of a tag's low three bits. Groups (3 and 4) are refused. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

const TWO_32 = 4_294_967_296;
const LARGEST = 9_007_199_254_740_992; // 2^53

/** Reads a whole body. */
export function createReader(bytes: Uint8Array): ProtoReader {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), pos: 0, end: bytes.length };
}

/** The error of every malformed message: `input`, with the place. */
export function malformed(reader: ProtoReader, what: string): OpsError {
  return new OpsError('input', `malformed protobuf: ${what} at byte ${reader.pos}`);
}

/** A tag: `field * 8 + wire type`. `input` for field 0, fields past 2^29 - 1 and groups. */
export function readTag(reader: ProtoReader): number {
  const first = reader.bytes[reader.pos] as number;
  const tag = reader.pos < reader.end && first < 0x80 ? first : -1;
  if (tag >= 8 && (tag & 7) <= FIXED32 && (tag & 7) !== 3 && (tag & 7) !== 4) {
    reader.pos++;
    return tag;
  }
  return readLongTag(reader);
}

function readLongTag(reader: ProtoReader): number {
  const tag = readUint(reader);
  if (tag < 8 || tag >= TWO_32) throw malformed(reader, 'a field number outside 1 to 2^29 - 1');
  const wire = tag % 8;
  if (wire === 3 || wire === 4) throw malformed(reader, 'a group, which no supported message has,');
  if (wire > FIXED32) throw malformed(reader, `wire type ${wire}, which does not exist,`);
  return tag;
}

/** An unsigned varint. Values past 2^53 come back rounded: for lengths and enumerations, where all that is too large anyway. */
export function readUint(reader: ProtoReader): number {
  const { bytes, end } = reader;
  let pos = reader.pos;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (pos >= end) throw malformed(reader, 'a varint that is cut off');
    const byte = bytes[pos++] as number;
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      reader.pos = pos;
      return low;
    }
  }
  let value = low;
  let scale = 268_435_456; // 2^28
  for (let i = 4; i < 10; i++) {
    if (pos >= end) throw malformed(reader, 'a varint that is cut off');
    const byte = bytes[pos++] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      reader.pos = pos;
      return value;
    }
    scale *= 128;
  }
  throw malformed(reader, 'a varint of more than ten bytes');
}

/** A signed 64-bit varint (`int64`, not zigzag): the exact number, or NaN where it lies outside +-2^53. */
export function readInt64(reader: ProtoReader): number {
  const { bytes, end } = reader;
  let pos = reader.pos;
  let low = 0; // bits 0 to 27
  let middle = 0; // bits 28 to 55
  let high = 0; // bits 56 to 63
  for (let i = 0; i < 10; i++) {
    if (pos >= end) throw malformed(reader, 'a varint that is cut off');
    const byte = bytes[pos++] as number;
    if (i < 4) low |= (byte & 0x7f) << (7 * i);
    else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
    else high |= (byte & 0x7f) << (7 * (i - 8));
    if (byte < 0x80) {
      reader.pos = pos;
      if (high === 0 && middle < 33_554_432) return middle * 268_435_456 + low;
      return exactInt64((high << 24) | (middle >>> 4), (low | (middle << 28)) >>> 0);
    }
  }
  throw malformed(reader, 'a varint of more than ten bytes');
}

/** Only at +-2^53 itself can the sum have been rounded, and then its low half is not 0. */
function exactInt64(high: number, low: number): number {
  const value = high * TWO_32 + low;
  const size = Math.abs(value);
  return size < LARGEST || (size === LARGEST && low === 0) ? value : Number.NaN;
}

/** A signed 64-bit varint as decimal digits, exact over the whole range. */
export function readInt64Text(reader: ProtoReader): string {
  const start = reader.pos;
  const value = readInt64(reader);
  if (!Number.isNaN(value)) return String(value);
  let exact = 0n;
  for (let i = start; i < reader.pos; i++) exact |= BigInt((reader.bytes[i] as number) & 0x7f) << BigInt(7 * (i - start));
  return String(BigInt.asIntN(64, exact));
}

/** The next eight bytes as a double; its NaN has the one bit pattern that JavaScript writes. */
export function readDouble(reader: ProtoReader): number {
  const at = takeBytes(reader, 8, 'a double that is cut off');
  const value = reader.view.getFloat64(at, true);
  return Number.isNaN(value) ? Number.NaN : value;
}

/** The next eight bytes as `fixed64`, rounded to a double above 2^53. */
export function readFixed64(reader: ProtoReader): number {
  const at = takeBytes(reader, 8, 'a fixed64 that is cut off');
  return reader.view.getUint32(at + 4, true) * TWO_32 + reader.view.getUint32(at, true);
}

/** The next eight bytes as `sfixed64`, rounded to a double outside +-2^53. */
export function readSfixed64(reader: ProtoReader): number {
  const at = takeBytes(reader, 8, 'an sfixed64 that is cut off');
  return reader.view.getInt32(at + 4, true) * TWO_32 + reader.view.getUint32(at, true);
}

/** The next eight bytes as `fixed64` nanoseconds, in whole milliseconds rounded down; exact over the whole range. */
export function readNanosAsMs(reader: ProtoReader): number {
  const at = takeBytes(reader, 8, 'a time that is cut off');
  const high = reader.view.getUint32(at + 4, true);
  // 2^32 = 4294 * 10^6 + 967296
  return high * 4_294 + Math.floor((high * 967_296 + reader.view.getUint32(at, true)) / 1_000_000);
}

/** Reads the length of a length-delimited field and returns where the field ends; `pos` is at its first byte. */
export function readLength(reader: ProtoReader): number {
  const first = reader.bytes[reader.pos] as number;
  if (reader.pos < reader.end && first < 0x80) {
    const end = reader.pos + 1 + first;
    if (end <= reader.end) {
      reader.pos++;
      return end;
    }
  }
  const length = readUint(reader);
  const end = reader.pos + length;
  if (end > reader.end) throw malformed(reader, `a field of ${length} bytes that runs past its message`);
  return end;
}

/** Enters a message: what comes back is for `closeMessage`. */
export function openMessage(reader: ProtoReader): number {
  const outer = reader.end;
  reader.end = readLength(reader);
  return outer;
}

/** Leaves a message, whether or not it was read to its end. */
export function closeMessage(reader: ProtoReader, outer: number): void {
  reader.pos = reader.end;
  reader.end = outer;
}

/** A view of a length-delimited field; it lives no longer than the body does. */
export function readBytes(reader: ProtoReader): Uint8Array {
  const end = readLength(reader);
  const bytes = reader.bytes.subarray(reader.pos, end);
  reader.pos = end;
  return bytes;
}

/** Skips a field whose tag has been read. */
export function skipField(reader: ProtoReader, tag: number): void {
  switch (tag & 7) {
    case VARINT:
      readUint(reader);
      return;
    case FIXED64:
      takeBytes(reader, 8, 'a 64-bit field that is cut off');
      return;
    case BYTES:
      reader.pos = readLength(reader);
      return;
    default:
      takeBytes(reader, 4, 'a 32-bit field that is cut off');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes, or undefined where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function takeBytes(reader: ProtoReader, size: number, what: string): number {
  const at = reader.pos;
  if (at + size > reader.end) throw malformed(reader, what);
  reader.pos = at + size;
  return at;
}
