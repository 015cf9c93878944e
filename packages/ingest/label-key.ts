import type { ProtoReader } from './protobuf.ts';

/** A key of a ByteCache under construction: of a series, its Label messages byte for byte as remote write 1.0 carries them. */
export interface LabelKey {
  clear(): void;
  /** Appends one label whose name and value are `length` bytes of the source from `at` on. */
  add(source: ProtoReader, nameAt: number, nameLength: number, valueAt: number, valueLength: number): void;
  /** Appends `length` bytes of the source as they are. */
  addRaw(source: ProtoReader, at: number, length: number): void;
  addByte(byte: number): void;
  /** Appends a text behind its length. */
  addText(text: Uint8Array): void;
  addDouble(value: number): void;
  view(): DataView;
  size(): number;
}

const LABEL = 0x0a;
const NAME = 0x0a;
const VALUE = 0x12;

/** Makes an empty key. It grows with its labels: whoever fills it bounds their number and length. */
export function createLabelKey(): LabelKey {
  let bytes = new Uint8Array(4096);
  let view = new DataView(bytes.buffer);
  let used = 0;

  const reserve = (size: number) => {
    if (used + size <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, used + size));
    larger.set(bytes.subarray(0, used));
    bytes = larger;
    view = new DataView(bytes.buffer);
  };
  const putLength = (length: number) => {
    let rest = length;
    for (; rest > 127; rest >>>= 7) bytes[used++] = (rest & 127) | 128;
    bytes[used++] = rest;
  };
  /** Four bytes at a time, up to three too many where the source has them; the next field overwrites those. */
  const putText = (source: ProtoReader, at: number, length: number) => {
    if (at + length + 3 <= source.bytes.length) {
      for (let i = 0; i < length; i += 4) view.setInt32(used + i, source.view.getInt32(at + i, true), true);
    } else {
      for (let i = 0; i < length; i++) bytes[used + i] = source.bytes[at + i] as number;
    }
    used += length;
  };
  const putField = (tag: number, source: ProtoReader, at: number, length: number) => {
    if (length === 0) return;
    bytes[used++] = tag;
    putLength(length);
    putText(source, at, length);
  };

  return {
    clear() {
      used = 0;
    },
    add(source, nameAt, nameLength, valueAt, valueLength) {
      reserve(nameLength + valueLength + 24);
      bytes[used++] = LABEL;
      putLength(fieldSize(nameLength) + fieldSize(valueLength));
      putField(NAME, source, nameAt, nameLength);
      putField(VALUE, source, valueAt, valueLength);
    },
    addRaw(source, at, length) {
      reserve(length + 3);
      putText(source, at, length);
    },
    addByte(byte) {
      reserve(1);
      bytes[used++] = byte;
    },
    addText(text) {
      reserve(text.length + 5);
      putLength(text.length);
      bytes.set(text, used);
      used += text.length;
    },
    addDouble(value) {
      reserve(8);
      view.setFloat64(used, value, true);
      used += 8;
    },
    view: () => view,
    size: () => used,
  };
}

function lengthSize(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}

function fieldSize(length: number): number {
  return length === 0 ? 0 : 1 + lengthSize(length) + length;
}
