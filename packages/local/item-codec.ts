import type { Attribute, Item, ItemKey } from '#ports/table.ts';

// Attributes beside the key: version byte, count, then of each its name and its tagged value. Lengths and whole numbers are
// base-128 varints, texts UTF-8, other numbers float64 little-endian.

const VERSION = 1;
const TEXT = 0;
const WHOLE = 1;
const NEGATIVE_WHOLE = 2;
const FLOAT = 3;
const FALSE = 4;
const TRUE = 5;
const BYTES = 6;
const LIST = 7;

// One scratch buffer for all items: encoding is synchronous.
let scratch = Buffer.allocUnsafe(64 * 1024);
let end = 0;

/** The attributes of an item, key left out, as bytes of their own. */
export function encodeItem(item: Item): Uint8Array {
  const names = Object.keys(item).filter((name) => name !== 'pk' && name !== 'sk' && item[name] !== undefined);
  end = 0;
  writeByte(VERSION);
  writeWhole(names.length);
  for (const name of names) {
    writeText(name);
    writeValue(item[name] as Attribute);
  }
  return new Uint8Array(scratch.subarray(0, end));
}

/** The item that was encoded. Bytes in it are views into `body`. Throws if the body is not an encoded item. */
export function decodeItem(key: ItemKey, body: Uint8Array): Item {
  const reader: Reader = { body, buffer: Buffer.from(body.buffer, body.byteOffset, body.byteLength), at: 0 };
  if (readByte(reader) !== VERSION) throw new RangeError(`an item is of version ${body[0]}, this program reads ${VERSION}`);
  const attributes: Record<string, Attribute> = { pk: key.pk, sk: key.sk };
  for (let left = readWhole(reader); left > 0; left--) {
    const name = readText(reader);
    const value = readValue(reader);
    if (name === '__proto__') Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
    else attributes[name] = value;
  }
  if (reader.at !== body.length) throw new RangeError('an item has bytes past its end');
  return attributes as Item;
}

function reserve(sizeBytes: number): void {
  if (end + sizeBytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, end + sizeBytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

function writeByte(byte: number): void {
  reserve(1);
  scratch[end++] = byte;
}

function writeWhole(value: number): void {
  reserve(8);
  let rest = value;
  while (rest >= 128) {
    scratch[end++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  scratch[end++] = rest;
}

function writeText(text: string): void {
  const sizeBytes = Buffer.byteLength(text);
  writeWhole(sizeBytes);
  reserve(sizeBytes);
  end += scratch.write(text, end, 'utf8');
}

function writeValue(value: Attribute): void {
  if (typeof value === 'string') {
    writeByte(TEXT);
    writeText(value);
  } else if (typeof value === 'number') {
    writeNumber(value);
  } else if (typeof value === 'boolean') {
    writeByte(value ? TRUE : FALSE);
  } else if (value instanceof Uint8Array) {
    writeByte(BYTES);
    writeWhole(value.length);
    reserve(value.length);
    scratch.set(value, end);
    end += value.length;
  } else {
    writeByte(LIST);
    writeWhole(value.length);
    value.forEach(writeValue);
  }
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value)) {
    writeByte(value < 0 ? NEGATIVE_WHOLE : WHOLE);
    writeWhole(Math.abs(value));
  } else {
    writeByte(FLOAT);
    reserve(8);
    end = scratch.writeDoubleLE(value, end);
  }
}

interface Reader {
  readonly body: Uint8Array;
  readonly buffer: Buffer;
  at: number;
}

function advance(reader: Reader, sizeBytes: number): number {
  const start = reader.at;
  if (sizeBytes > reader.body.length - start) throw new RangeError('an item ends too early');
  reader.at = start + sizeBytes;
  return start;
}

function readByte(reader: Reader): number {
  return reader.body[advance(reader, 1)];
}

function readWhole(reader: Reader): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = readByte(reader);
    if (byte < 128) return value + byte * scale;
    value += (byte - 128) * scale;
  }
}

function readText(reader: Reader): string {
  const sizeBytes = readWhole(reader);
  const start = advance(reader, sizeBytes);
  return reader.buffer.toString('utf8', start, start + sizeBytes);
}

function readValue(reader: Reader): Attribute {
  const tag = readByte(reader);
  switch (tag) {
    case TEXT:
      return readText(reader);
    case WHOLE:
      return readWhole(reader);
    case NEGATIVE_WHOLE:
      return -readWhole(reader);
    case FLOAT:
      return reader.buffer.readDoubleLE(advance(reader, 8));
    case FALSE:
    case TRUE:
      return tag === TRUE;
    case BYTES: {
      const sizeBytes = readWhole(reader);
      const start = advance(reader, sizeBytes);
      return reader.body.subarray(start, start + sizeBytes);
    }
    case LIST:
      return readList(reader);
    default:
      throw new RangeError(`an item has a value of the unknown type ${tag}`);
  }
}

function readList(reader: Reader): string[] | number[] {
  const elements: Attribute[] = [];
  for (let left = readWhole(reader); left > 0; left--) elements.push(readValue(reader));
  return elements as string[] | number[];
}
