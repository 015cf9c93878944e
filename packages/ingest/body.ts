import { constants, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { IngestLimits } from './limits.ts';
import { snappyLength, uncompressSnappy } from './snappy.ts';

/** Content encodings that a body may have, as a message lists them. */
const acceptedEncodings = 'identity, gzip, deflate, zstd, snappy';

type BodyLimits = Pick<IngestLimits, 'maxCompressedBytes' | 'maxBodyBytes'>;

/**
 * Undoes a request's content encoding (none, `identity`, `gzip`, `deflate` with or without zlib's header, `zstd`, `snappy` in
 * block format). Output is cut off at `maxBodyBytes` while decompressing: `limit`. Damaged data and unknown encodings: `input`. What
 * comes back may lie in memory that the next call uses again: be done with it before anything else runs.
 */
export function decodeBody(bytes: Uint8Array, contentEncoding: string | undefined, limits: BodyLimits): Uint8Array {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') {
    if (bytes.length > limits.maxBodyBytes) throw tooLarge('the body', bytes.length, limits.maxBodyBytes);
    return bytes;
  }
  const decompress = decompressors.get(encoding);
  if (!decompress) {
    throw new OpsError('input', `content encoding ${JSON.stringify(encoding.slice(0, 80))} is not supported`, {
      hint: `Send one of ${acceptedEncodings}.`,
    });
  }
  if (bytes.length > limits.maxCompressedBytes) throw tooLarge('the compressed body', bytes.length, limits.maxCompressedBytes);
  try {
    return decompress(bytes, limits.maxBodyBytes);
  } catch (cause) {
    if (isOpsError(cause)) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge('the decompressed body', undefined, limits.maxBodyBytes);
    throw new OpsError('input', `the body is not valid ${encoding}: ${(cause as Error).message}`, { cause });
  }
}

type Decompress = (bytes: Uint8Array, maxBytes: number) => Uint8Array;

const options = (bytes: Uint8Array, maxBytes: number) => ({
  maxOutputLength: maxBytes,
  chunkSize: Math.min(Math.max(16_384, bytes.length * 8), 1_048_576, maxBytes + 64),
});

const gunzip: Decompress = (bytes, maxBytes) => gunzipSync(bytes, options(bytes, maxBytes));

/** HTTP's `deflate` is zlib's format, but some clients send the bare stream: a header that fits decides, and if it lied, the other. */
const inflate: Decompress = (bytes, maxBytes) => {
  const header = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if ((header & 0x0f00) !== 0x0800 || header % 31 !== 0) return inflateRawSync(bytes, options(bytes, maxBytes));
  try {
    return inflateSync(bytes, options(bytes, maxBytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error;
    try {
      return inflateRawSync(bytes, options(bytes, maxBytes));
    } catch {
      throw error;
    }
  }
};

/** A frame may ask for a window of gigabytes before its first byte: none larger than the output may be is granted. */
const unzstd: Decompress = (bytes, maxBytes) =>
  zstdDecompressSync(bytes, {
    ...options(bytes, maxBytes),
    params: { [constants.ZSTD_d_windowLogMax]: Math.min(30, Math.max(17, Math.ceil(Math.log2(maxBytes)))) },
  });

const framedSnappy = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);

/** Block format: the length stands first, so it is held against the limit beforehand. */
const unsnappy: Decompress = (bytes, maxBytes) => {
  if (framedSnappy.every((byte, i) => bytes[i] === byte)) {
    throw new OpsError('input', 'the body is snappy in the framed (stream) format', { hint: 'Send the block format.' });
  }
  const length = snappyLength(bytes);
  if (length > maxBytes) throw tooLarge('the decompressed body', length, maxBytes);
  return uncompressSnappy(bytes);
};

const decompressors: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['zstd', unzstd],
  ['snappy', unsnappy],
]);

function tooLarge(what: string, sizeBytes: number | undefined, limit: number): OpsError {
  const size = sizeBytes === undefined ? 'is larger than' : `has ${sizeBytes} bytes, the limit is`;
  return new OpsError('limit', `${what} ${size} ${limit} bytes`, { hint: 'Send smaller requests.' });
}
