import { type BigIntStats, closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { OpsError } from '#core/errors.ts';
import { hasCode } from './file-errors.ts';
import { kindOf, stampOf } from './file-meta.ts';

const PIECE_BYTES = 1024 * 1024;
/** Up to this a file is read by one call that waits: handing it to another thread costs more than the reading. */
const AT_ONCE_BYTES = 256 * 1024;

/** Opens a file for reading and leaves its access time alone where that is allowed. Never waits for a pipe that took its place. */
export function openForReading(path: string | Buffer): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(path, flags | constants.O_NOATIME);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    return openSync(path, flags);
  }
}

export interface FileRead {
  readonly open: () => number;
  readonly offset: number;
  /** Of the file when its attributes were taken. */
  readonly stamp: string;
  /** The bytes given are not, or perhaps not, those of the file that the stamp is of. */
  readonly onChanged: (message: string) => void;
}

/**
 * The bytes of a file from `offset` to the end that it had when it was opened, each piece in memory of its own. What happens to it meanwhile is
 * told once the bytes have been given. `conflict` where it is no file any more.
 */
export async function* readFile({ open, offset, stamp, onChanged }: FileRead): AsyncGenerator<Uint8Array> {
  const handle = open();
  try {
    const stats = fstatSync(handle, { bigint: true });
    if (kindOf(stats) !== 'file') throw new OpsError('conflict', 'it is no file any more');
    const end = Number(stats.size);
    const missing = yield* end - offset <= AT_ONCE_BYTES ? readAtOnce(handle, offset, end) : readAhead(handle, offset, end);
    const change = describeChange(fstatSync(handle, { bigint: true }), stamp, missing);
    if (change) onChanged(change);
  } finally {
    closeSync(handle);
  }
}

function describeChange(stats: BigIntStats, stamp: string, missing: number): string | undefined {
  if (missing > 0) return `it shrank by ${missing} bytes while it was read; kept as it was read`;
  if (stampOf(stats) === stamp) return undefined;
  const isGone = stats.nlink === 0n;
  return isGone ? 'it was deleted or replaced while it was read; kept as it was read' : 'it changed while it was read; kept as it was read';
}

/** Returns how many bytes were not there any more. */
async function* readAtOnce(handle: number, offset: number, end: number): AsyncGenerator<Uint8Array, number> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - offset));
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(handle, bytes, done, bytes.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  if (done > 0) yield bytes.subarray(0, done);
  return bytes.length - done;
}

/** The next piece is on its way while the one before it is worked on. */
async function* readAhead(handle: number, offset: number, end: number): AsyncGenerator<Uint8Array, number> {
  let position = offset;
  let ahead: Promise<Uint8Array> | undefined = readPiece(handle, position, end);
  try {
    while (position < end) {
      const piece: Uint8Array = await (ahead ?? readPiece(handle, position, end));
      ahead = undefined;
      if (piece.length === 0) break;
      position += piece.length;
      if (position < end) ahead = readPiece(handle, position, end);
      yield piece;
    }
    return end - position;
  } finally {
    // The handle must not be closed, and its number given to another file, under a read.
    await ahead?.catch(() => undefined);
  }
}

function readPiece(handle: number, position: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - position));
  const piece = new Promise<Uint8Array>((resolve, reject) => {
    read(handle, bytes, 0, bytes.length, position, (error, count) => (error ? reject(error) : resolve(bytes.subarray(0, count))));
  });
  // Whoever takes it gets its failure; nobody may.
  piece.catch(() => undefined);
  return piece;
}
