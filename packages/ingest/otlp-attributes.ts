import { OpsError } from '#core/errors.ts';
import type { Label } from '#model/series.ts';
import {
  BYTES,
  closeMessage,
  decodeUtf8,
  FIXED64,
  openMessage,
  type ProtoReader,
  readBytes,
  readDouble,
  readInt64Text,
  readTag,
  readUint,
  skipField,
  VARINT,
} from './protobuf.ts';

const MAX_DEPTH = 32;
const KEY = 1 * 8 + BYTES;
const VALUE = 2 * 8 + BYTES;

/** Text that is not UTF-8 costs the series, not the request: it is noted, and reading goes on. */
interface Parsing {
  readonly reader: ProtoReader;
  valid: boolean;
}

/**
 * The attributes of the KeyValue messages under `fieldTag`, up to the reader's end; other fields are passed over. Values
 * become text as the OpenTelemetry collector writes them: lists and maps as JSON, bytes as base64. Undefined where some text is
 * not UTF-8.
 */
export function readAttributes(reader: ProtoReader, fieldTag: number): Label[] | undefined {
  const parsing: Parsing = { reader, valid: true };
  const attributes: Label[] = [];
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === fieldTag) attributes.push(readKeyValue(parsing));
    else skipField(reader, tag);
  }
  return parsing.valid ? attributes : undefined;
}

function readKeyValue(parsing: Parsing): Label {
  const { key, value } = readEntry(parsing, 0);
  return { name: key, value: attributeText(value) };
}

function readEntry(parsing: Parsing, depth: number): { key: string; value: AnyValue } {
  const { reader } = parsing;
  const outer = openMessage(reader);
  let key = '';
  let value: AnyValue;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === KEY) key = readText(parsing);
    else if (tag === VALUE) value = readAnyValue(parsing, depth);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  return { key, value };
}

/** A bigint-free picture of AnyValue; an int64 is kept as its decimal digits. */
type AnyValue =
  | undefined
  | string
  | boolean
  | { readonly int: string }
  | number
  | readonly AnyValue[]
  | ReadonlyMap<string, AnyValue>
  | Uint8Array;

function readAnyValue(parsing: Parsing, depth: number): AnyValue {
  const { reader } = parsing;
  if (depth > MAX_DEPTH) throw new OpsError('input', `an attribute is nested more than ${MAX_DEPTH} levels deep`);
  const outer = openMessage(reader);
  let value: AnyValue;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) value = readText(parsing);
    else if (tag === 2 * 8 + VARINT) value = readUint(reader) !== 0;
    else if (tag === 3 * 8 + VARINT) value = { int: readInt64Text(reader) };
    else if (tag === 4 * 8 + FIXED64) value = readDouble(reader);
    else if (tag === 5 * 8 + BYTES) value = readList(parsing, depth + 1);
    else if (tag === 6 * 8 + BYTES) value = readMap(parsing, depth + 1);
    else if (tag === 7 * 8 + BYTES) value = readBytes(reader);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  return value;
}

function readList(parsing: Parsing, depth: number): AnyValue[] {
  const { reader } = parsing;
  const outer = openMessage(reader);
  const values: AnyValue[] = [];
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) values.push(readAnyValue(parsing, depth));
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  return values;
}

function readMap(parsing: Parsing, depth: number): Map<string, AnyValue> {
  const { reader } = parsing;
  const outer = openMessage(reader);
  const entries = new Map<string, AnyValue>();
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) {
      const { key, value } = readEntry(parsing, depth);
      entries.set(key, value);
    } else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  return entries;
}

function readText(parsing: Parsing): string {
  const text = decodeUtf8(readBytes(parsing.reader));
  if (text === undefined) parsing.valid = false;
  return text ?? '';
}

function attributeText(value: AnyValue): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return base64(value);
  return jsonText(value);
}

/** As Go's encoder writes it: keys sorted, `<`, `>` and `&` escaped. */
function jsonText(value: AnyValue): string {
  if (value === undefined) return 'null';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (value instanceof Uint8Array) return quoted(base64(value));
  if (value instanceof Map) {
    const keys = [...(value.keys() as Iterable<string>)].sort();
    return `{${keys.map((key) => `${quoted(key)}:${jsonText(value.get(key))}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  return (value as { int: string }).int;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
