import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import { type Content, decodeRefs, encodeRefs } from './chunk-refs.ts';

/** One thing in a snapshot. */
export interface Entry {
  readonly path: string;
  readonly kind: string;
  readonly stamp?: string | undefined;
  readonly meta: { readonly [name: string]: Json };
  /** Bytes of its content; 0 where it has none. */
  readonly sizeBytes: number;
  /** Absent for what has no content. */
  readonly content?: Content | undefined;
}

type Head = Omit<Entry, 'content'> & { readonly content?: 'chunks' | 'lists' };

/** A record: length of its head (u32 little-endian), the head as JSON, length of its references, these. */
export function encodeEntry({ path, kind, stamp, meta, sizeBytes, content }: Entry): Buffer {
  const where = content && (content.areLists ? 'lists' : 'chunks');
  const head = Buffer.from(JSON.stringify({ path, kind, stamp, meta, sizeBytes, content: where }));
  const refs = encodeRefs(content?.refs ?? []);
  return Buffer.concat([lengthOf(head), head, lengthOf(refs), refs]);
}

/** The records of an entry chunk; `input` where it is none. */
export function decodeEntries(chunk: Uint8Array): Entry[] {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let at = 0;
  const part = () => {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw new OpsError('input', 'a record of entries is cut short');
    const found = bytes.subarray(at + 4, end);
    at = end;
    return found;
  };
  const entries: Entry[] = [];
  while (at < bytes.length) {
    const { content, ...head } = readHead(part());
    const refs = decodeRefs(part());
    entries.push(content ? { ...head, content: { refs, areLists: content === 'lists' } } : head);
  }
  return entries;
}

function readHead(bytes: Buffer): Head {
  // It is authenticated, so its marks are enough.
  const head: unknown = JSON.parse(bytes.toString());
  if (typeof head === 'object' && head !== null && 'path' in head && 'kind' in head && 'meta' in head && 'sizeBytes' in head) {
    return head as Head;
  }
  throw new OpsError('input', 'a record of entries has not the fields of one');
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(part.length);
  return length;
}
