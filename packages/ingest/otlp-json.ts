// Longer than most: the fields of a dozen messages and the spelling of each scalar belong together.
import { OpsError } from '#core/errors.ts';
import { createProtoWriter, type ProtoWriter } from './proto-writer.ts';

/**
 * Writes an ExportMetricsServiceRequest from OTLP's JSON as protobuf, so that one decoder serves both. Keys in lowerCamelCase,
 * 64-bit numbers as strings or numbers, enumerations as numbers or names, unknown keys passed over, `null` for what is absent.
 * `input` with the path of what is no such thing, `limit` past `maxBytes`.
 */
export function otlpJsonToProtobuf(body: Uint8Array, maxBytes: number): Uint8Array {
  const json = parseJson(body);
  const writer = createProtoWriter(maxBytes);
  writeMessage(writer, REQUEST, json, { name: 'the body', parent: undefined }, 0);
  return writer.finish();
}

/** Where in the JSON, as a list from the inside; put into words only for an error. */
interface Place {
  readonly name: string | number;
  readonly parent: Place | undefined;
}

interface Message {
  readonly [key: string]: Field;
}

type Scalar = 'text' | 'bool' | 'int64' | 'uint32' | 'fixed64' | 'sfixed64' | 'double' | 'base64' | 'temporality';

interface Field {
  readonly number: number;
  /** Nothing of the message is kept but that it was there. */
  readonly type: Scalar | (() => Message) | 'presence';
  readonly repeated?: boolean;
}

const one = (number: number, type: Field['type']): Field => ({ number, type });
const many = (number: number, type: Field['type']): Field => ({ number, type, repeated: true });

const ANY_VALUE: Message = {
  stringValue: one(1, 'text'),
  boolValue: one(2, 'bool'),
  intValue: one(3, 'int64'),
  doubleValue: one(4, 'double'),
  arrayValue: one(5, () => ARRAY_VALUE),
  kvlistValue: one(6, () => KEY_VALUE_LIST),
  bytesValue: one(7, 'base64'),
};
const ARRAY_VALUE: Message = { values: many(1, () => ANY_VALUE) };
const KEY_VALUE: Message = { key: one(1, 'text'), value: one(2, () => ANY_VALUE) };
const KEY_VALUE_LIST: Message = { values: many(1, () => KEY_VALUE) };
const NUMBER_POINT: Message = {
  attributes: many(7, () => KEY_VALUE),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  asDouble: one(4, 'double'),
  asInt: one(6, 'sfixed64'),
  exemplars: many(5, 'presence'),
  flags: one(8, 'uint32'),
};
const HISTOGRAM_POINT: Message = {
  attributes: many(9, () => KEY_VALUE),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  count: one(4, 'fixed64'),
  sum: one(5, 'double'),
  bucketCounts: many(6, 'fixed64'),
  explicitBounds: many(7, 'double'),
  exemplars: many(8, 'presence'),
  flags: one(10, 'uint32'),
};
const QUANTILE: Message = { quantile: one(1, 'double'), value: one(2, 'double') };
const SUMMARY_POINT: Message = {
  attributes: many(7, () => KEY_VALUE),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  count: one(4, 'fixed64'),
  sum: one(5, 'double'),
  quantileValues: many(6, () => QUANTILE),
  flags: one(8, 'uint32'),
};
const GAUGE: Message = { dataPoints: many(1, () => NUMBER_POINT) };
const SUM: Message = { ...GAUGE, aggregationTemporality: one(2, 'temporality'), isMonotonic: one(3, 'bool') };
const HISTOGRAM: Message = { dataPoints: many(1, () => HISTOGRAM_POINT), aggregationTemporality: one(2, 'temporality') };
const SUMMARY: Message = { dataPoints: many(1, () => SUMMARY_POINT) };
const EXPONENTIAL_HISTOGRAM: Message = { dataPoints: many(1, 'presence') };
const METRIC: Message = {
  name: one(1, 'text'),
  description: one(2, 'text'),
  unit: one(3, 'text'),
  gauge: one(5, () => GAUGE),
  sum: one(7, () => SUM),
  histogram: one(9, () => HISTOGRAM),
  exponentialHistogram: one(10, () => EXPONENTIAL_HISTOGRAM),
  summary: one(11, () => SUMMARY),
};
const SCOPE: Message = { name: one(1, 'text'), version: one(2, 'text'), attributes: many(3, () => KEY_VALUE) };
const SCOPE_METRICS: Message = { scope: one(1, () => SCOPE), metrics: many(2, () => METRIC), schemaUrl: one(3, 'text') };
const RESOURCE: Message = { attributes: many(1, () => KEY_VALUE) };
const RESOURCE_METRICS: Message = { resource: one(1, () => RESOURCE), scopeMetrics: many(2, () => SCOPE_METRICS) };
const REQUEST: Message = { resourceMetrics: many(1, () => RESOURCE_METRICS) };

/** Levels of messages: those of a request, and of nested attributes as many as the decoder takes. */
const MAX_DEPTH = 120;

