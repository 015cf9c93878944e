import { type ChunkIndex, createChunkIndex } from '#backups/packs/chunk-index.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import type { ChunkRef } from '#backups/packs/chunk-writer.ts';
import { OpsError } from '#core/errors.ts';
import { type Content, decodeRefs } from './chunk-refs.ts';
import { decodeEntries, type Entry } from './entry.ts';

/** Everything that snapshots refer to, visited once however many share it. */
export interface Walk {
  /** Every chunk that has been met: content, lists and entries. */
  readonly used: ChunkIndex;
  /** Goes through a snapshot's entries. */
  visit(entries: Content): Promise<void>;
}

export interface WalkEvents {
  /** A chunk of content, the first time. */
  readonly onContent?: ((ref: ChunkRef, entry: Entry) => void) | undefined;
  /** A list or a chunk of entries that cannot be read; absent, it is thrown. */
  readonly onLost?: ((error: OpsError, entry?: Entry) => void) | undefined;
}

const BATCH = 16;

/** Walks from snapshots to all chunks. */
export function createWalk(reader: ChunkReader, { onContent, onLost }: WalkEvents = {}): Walk {
  const used = createChunkIndex();
  const isNew = ({ id }: ChunkRef) => {
    if (used.has(id)) return false;
    used.reserve(id);
    return true;
  };
  /** The bytes of those chunks that have not been met before. */
  async function* readNew(refs: Iterable<ChunkRef>, entry?: Entry): AsyncGenerator<Uint8Array> {
    const fresh = [...refs].filter(isNew);
    for (let at = 0; at < fresh.length; at += BATCH) {
      for (const read of await reader.read(fresh.slice(at, at + BATCH).map(({ id }) => id))) {
        if (!(read instanceof OpsError)) yield read;
        else if (onLost) onLost(read, entry);
        else throw read;
      }
    }
  }
  async function* refsOf({ refs, areLists }: Content, entry?: Entry): AsyncGenerator<readonly ChunkRef[]> {
    if (!areLists) yield refs;
    else for await (const list of readNew(refs, entry)) yield decodeRefs(list);
  }
  const visitEntry = async (entry: Entry) => {
    if (!entry.content) return;
    for await (const refs of refsOf(entry.content, entry)) {
      for (const ref of refs) if (isNew(ref)) onContent?.(ref, entry);
    }
  };
  return {
    used,
    visit: async (entries) => {
      for await (const refs of refsOf(entries)) {
        for await (const chunk of readNew(refs)) {
          for (const entry of decodeEntries(chunk)) await visitEntry(entry);
        }
      }
    },
  };
}
