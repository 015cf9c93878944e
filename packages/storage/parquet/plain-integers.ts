import { type ByteSink, reserve } from './byte-sink.ts';
import { corruptBlock } from './corrupt.ts';

const TWO_32 = 4_294_967_296;

/** PLAIN 64-bit integers, little-endian, of whole numbers within +-2^53. */
export function putPlainIntegers(sink: ByteSink, values: Float64Array, from: number, to: number): void {
  const size = (to - from) * 8;
  reserve(sink, size);
  const view = new DataView(sink.bytes.buffer, sink.bytes.byteOffset + sink.at, size);
  for (let i = from, at = 0; i < to; i++, at += 8) {
    const value = values[i];
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / TWO_32), true);
  }
  sink.at += size;
}

/** Reads `count` PLAIN 64-bit integers into `out` at `outAt`; the bytes must be exactly theirs. Beyond +-2^53 they are rounded. */
export function takePlainIntegers(bytes: Uint8Array, count: number, out: Float64Array, outAt: number): void {
  if (bytes.length !== count * 8) throw corruptBlock(`${bytes.length} bytes for ${count} values of 8 bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0, at = 0; i < count; i++, at += 8) {
    out[outAt + i] = view.getInt32(at + 4, true) * TWO_32 + view.getUint32(at, true);
  }
}