function writeMessage(writer: ProtoWriter, message: Message, value: unknown, place: Place, depth: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, 'an object', value);
  if (depth > MAX_DEPTH) throw new OpsError('input', `${describePlace(place).slice(0, 200)}... is nested too deeply`);
  for (const key of Object.keys(value)) {
    const field = Object.hasOwn(message, key) ? message[key] : undefined;
    const content = (value as Record<string, unknown>)[key];
    if (!field || content === null) continue;
    const here = { name: key, parent: place };
    if (!field.repeated) writeField(writer, field, content, here, depth);
    else if (!Array.isArray(content)) throw wrong(here, 'an array', content);
    else for (let i = 0; i < content.length; i++) writeField(writer, field, content[i], { name: i, parent: here }, depth);
  }
}

function writeField(writer: ProtoWriter, { number, type }: Field, value: unknown, place: Place, depth: number): void {
  if (typeof type === 'function') {
    const opened = writer.open(number);
    writeMessage(writer, type(), value, place, depth + 1);
    writer.close(opened);
    return;
  }
  switch (type) {
    case 'presence':
      if (typeof value !== 'object' || value === null) throw wrong(place, 'an object', value);
      writer.bytes(number, EMPTY);
      break;
    case 'text':
      writeText(writer, number, value, place);
      break;
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(place, 'true or false', value);
      writer.varint(number, value ? 1 : 0);
      break;
    case 'int64':
      writer.varint(number, readInteger(value, place, -(2n ** 63n), 2n ** 63n - 1n));
      break;
    case 'uint32':
      writer.varint(number, readInteger(value, place, 0n, 2n ** 32n - 1n));
      break;
    case 'fixed64':
      writer.fixed64(number, readInteger(value, place, 0n, 2n ** 64n - 1n));
      break;
    case 'sfixed64':
      writer.fixed64(number, readInteger(value, place, -(2n ** 63n), 2n ** 63n - 1n));
      break;
    case 'double':
      writer.double(number, readDouble(value, place));
      break;
    case 'base64':
      writer.bytes(number, readBase64(value, place));
      break;
    case 'temporality':
      writer.varint(number, readTemporality(value, place));
  }
}

const EMPTY = new Uint8Array(0);
/** No UTF-8, so that a text with half a surrogate pair is rejected where text that is not UTF-8 is. */
const NOT_UTF8 = Uint8Array.of(0xff);

function writeText(writer: ProtoWriter, number: number, value: unknown, place: Place): void {
  if (typeof value !== 'string') throw wrong(place, 'a string', value);
  if (value.isWellFormed()) writer.text(number, value);
  else writer.bytes(number, NOT_UTF8);
}

function readInteger(value: unknown, place: Place, least: bigint, most: bigint): bigint {
  let integer: bigint | undefined;
  if (typeof value === 'number' && Number.isInteger(value)) integer = BigInt(value);
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) integer = BigInt(value);
  if (integer === undefined || integer < least || integer > most) throw wrong(place, `a whole number from ${least} to ${most}`, value);
  return integer;
}

function readDouble(value: unknown, place: Place): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (typeof value === 'string' && /^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/.test(value)) return Number(value);
  throw wrong(place, 'a number', value);
}

function readBase64(value: unknown, place: Place): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw wrong(place, 'base64', value);
  return Buffer.from(value, 'base64');
}

function readTemporality(value: unknown, place: Place): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  const known = TEMPORALITIES.indexOf(value as string);
  if (known < 0) throw wrong(place, `one of ${TEMPORALITIES.join(', ')} or its number`, value);
  return known;
}

const TEMPORALITIES = ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 'AGGREGATION_TEMPORALITY_DELTA', 'AGGREGATION_TEMPORALITY_CUMULATIVE'];

/** Above this size the pieces that JSON would come to are counted before they are made: each takes many times its characters. */
const COUNTED_FROM = 4 * 1024 * 1024;
const MAX_CONTAINERS = 4_000_000;
const MAX_PIECES = 16_000_000;

function parseJson(body: Uint8Array): unknown {
  if (body.length > COUNTED_FROM) countPieces(body);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', `the body is not valid JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
}

function countPieces(body: Uint8Array): void {
  let containers = 0;
  let pieces = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] as number;
    if (byte === 0x2c) pieces++;
    else if (byte === 0x7b || byte === 0x5b) containers++;
  }
  if (containers > MAX_CONTAINERS || pieces > MAX_PIECES) {
    throw new OpsError(
      'limit',
      `the JSON has ${containers} objects and arrays and ${pieces} commas, the limits are ${MAX_CONTAINERS} and ${MAX_PIECES}`,
      {
        hint: 'Send smaller requests, or protobuf.',
      },
    );
  }
}

function wrong(place: Place, expected: string, value: unknown): OpsError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 60);
  return new OpsError('input', `${describePlace(place)} must be ${expected} and is ${shown}`);
}

function describePlace(place: Place): string {
  const { name, parent } = place;
  if (!parent) return String(name);
  if (typeof name === 'number') return `${describePlace(parent)}[${name}]`;
  return parent.parent ? `${describePlace(parent)}.${name}` : name;
}
