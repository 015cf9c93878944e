import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { ImportEncoding } from './import-record.ts';
import { cutAtFrames } from './zstd-frames.ts';

export interface ObjectTextInput {
  readonly key: string;
  /** Size of the object. */
  readonly sizeBytes: number;
  /** What its client said of it. */
  readonly encoding: ImportEncoding | undefined;
  /** Begin behind this many bytes of text. */
  readonly fromBytes: number;
  /** Told, before each request, how many bytes of the object have been read. Its failure ends the stream. */
  readonly onRead: (objectBytes: number) => Promise<void>;
}

/** The most text that a compressed file may hold: beyond any file that makes sense, and minutes of decompressing. */
const MAX_TEXT_BYTES = 64 * 1024 ** 3;
const RANGE_BYTES = 2 * 1024 * 1024;
/** 128 MiB: what zstd itself takes without being asked to. */
const WINDOW_LOG_MAX = 27;

/**
 * An object's text in chunks, read by ranges, one ahead, and decompressed on the way; it holds a few ranges at a time. Ends with
 * `input` where the compressed bytes are damaged or are not what they were said to be, `limit` where there is too much text.
 */
export async function* readObjectText(blobs: Blobs, input: ObjectTextInput): AsyncGenerator<Uint8Array, void, undefined> {
  const { key, sizeBytes, fromBytes } = input;
  const head = sizeBytes === 0 ? new Uint8Array() : await retry(() => blobs.get(key, { start: 0, end: 4 }));
  const encoding = decideEncoding(head, input.encoding);
  if (encoding === 'identity') yield* readRanges(blobs, input, fromBytes);
  else yield* skipBytes(decompress(readRanges(blobs, input, 0), encoding), fromBytes);
}

/** The encoding that the first bytes show; no text begins like that. `input` where they are not what was said. */
export function decideEncoding(head: Uint8Array, said: ImportEncoding | undefined): ImportEncoding {
  const found = encodingOf(head);
  if (found !== 'identity' || said === undefined || said === 'identity') return found;
  throw new OpsError('input', `the file was said to be ${said}, and does not begin as ${said} does`);
}

function encodingOf([a, b, c, d]: Uint8Array): ImportEncoding {
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  return a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18 ? 'zstd' : 'identity';
}

async function* readRanges(
  blobs: Blobs,
  { key, sizeBytes, onRead }: ObjectTextInput,
  from: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const read = async (start: number) => {
    await onRead(start);
    return retry(() => blobs.get(key, { start, end: Math.min(start + RANGE_BYTES, sizeBytes) }));
  };
  let next: Promise<Uint8Array> | undefined = from < sizeBytes ? read(from) : undefined;
  for (let start = from; next; ) {
    const chunk = await next;
    start += RANGE_BYTES;
    next = start < sizeBytes ? read(start) : undefined;
    next?.catch(() => undefined); // met when its turn comes, if it comes
    yield chunk;
  }
}

async function* decompress(chunks: AsyncIterable<Uint8Array>, encoding: 'gzip' | 'zstd'): AsyncGenerator<Uint8Array, void, undefined> {
  const options = { chunkSize: 256 * 1024 };
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
  const text: Transform = encoding === 'gzip' ? createGunzip(options) : createZstdDecompress({ ...options, params });
  const source = Readable.from(encoding === 'gzip' ? chunks : cutAtFrames(chunks), { highWaterMark: 1 });
  pipeline(source, text, () => undefined); // errors come out of `text`
  let sizeBytes = 0;
  try {
    for await (const chunk of text as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_TEXT_BYTES) throw new OpsError('limit', `the file holds more than ${MAX_TEXT_BYTES} bytes of text`);
      yield chunk;
    }
  } catch (error) {
    throw isDamage(error) ? new OpsError('input', `the file is not valid ${encoding}: ${error.message}`, { cause: error }) : error;
  } finally {
    source.destroy();
    text.destroy();
  }
}

function isDamage(error: unknown): error is Error {
  return error instanceof Error && /^(Z_|ZSTD_)/.test(String((error as NodeJS.ErrnoException).code));
}

async function* skipBytes(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of chunks) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
