import { OpsError } from '#core/errors.ts';
import { BYTES, FIXED64, VARINT } from './protobuf.ts';

/** Protobuf under construction, field after field. A message's length takes four bytes, known when it ends. */
export interface ProtoWriter {
  varint(field: number, value: number | bigint): void;
  fixed64(field: number, value: bigint): void;
  double(field: number, value: number): void;
  bytes(field: number, value: Uint8Array): void;
  text(field: number, value: string): void;
  /** Begins a message; what comes back is for `close`. */
  open(field: number): number;
  close(opened: number): void;
  /** Eight bytes without a tag, for packed fields. */
  rawFixed64(value: bigint): void;
  rawDouble(value: number): void;
  finish(): Uint8Array;
}

/** Makes an empty message, which may grow to `maxBytes` (2^28 at most): past that `limit`. */
export function createProtoWriter(maxBytes: number): ProtoWriter {
  let buffer = Buffer.allocUnsafeSlow(1024);
  let used = 0;
  const reserve = (size: number) => {
    if (used + size <= buffer.length) return;
    if (used + size > maxBytes) {
      throw new OpsError('limit', `the request is larger than ${maxBytes} bytes written as protobuf`, { hint: 'Send smaller requests.' });
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, used + size));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  };
  const putVarint = (value: number | bigint) => {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) buffer[used++] = Number(rest & 127n) | 128;
    buffer[used++] = Number(rest);
  };
  const putTag = (field: number, wire: number, size: number) => {
    reserve(size + 15);
    if (field < 16) buffer[used++] = field * 8 + wire;
    else putVarint(field * 8 + wire);
  };
  return {
    varint(field, value) {
      putTag(field, VARINT, 0);
      putVarint(value);
    },
    fixed64(field, value) {
      putTag(field, FIXED64, 8);
      used = buffer.writeBigUInt64LE(BigInt.asUintN(64, value), used);
    },
    double(field, value) {
      putTag(field, FIXED64, 8);
      used = buffer.writeDoubleLE(value, used);
    },
    bytes(field, value) {
      putTag(field, BYTES, value.length);
      putVarint(value.length);
      buffer.set(value, used);
      used += value.length;
    },
    text(field, value) {
      const length = Buffer.byteLength(value, 'utf8');
      putTag(field, BYTES, length);
      putVarint(length);
      used += buffer.write(value, used, 'utf8');
    },
    open(field) {
      putTag(field, BYTES, 4);
      used += 4;
      return used;
    },
    close(opened) {
      let rest = used - opened;
      for (let i = 4; i > 1; i--, rest >>>= 7) buffer[opened - i] = (rest & 127) | 128;
      buffer[opened - 1] = rest;
    },
    rawFixed64(value) {
      reserve(8);
      used = buffer.writeBigUInt64LE(BigInt.asUintN(64, value), used);
    },
    rawDouble(value) {
      reserve(8);
      used = buffer.writeDoubleLE(value, used);
    },
    finish: () => buffer.subarray(0, used),
  };
}
