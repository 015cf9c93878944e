import { cutStream } from '#backups/chunks/cut-stream.ts';
import type { Cutter } from '#backups/chunks/fast-cdc.ts';
import { type Content, type ContentState, createContentBuilder } from '#backups/entries/chunk-refs.ts';
import type { ChunkWriter } from '#backups/packs/chunk-writer.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';
import type { SourceItem } from '#ports/backup-source.ts';

/** How much of an item has been read, at the end of a chunk. */
export interface ItemProgress {
  readonly offset: number;
  readonly content: ContentState;
}

export interface ReadItemDeps {
  readonly cutter: Cutter;
  readonly writer: ChunkWriter;
  /** After each chunk; true stops. */
  readonly onChunk: (sizeBytes: number, progress: () => ItemProgress) => Promise<boolean>;
}

/** What reading an item came to. */
export type ItemRead =
  | { readonly state: 'read'; readonly content: Content; readonly sizeBytes: number }
  | { readonly state: 'stopped' }
  | { readonly state: 'failed'; readonly error: OpsError };

/** Reads an item's content into chunks, from its beginning or from where it was left. What the source says of failure is told, not thrown. */
export async function readItem(
  { cutter, writer, onChunk }: ReadItemDeps,
  open: NonNullable<SourceItem['open']>,
  from: ItemProgress = { offset: 0, content: { lists: [], refs: [] } },
): Promise<ItemRead> {
  const content = createContentBuilder(writer, from.content);
  const source: { failure?: OpsError } = {};
  let offset = from.offset;
  for await (const chunk of cutStream(cutter, withoutFailure(open(offset), source))) {
    // What came before a failure is kept: the next attempt finds it stored.
    await content.add(await writer.add(chunk, 'content'));
    offset += chunk.length;
    const progress = () => ({ offset, content: content.state() });
    if (await onChunk(chunk.length, progress)) return { state: 'stopped' };
  }
  if (source.failure) return { state: 'failed', error: source.failure };
  return { state: 'read', content: await content.end(), sizeBytes: offset };
}

/** Ends the stream where the source fails, and remembers with what, so that it is not mixed up with failures of the repository. */
async function* withoutFailure(pieces: AsyncIterable<Uint8Array>, source: { failure?: OpsError }): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    source.failure = error;
  }
}
