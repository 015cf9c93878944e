/** Bytes under construction; `at` is the length so far. */
export interface ByteSink {
  bytes: Uint8Array;
  at: number;
}

const TWO_32 = 4_294_967_296;

/** An empty sink with room for `capacity` bytes before it first grows. */
export function createSink(capacity = 1024): ByteSink {
  return { bytes: new Uint8Array(capacity), at: 0 };
}

/** Makes room for `size` more bytes; afterwards `bytes` may be written directly up to `at + size`. */
export function reserve(sink: ByteSink, size: number): void {
  const needed = sink.at + size;
  if (needed <= sink.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, sink.bytes.length * 2));
  grown.set(sink.bytes.subarray(0, sink.at));
  sink.bytes = grown;
}

/** The bytes written so far, as a view that the next write may invalidate. */
export function sinkView(sink: ByteSink): Uint8Array {
  return sink.bytes.subarray(0, sink.at);
}

export function putByte(sink: ByteSink, byte: number): void {
  reserve(sink, 1);
  sink.bytes[sink.at++] = byte;
}

export function putBytes(sink: ByteSink, bytes: Uint8Array): void {
  reserve(sink, bytes.length);
  sink.bytes.set(bytes, sink.at);
  sink.at += bytes.length;
}

/** Four bytes, little-endian. */
export function putUint32(sink: ByteSink, value: number): void {
  reserve(sink, 4);
  const { bytes, at } = sink;
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
  sink.at = at + 4;
}

/** Unsigned LEB128 of a whole number from 0 to 2^53. */
export function putVarint(sink: ByteSink, value: number): void {
  putVarint64(sink, value >>> 0, Math.floor(value / TWO_32));
}

/** Signed zigzag LEB128 of a whole number within +-2^53 (its zigzag form may pass 2^53, so it is made in halves). */
export function putZigzag(sink: ByteSink, value: number): void {
  const low = value >>> 0;
  const high = Math.floor(value / TWO_32) | 0;
  const sign = high >> 31;
  putVarint64(sink, ((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0);
}

function putVarint64(sink: ByteSink, low: number, high: number): void {
  reserve(sink, 10);
  let lo = low;
  let hi = high;
  while (hi > 0 || lo > 127) {
    sink.bytes[sink.at++] = (lo & 127) | 128;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  sink.bytes[sink.at++] = lo;
}
