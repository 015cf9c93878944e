import { contentRefs } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import type { ChunkRead, ChunkReader } from '#backups/packs/chunk-reader.ts';
import type { ChunkRef } from '#backups/packs/chunk-writer.ts';
import { OpsError } from '#core/errors.ts';

/** Content that is in memory at once; the next as much is read meanwhile. */
export const BATCH_BYTES: number = 16 << 20;

/** An entry's content in order, read ahead by one batch. Throws, naming the bytes that are lost, at the first chunk that cannot be had. */
export async function* readContent(reader: ChunkReader, entry: Entry): AsyncGenerator<Uint8Array> {
  if (!entry.content) return;
  const batches = batchRefs(contentRefs(reader, entry.content));
  let offset = 0;
  let ahead = readNext(reader, batches);
  for (;;) {
    const batch = await ahead;
    if (!batch) break;
    ahead = readNext(reader, batches);
    // Whoever consumes it may stop before it is awaited.
    ahead.catch(() => undefined);
    for (const [number, read] of batch.reads.entries()) {
      if (read instanceof OpsError) throw lostBytes(entry, offset, batch.refs[number].sizeBytes, read);
      offset += read.length;
      yield read;
    }
  }
  if (offset !== entry.sizeBytes) throw new OpsError('input', `${offset} bytes of content instead of ${entry.sizeBytes}`);
}

/** Which bytes of an entry are lost, and why. */
export function lostBytes(entry: Entry, offset: number, sizeBytes: number, cause: OpsError): OpsError {
  return new OpsError('missing', `bytes ${offset} to ${offset + sizeBytes} of ${entry.sizeBytes} are lost: ${cause.message}`, { cause });
}

async function readNext(
  reader: ChunkReader,
  batches: AsyncGenerator<ChunkRef[]>,
): Promise<{ refs: ChunkRef[]; reads: ChunkRead[] } | undefined> {
  const next = await batches.next();
  if (next.done) return undefined;
  return { refs: next.value, reads: await reader.read(next.value.map(({ id }) => id)) };
}

async function* batchRefs(refs: AsyncIterable<ChunkRef>): AsyncGenerator<ChunkRef[]> {
  let batch: ChunkRef[] = [];
  let sizeBytes = 0;
  for await (const ref of refs) {
    if (batch.length > 0 && sizeBytes + ref.sizeBytes > BATCH_BYTES) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(ref);
    sizeBytes += ref.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}
