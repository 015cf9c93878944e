import { ID_BYTES } from '#backups/format/secrets.ts';
import { type ChunkReader, readChunks } from '#backups/packs/chunk-reader.ts';
import type { ChunkRef, ChunkWriter } from '#backups/packs/chunk-writer.ts';
import { OpsError } from '#core/errors.ts';

/** The chunks that content consists of, in order; with `areLists`, chunks that hold such lists. */
export interface Content {
  readonly refs: readonly ChunkRef[];
  readonly areLists: boolean;
}

const REF_BYTES = ID_BYTES + 8;
/** Content of more chunks than this (about 1 GB) goes through lists. */
const MAX_DIRECT = 1_024;
/** A list ends at a chunk whose id says so (once in 1,024), so that lists too stay the same where content does, and at 8,192 at the latest. */
const LIST_MASK = 0x3ff;
const MIN_LIST = 256;
const MAX_LIST = 8_192;

/** id and size (u64 little-endian), 40 bytes each. */
export function encodeRefs(refs: readonly ChunkRef[]): Buffer {
  const bytes = Buffer.alloc(refs.length * REF_BYTES);
  refs.forEach(({ id, sizeBytes }, number) => {
    bytes.set(id, number * REF_BYTES);
    bytes.writeBigUInt64LE(BigInt(sizeBytes), number * REF_BYTES + ID_BYTES);
  });
  return bytes;
}

/** What `encodeRefs` was given. */
export function decodeRefs(encoded: Uint8Array): ChunkRef[] {
  if (encoded.length % REF_BYTES !== 0) throw new OpsError('input', 'a list of chunks has a part of an entry');
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  return Array.from({ length: bytes.length / REF_BYTES }, (_, number) => {
    const at = number * REF_BYTES;
    return { id: bytes.subarray(at, at + ID_BYTES), sizeBytes: Number(bytes.readBigUInt64LE(at + ID_BYTES)) };
  });
}

/** Content whose chunks are still coming; what it is can be kept and gone on with. */
export interface ContentBuilder {
  add(ref: ChunkRef): Promise<void>;
  end(): Promise<Content>;
  state(): ContentState;
}

export interface ContentState {
  readonly lists: readonly ChunkRef[];
  readonly refs: readonly ChunkRef[];
}

/** Gathers chunks into content: short content as it is, long content as lists, which are chunks themselves. */
export function createContentBuilder(writer: ChunkWriter, from: ContentState = { lists: [], refs: [] }): ContentBuilder {
  const lists = [...from.lists];
  let refs = [...from.refs];
  const putList = async (part: readonly ChunkRef[]) => {
    const { id } = await writer.add(encodeRefs(part), 'entries');
    lists.push({ id, sizeBytes: part.reduce((sum, ref) => sum + ref.sizeBytes, 0) });
  };
  /** Where the first list of `refs` ends; 0 where it has no end yet. */
  const listEnd = () => {
    for (let i = MIN_LIST - 1; i < Math.min(refs.length, MAX_LIST); i++) if (endsList(refs[i])) return i + 1;
    return refs.length >= MAX_LIST ? MAX_LIST : 0;
  };
  const putFirst = async () => {
    const end = listEnd() || refs.length;
    const part = refs.slice(0, end);
    refs = refs.slice(end);
    await putList(part);
  };
  return {
    add: async (ref) => {
      refs.push(ref);
      if (lists.length === 0) {
        // Only content that is long at all has lists, and then from its beginning: they are the same whichever way it grew.
        if (refs.length > MAX_DIRECT) while (listEnd() > 0) await putFirst();
      } else if (refs.length >= MAX_LIST || (refs.length >= MIN_LIST && endsList(ref))) await putFirst();
    },
    end: async () => {
      if (lists.length === 0 && refs.length <= MAX_DIRECT) return { refs, areLists: false };
      while (refs.length > 0) await putFirst();
      return { refs: lists, areLists: true };
    },
    state: () => ({ lists: [...lists], refs: [...refs] }),
  };
}

function endsList({ id }: ChunkRef): boolean {
  return (((id[30] << 8) | id[31]) & LIST_MASK) === 0;
}

/** The chunks of content, in order. Throws where a list is lost. */
export async function* contentRefs(reader: ChunkReader, { refs, areLists }: Content): AsyncGenerator<ChunkRef> {
  if (!areLists) {
    yield* refs;
    return;
  }
  for (const { id } of refs) {
    const [list] = await readChunks(reader, [id]);
    yield* decodeRefs(list);
  }
}

/** Whether two contents are the same. */
export function isSameContent(a: Content | undefined, b: Content | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.areLists === b.areLists && a.refs.length === b.refs.length && a.refs.every(({ id }, n) => Buffer.compare(id, b.refs[n].id) === 0)
  );
}
