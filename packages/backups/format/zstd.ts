import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { OpsError } from '#core/errors.ts';

/** Measured on synthetic text (bench/backup-chunks.ts): no larger than level 3 gives it, for three quarters of its CPU. */
const LEVEL = 2;
/** Below this many bytes handing the work to another thread costs more than doing it. */
const SMALL_BYTES = 16 << 10;

const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** Compresses; undefined where that does not make it smaller. Larger pieces are done on Node's thread pool. */
export function compress(bytes: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  if (bytes.length < SMALL_BYTES) return ifSmaller(bytes, zstdCompressSync(bytes, compression(bytes)));
  return compressAsync(bytes, compression(bytes)).then((packed) => ifSmaller(bytes, packed));
}

/** Compresses whatever comes of it. */
export function compressAlways(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, compression(bytes));
}

/** Decompresses to exactly `sizeBytes`; anything else is damage. */
export async function decompress(bytes: Uint8Array, sizeBytes: number): Promise<Uint8Array> {
  // One byte more than it should be tells that it is longer, and no more than that is ever made.
  const options = { chunkSize: Math.max(64, sizeBytes + 1), maxOutputLength: sizeBytes + 1 };
  const plain = sizeBytes < SMALL_BYTES ? zstdDecompressSync(bytes, options) : await decompressAsync(bytes, options);
  if (plain.length !== sizeBytes) throw new OpsError('input', `${plain.length} bytes came out of compression instead of ${sizeBytes}`);
  return plain;
}

/** Decompresses an object of unknown size, up to a limit. */
export function decompressObject(bytes: Uint8Array, limitBytes: number): Uint8Array {
  return zstdDecompressSync(bytes, { maxOutputLength: limitBytes });
}

function compression(bytes: Uint8Array) {
  // Room for the worst case, so that one call to the library does it; the size lets it choose smaller tables for small input.
  return {
    chunkSize: bytes.length + (bytes.length >>> 7) + 512,
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
  };
}

function ifSmaller(bytes: Uint8Array, packed: Uint8Array): Uint8Array | undefined {
  return packed.length < bytes.length ? packed : undefined;
}
