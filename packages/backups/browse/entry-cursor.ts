import { type Content, contentRefs } from '#backups/entries/chunk-refs.ts';
import { decodeEntries, type Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { type ChunkReader, readChunks } from '#backups/packs/chunk-reader.ts';

/** A place in the entries of a snapshot, which stand in the order of their paths. */
export interface EntryCursor {
  /** Goes to the first entry whose path is not before this one. */
  seek(path: string): Promise<void>;
  /** The entry there, and goes on to the next; undefined past the last. Throws where a chunk of entries is lost. */
  next(): Promise<Entry | undefined>;
}

/** Chunks of entries that are read at once when many are read in order; they hold about 100 KB each. */
const MAX_AHEAD = 16;
const KEPT = 64;

/** Opens the entries at their beginning. Seeking reads about as many chunks as the number of chunks has binary digits. */
export async function openEntryCursor(reader: ChunkReader, content: Content): Promise<EntryCursor> {
  const ids: Uint8Array[] = [];
  for await (const { id } of contentRefs(reader, content)) ids.push(id);
  const kept = new Map<number, readonly Entry[]>();
  let [chunk, position, ahead] = [0, 0, 1];

  const load = async (number: number, count = 1): Promise<readonly Entry[]> => {
    const known = kept.get(number);
    if (known) return known;
    const chunks = await readChunks(reader, ids.slice(number, number + count));
    if (kept.size >= KEPT) kept.clear();
    for (const [i, bytes] of chunks.entries()) kept.set(number + i, decodeEntries(bytes));
    return kept.get(number) ?? [];
  };
  const firstPath = async (number: number) => (await load(number))[0]?.path ?? '';

  /** The last chunk that begins at or before the path. */
  const findChunk = async (path: string): Promise<number> => {
    let [low, high] = [0, ids.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (comparePaths(await firstPath(middle), path) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  return {
    async seek(path) {
      ahead = 1;
      if (ids.length === 0) return;
      const here = await load(Math.min(chunk, ids.length - 1));
      const isHere = here.length > 0 && comparePaths(here[0].path, path) <= 0 && comparePaths(path, here[here.length - 1].path) <= 0;
      chunk = isHere ? Math.min(chunk, ids.length - 1) : await findChunk(path);
      const entries = await load(chunk);
      position = entries.findIndex((entry) => comparePaths(entry.path, path) >= 0);
      if (position < 0) [chunk, position] = [chunk + 1, 0];
    },
    async next() {
      while (chunk < ids.length) {
        const entries = await load(chunk, ahead);
        if (position < entries.length) return entries[position++];
        [chunk, position, ahead] = [chunk + 1, 0, Math.min(MAX_AHEAD, ahead * 2)];
      }
      return undefined;
    },
  };
}
