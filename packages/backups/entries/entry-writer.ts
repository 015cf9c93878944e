import { crc32 } from 'node:zlib';
import type { ChunkRef, ChunkWriter } from '#backups/packs/chunk-writer.ts';
import { type Content, type ContentState, createContentBuilder } from './chunk-refs.ts';
import { type Entry, encodeEntry } from './entry.ts';
import { comparePaths } from './path-order.ts';

const MIN_BYTES = 64 << 10;
const MAX_BYTES = 1 << 20;
/** Past the minimum a chunk of entries ends after one record in 256, chosen by its path: between snapshots those boundaries stay. */
const CUT_MASK = 0xff;

/** Entries that are still coming. */
export interface EntryWriter {
  add(entry: Entry): Promise<void>;
  end(): Promise<Content>;
  state(): EntryWriterState;
}

export interface EntryWriterState {
  readonly chunks: ContentState;
  /** Records that fill no chunk yet. */
  readonly pending: Uint8Array;
  readonly lastPath?: string | undefined;
}

/** Writes entries, which must come in the order of their paths, as chunks of whole records. A path out of order is a defect of its source. */
export function createEntryWriter(writer: ChunkWriter, from?: EntryWriterState): EntryWriter {
  const chunks = createContentBuilder(writer, from?.chunks);
  let records: Uint8Array[] = from && from.pending.length > 0 ? [from.pending] : [];
  let sizeBytes = from?.pending.length ?? 0;
  let lastPath = from?.lastPath;
  const cut = async () => {
    const ref: ChunkRef = await writer.add(Buffer.concat(records), 'entries');
    records = [];
    sizeBytes = 0;
    await chunks.add(ref);
  };
  return {
    add: async (entry) => {
      if (lastPath !== undefined && comparePaths(lastPath, entry.path) >= 0) {
        throw new Error(
          `the source gave ${JSON.stringify(entry.path)} after ${JSON.stringify(lastPath)}: paths must come in the order of their bytes`,
        );
      }
      lastPath = entry.path;
      const record = encodeEntry(entry);
      records.push(record);
      sizeBytes += record.length;
      if (sizeBytes >= MAX_BYTES || (sizeBytes >= MIN_BYTES && (crc32(entry.path) & CUT_MASK) === 0)) await cut();
    },
    end: async () => {
      if (sizeBytes > 0) await cut();
      return chunks.end();
    },
    state: () => ({ chunks: chunks.state(), pending: Buffer.concat(records), lastPath }),
  };
}
