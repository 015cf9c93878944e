import { ftruncateSync, write, writeSync } from 'node:fs';
import { OpsError } from '#core/errors.ts';

/** Up to this a piece is written by one call that waits: handing it to another thread costs more than the writing. */
const AT_ONCE_BYTES = 64 * 1024;
/** The blocks of file systems; shorter runs of zeros save nothing. */
const BLOCK_BYTES = 4 * 1024;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

export interface FileContent {
  readonly path: string;
  readonly sizeBytes: number;
  readonly content: AsyncIterable<Uint8Array> | undefined;
  /** Leaves holes where blocks are nothing but zeros. */
  readonly sparse: boolean;
}

/** Writes a file's bytes to a handle that is empty. `unavailable` where the content is not of the size that it is said to be. */
export async function writeContent(handle: number, { path, sizeBytes, content, sparse }: FileContent): Promise<void> {
  let done = 0;
  for await (const piece of content ?? []) {
    if (done + piece.length > sizeBytes) break;
    if (sparse) await writeSparse(handle, piece, done);
    else await writeAll(handle, piece, done);
    done += piece.length;
  }
  if (done !== sizeBytes)
    throw new OpsError('unavailable', `the content of ${path} is not of the ${sizeBytes} bytes that it is said to be`);
  // A hole at the end is no bytes at all so far.
  if (sparse) ftruncateSync(handle, sizeBytes);
}

async function writeSparse(handle: number, piece: Uint8Array, position: number): Promise<void> {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  let from = 0;
  const first = (BLOCK_BYTES - (position % BLOCK_BYTES)) % BLOCK_BYTES;
  for (let block = first; block + BLOCK_BYTES <= bytes.length; block += BLOCK_BYTES) {
    if (bytes[block] !== 0 || bytes.compare(ZEROS, 0, BLOCK_BYTES, block, block + BLOCK_BYTES) !== 0) continue;
    if (block > from) await writeAll(handle, bytes.subarray(from, block), position + from);
    from = block + BLOCK_BYTES;
  }
  if (from < bytes.length) await writeAll(handle, bytes.subarray(from), position + from);
}

async function writeAll(handle: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const left = bytes.length - done;
    done +=
      left <= AT_ONCE_BYTES ? writeSync(handle, bytes, done, left, position + done) : await writeSome(handle, bytes, done, position + done);
  }
}

function writeSome(handle: number, bytes: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(handle, bytes, offset, bytes.length - offset, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
