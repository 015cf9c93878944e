import { type ByteSink, reserve } from './byte-sink.ts';
import { corruptBlock } from './corrupt.ts';

// Byte k of every value, then byte k + 1 of every value... Little-endian machines only, as all that Node runs on are.

/** BYTE_STREAM_SPLIT of 64-bit floats. */
export function putSplitDoubles(sink: ByteSink, values: Float64Array, from: number, to: number): void {
  const count = to - from;
  reserve(sink, count * 8);
  const source = new Uint8Array(values.buffer, values.byteOffset + from * 8, count * 8);
  const { bytes } = sink;
  let at = sink.at;
  for (let plane = 0; plane < 8; plane++) for (let i = plane; i < count * 8; i += 8) bytes[at++] = source[i];
  sink.at = at;
}

/** Reads `count` floats into `out` at `outAt`; the bytes must be exactly theirs. */
export function takeSplitDoubles(bytes: Uint8Array, count: number, out: Float64Array, outAt: number): void {
  if (bytes.length !== count * 8) throw corruptBlock(`${bytes.length} bytes for ${count} values of 8 bytes`);
  const target = new Uint8Array(out.buffer, out.byteOffset + outAt * 8, count * 8);
  let at = 0;
  for (let plane = 0; plane < 8; plane++) for (let i = plane; i < count * 8; i += 8) target[i] = bytes[at++];
}
