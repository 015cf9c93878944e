import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';

/** An item, or its key, in DynamoDB's typed form. */
export type Attributes = Record<string, AttributeValue>;

// An item has at most 400 KB; escapes make up to six bytes of one.
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * One item as one line of DynamoDB JSON, without its newline. Equal items give equal lines: names of attributes and members of sets are in
 * the order of their UTF-8 bytes. Numbers are the text that DynamoDB gave, binary is base64.
 */
export function encodeItem(item: Attributes): string {
  const members = Object.keys(item)
    .sort(compareUtf8)
    .map((name) => `${JSON.stringify(name)}:${encodeValue(item[name])}`);
  return `{${members.join(',')}}`;
}

/** The item of a line; `input` for a line that none was encoded as. */
export function decodeItem(line: string): Attributes {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new OpsError('input', `a line of items is not JSON: ${line.slice(0, 80)}`, { cause });
  }
  return decodeMembers(parsed);
}

function encodeValue(value: AttributeValue | undefined): string {
  // The SDK leaves nothing of the value of an attribute named `__proto__`: that must not go unnoticed.
  if (value === undefined)
    throw new OpsError('input', 'an attribute without a value: the AWS SDK cannot read one named "__proto__"', { hint: 'Rename it.' });
  if (value.S !== undefined) return `{"S":${JSON.stringify(value.S)}}`;
  if (value.N !== undefined) return `{"N":${JSON.stringify(value.N)}}`;
  if (value.B !== undefined) return `{"B":"${toBase64(value.B)}"}`;
  if (value.BOOL !== undefined) return `{"BOOL":${value.BOOL}}`;
  if (value.NULL !== undefined) return `{"NULL":true}`;
  if (value.M !== undefined) return `{"M":${encodeItem(value.M)}}`;
  if (value.L !== undefined) return `{"L":[${value.L.map(encodeValue).join(',')}]}`;
  if (value.SS !== undefined) return `{"SS":${encodeSet(value.SS)}}`;
  if (value.NS !== undefined) return `{"NS":${encodeSet(value.NS)}}`;
  if (value.BS !== undefined) return `{"BS":${encodeSet(value.BS.map(toBase64))}}`;
  throw new OpsError('input', `an attribute of the unknown type ${JSON.stringify(Object.keys(value)[0])}`);
}

function encodeSet(members: readonly string[]): string {
  return JSON.stringify([...members].sort(compareUtf8));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function decodeMembers(value: unknown): Attributes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAnItem(value);
  // fromEntries defines own properties, whatever their names.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decodeValue(member)]));
}

function decodeValue(value: unknown): AttributeValue {
  const [[type, content] = [], ...more] = Object.entries((value ?? {}) as object);
  if (more.length > 0) throw notAnItem(value);
  if (type === 'S' || type === 'N') return { [type]: text(content) } as unknown as AttributeValue;
  if (type === 'B') return { B: fromBase64(content) };
  if (type === 'BOOL' && typeof content === 'boolean') return { BOOL: content };
  if (type === 'NULL') return { NULL: true };
  if (type === 'M') return { M: decodeMembers(content) };
  if (type === 'L') return { L: list(content).map(decodeValue) };
  if (type === 'SS' || type === 'NS') return { [type]: list(content).map(text) } as unknown as AttributeValue;
  if (type === 'BS') return { BS: list(content).map(fromBase64) };
  throw notAnItem(value);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw notAnItem(value);
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw notAnItem(value);
  return value;
}

function fromBase64(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(text(value), 'base64'));
}

function notAnItem(value: unknown): OpsError {
  return new OpsError('input', `${JSON.stringify(value)?.slice(0, 80)} is no attribute in DynamoDB JSON`);
}

/** The lines of bytes that come in pieces of any size; `input` for a line longer than any item's, or a last one without its newline. */
export async function* splitLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    const buffer = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, start)) {
      yield buffer.toString('utf8', start, end);
      start = end + 1;
    }
    rest = buffer.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw new OpsError('input', `a line of items has more than ${MAX_LINE_BYTES} bytes`);
  }
  if (rest.length > 0) throw new OpsError('input', 'the last line of items is cut off');
}
