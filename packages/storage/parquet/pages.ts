import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type ByteSink, createSink, putBytes, sinkView } from './byte-sink.ts';
import { type ByteSource, createSource, takeBytes } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';
import { i32, putStruct, struct, type ThriftStruct, takeStruct } from './thrift.ts';

/** Parquet's numbers for the encodings a block uses. */
export const PLAIN = 0;
export const RLE = 3;
export const DELTA_BINARY_PACKED = 5;
export const RLE_DICTIONARY = 8;
export const BYTE_STREAM_SPLIT = 9;

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
/** No page of ours is larger; a header that claims more is corrupt. */
const MAX_DICTIONARY_BYTES = 64 * 1024 * 1024;
const MAX_BYTES_PER_ROW = 16;
const MAX_BYTES_PER_PAGE = 65_536;

/** One page as met in a column chunk, still compressed. */
export interface Page {
  readonly kind: 'data' | 'dictionary';
  /** Rows of a data page (nulls included), entries of a dictionary. */
  readonly count: number;
  readonly encoding: number;
  readonly sizeBytes: number;
  readonly compressed: Uint8Array;
}

/** zstd with a checksum, so that damage is found when the page is read. */
export function compressPage(body: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 } });
}

/** Appends a version 1 data page: levels and values are both inside of the compressed body. */
export function putDataPage(sink: ByteSink, rows: number, encoding: number, sizeBytes: number, compressed: Uint8Array): void {
  const header = struct([1, i32(rows)], [2, i32(encoding)], [3, i32(RLE)], [4, i32(RLE)]);
  putPage(
    sink,
    [
      [1, i32(DATA_PAGE)],
      [2, i32(sizeBytes)],
      [3, i32(compressed.length)],
      [5, header],
    ],
    compressed,
  );
}

/** Appends a dictionary page of PLAIN values. */
export function putDictionaryPage(sink: ByteSink, entries: number, sizeBytes: number, compressed: Uint8Array): void {
  const header = struct([1, i32(entries)], [2, i32(PLAIN)]);
  putPage(
    sink,
    [
      [1, i32(DICTIONARY_PAGE)],
      [2, i32(sizeBytes)],
      [3, i32(compressed.length)],
      [7, header],
    ],
    compressed,
  );
}

function putPage(sink: ByteSink, fields: Parameters<typeof putStruct>[1], compressed: Uint8Array): void {
  const header = createSink(64);
  putStruct(header, fields);
  putBytes(sink, sinkView(header));
  putBytes(sink, compressed);
}

/** Reads the next page of a column chunk; a page of a kind that only others write is skipped as undefined. */
export function takePage(source: ByteSource): Page | undefined {
  const header = takeStruct(source);
  const sizeBytes = wholeField(header, 2, 'page size');
  const compressed = takeBytes(source, wholeField(header, 3, 'compressed page size'));
  const kind = header.get(1);
  const details = header.get(kind === DICTIONARY_PAGE ? 7 : 5);
  if (kind !== DATA_PAGE && kind !== DICTIONARY_PAGE) return undefined;
  if (!(details instanceof Map)) throw corruptBlock('a page without its header');
  const count = wholeField(details, 1, 'value count');
  const limit = kind === DATA_PAGE ? count * MAX_BYTES_PER_ROW + MAX_BYTES_PER_PAGE : MAX_DICTIONARY_BYTES;
  if (sizeBytes > limit) throw corruptBlock(`a page of ${sizeBytes} bytes for ${count} values`);
  return {
    kind: kind === DATA_PAGE ? 'data' : 'dictionary',
    count,
    encoding: wholeField(details, 2, 'encoding'),
    sizeBytes,
    compressed,
  };
}

/** The page's body; fails with `input` unless it decompresses to exactly the size its header gives. */
export function openPage(page: Page): ByteSource {
  let body: Uint8Array;
  try {
    body = zstdDecompressSync(page.compressed, { maxOutputLength: Math.max(page.sizeBytes, 1), chunkSize: Math.max(page.sizeBytes, 64) });
  } catch (cause) {
    throw corruptBlock(`a page that does not decompress: ${(cause as Error).message}`, cause);
  }
  if (body.length !== page.sizeBytes) throw corruptBlock(`a page of ${body.length} bytes where ${page.sizeBytes} are announced`);
  return createSource(new Uint8Array(body.buffer, body.byteOffset, body.length)); // a Buffer would slice without copying
}

/** A field that must be a whole number from 0 up. */
export function wholeField(fields: ThriftStruct, id: number, what: string): number {
  const value = fields.get(id);
  if (typeof value !== 'number' || value < 0) throw corruptBlock(`no valid ${what}`);
  return value;
}
