import { corruptBlock } from './corrupt.ts';

/** A cursor over bytes; every read checks `end` and fails with `input`. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

const TWO_32 = 4_294_967_296;

/** A cursor from `start` to `end` exclusive. */
export function createSource(bytes: Uint8Array, start = 0, end = bytes.length): ByteSource {
  if (start < 0 || start > end || end > bytes.length)
    throw corruptBlock(`bytes ${start} to ${end} are outside of the ${bytes.length} at hand`);
  return { bytes, at: start, end };
}

export function takeByte(source: ByteSource): number {
  if (source.at >= source.end) throw corruptBlock(`ends early at byte ${source.at}`);
  return source.bytes[source.at++];
}

/** A view of the next `size` bytes. */
export function takeBytes(source: ByteSource, size: number): Uint8Array {
  if (!(size >= 0 && size <= source.end - source.at))
    throw corruptBlock(`${size} bytes wanted at byte ${source.at}, ${source.end - source.at} left`);
  const start = source.at;
  source.at += size;
  return source.bytes.subarray(start, source.at);
}

/** Four bytes, little-endian, unsigned. */
export function takeUint32(source: ByteSource): number {
  const b = takeBytes(source, 4);
  return (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
}

/** Unsigned LEB128; a value past 2^53 is corrupt. */
export function takeVarint(source: ByteSource): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = takeByte(source);
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 128;
  }
  throw corruptBlock(`a number past 2^53 at byte ${source.at}`);
}

/** Signed zigzag LEB128 of up to 64 bits; exact within +-2^53, corrupt beyond. */
export function takeZigzag(source: ByteSource): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = takeByte(source);
    const bits = byte & 127;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >> 4;
    } else if (shift < 63) high |= bits << (shift - 32);
    if (byte < 128) return unzigzag(low, high, source.at);
  }
  throw corruptBlock(`a number of more than 64 bits at byte ${source.at}`);
}

function unzigzag(low: number, high: number, at: number): number {
  const sign = -(low & 1);
  const lo = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
  const hi = (high >>> 1) ^ sign;
  const value = hi * TWO_32 + lo;
  if (Math.abs(value) > 2 ** 53) throw corruptBlock(`a number past 2^53 at byte ${at}`);
  return value;
}
