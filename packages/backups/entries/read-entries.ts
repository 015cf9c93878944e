import { type ChunkReader, readChunks } from '#backups/packs/chunk-reader.ts';
import { type Content, contentRefs } from './chunk-refs.ts';
import { decodeEntries, type Entry } from './entry.ts';

/** Chunks of entries that are read at once; they hold about 100 KB each. */
const AHEAD = 16;

/** The entries of a snapshot in the order of their paths. Throws where a chunk of them is lost. */
export async function* readEntries(reader: ChunkReader, entries: Content): AsyncGenerator<Entry> {
  let batch: Uint8Array[] = [];
  for await (const { id } of contentRefs(reader, entries)) {
    batch.push(id);
    if (batch.length < AHEAD) continue;
    for (const chunk of await readChunks(reader, batch)) yield* decodeEntries(chunk);
    batch = [];
  }
  for (const chunk of await readChunks(reader, batch)) yield* decodeEntries(chunk);
}
