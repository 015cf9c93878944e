import { type ByteSink, putByte, putBytes, putVarint, putZigzag } from './byte-sink.ts';
import { type ByteSource, takeByte, takeBytes, takeVarint, takeZigzag } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';

// The compact protocol of Apache Thrift, as far as Parquet's metadata needs it.

const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;
const MAX_DEPTH = 16;

/** A value to write. Whole numbers are within +-2^53. */
export type ThriftOut =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'i16' | 'i32' | 'i64'; readonly value: number }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'list'; readonly of: 'i32' | 'binary' | 'struct'; readonly items: readonly ThriftOut[] }
  | { readonly type: 'struct'; readonly fields: readonly ThriftField[] };
export type ThriftField = readonly [id: number, value: ThriftOut];

/** A value as read: numbers for every integer width, bytes for strings, arrays for lists. */
export type ThriftIn = boolean | number | Uint8Array | readonly ThriftIn[] | ThriftStruct;
export type ThriftStruct = ReadonlyMap<number, ThriftIn>;

const encoder = new TextEncoder();
const typeCodes = { bool: TRUE, i16: I16, i32: I32, i64: I64, binary: BINARY, list: LIST, struct: STRUCT } as const;

export const bool = (value: boolean): ThriftOut => ({ type: 'bool', value });
export const i16 = (value: number): ThriftOut => ({ type: 'i16', value });
export const i32 = (value: number): ThriftOut => ({ type: 'i32', value });
export const i64 = (value: number): ThriftOut => ({ type: 'i64', value });
export const binary = (value: Uint8Array): ThriftOut => ({ type: 'binary', value });
export const text = (value: string): ThriftOut => ({ type: 'binary', value: encoder.encode(value) });
export const list = (of: 'i32' | 'binary' | 'struct', items: readonly ThriftOut[]): ThriftOut => ({ type: 'list', of, items });
export const struct = (...fields: readonly ThriftField[]): ThriftOut => ({ type: 'struct', fields });

/** Writes a struct; field ids must ascend. */
export function putStruct(sink: ByteSink, fields: readonly ThriftField[]): void {
  let last = 0;
  for (const [id, value] of fields) {
    const code = value.type === 'bool' && !value.value ? FALSE : typeCodes[value.type];
    if (id - last < 16) putByte(sink, ((id - last) << 4) | code);
    else {
      putByte(sink, code);
      putZigzag(sink, id);
    }
    last = id;
    if (value.type !== 'bool') putValue(sink, value);
  }
  putByte(sink, 0);
}

function putValue(sink: ByteSink, out: ThriftOut): void {
  switch (out.type) {
    case 'bool':
      putByte(sink, out.value ? TRUE : FALSE);
      return;
    case 'i16':
    case 'i32':
    case 'i64':
      putZigzag(sink, out.value);
      return;
    case 'binary':
      putVarint(sink, out.value.length);
      putBytes(sink, out.value);
      return;
    case 'list': {
      const code = typeCodes[out.of];
      if (out.items.length < 15) putByte(sink, (out.items.length << 4) | code);
      else {
        putByte(sink, 0xf0 | code);
        putVarint(sink, out.items.length);
      }
      for (const item of out.items) putValue(sink, item);
      return;
    }
    case 'struct':
      putStruct(sink, out.fields);
  }
}

/** Reads a struct of any shape; unknown fields are kept, so that newer files stay readable. */
export function takeStruct(source: ByteSource, depth = 0): ThriftStruct {
  if (depth > MAX_DEPTH) throw corruptBlock(`metadata nested more than ${MAX_DEPTH} deep`);
  const fields = new Map<number, ThriftIn>();
  let id = 0;
  for (;;) {
    const head = takeByte(source);
    if (head === 0) return fields;
    id = head >> 4 === 0 ? takeZigzag(source) : id + (head >> 4);
    const code = head & 15;
    fields.set(id, code === TRUE || code === FALSE ? code === TRUE : takeValue(source, code, depth));
  }
}

function takeValue(source: ByteSource, code: number, depth: number): ThriftIn {
  switch (code) {
    case TRUE:
    case FALSE:
      return takeByte(source) === TRUE;
    case I8:
      return (takeByte(source) << 24) >> 24;
    case I16:
    case I32:
    case I64:
      return takeZigzag(source);
    case DOUBLE:
      return takeBytes(source, 8);
    case BINARY:
      return takeBytes(source, takeVarint(source));
    case LIST:
    case SET:
      return takeList(source, depth + 1);
    case MAP:
      throw corruptBlock('a map in the metadata, which Parquet has none of');
    case STRUCT:
      return takeStruct(source, depth + 1);
    default:
      throw corruptBlock(`unknown metadata type ${code} at byte ${source.at}`);
  }
}

/** Every item takes a byte at least, so a list can never claim more than the bytes that are left. */
function takeList(source: ByteSource, depth: number): readonly ThriftIn[] {
  if (depth > MAX_DEPTH) throw corruptBlock(`metadata nested more than ${MAX_DEPTH} deep`);
  const head = takeByte(source);
  const length = head >> 4 === 15 ? takeVarint(source) : head >> 4;
  if (length > source.end - source.at) throw corruptBlock(`a list of ${length} items in ${source.end - source.at} bytes`);
  const items: ThriftIn[] = [];
  for (let i = 0; i < length; i++) items.push(takeValue(source, head & 15, depth));
  return items;
}
