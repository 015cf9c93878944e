import { OpsError } from '#core/errors.ts';

/**
 * Gives the bytes of a zstd file on, cut so that no piece holds parts of two frames, and without skippable frames: Node's
 * decompressor forgets what stands behind the end of a frame in the piece that it was handed. Files of several frames are what
 * `pzstd`, and joining files, makes. Layout: RFC 8878, 3.1. `input` where a frame does not begin as frames do.
 */
export async function* cutAtFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let state: State = { kind: 'magic' };
  /** Bytes until the next header. */
  let ahead = 0;
  let isSkippable = false;
  /** As far as it has come. */
  let header = new Uint8Array();
  for await (const chunk of chunks) {
    let piece: Uint8Array[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (ahead > 0) {
        const bytes = chunk.subarray(at, at + ahead);
        if (!isSkippable) piece.push(bytes);
        ahead -= bytes.length;
        at += bytes.length;
        continue;
      }
      const bytes = chunk.subarray(at, at + headerBytes(state, header) - header.length);
      header = Buffer.concat([header, bytes]);
      at += bytes.length;
      if (header.length < headerBytes(state, header)) continue;
      const next = readHeader(state, header);
      if (state.kind === 'magic') {
        if (piece.length > 0) yield Buffer.concat(piece);
        piece = [];
        isSkippable = next.state.kind === 'magic';
      }
      if (!isSkippable) piece.push(header);
      ({ state, ahead } = next);
      header = new Uint8Array();
    }
    if (piece.length > 0) yield Buffer.concat(piece);
  }
  // A frame that is cut off is the decompressor's to notice; this it has not seen.
  if (state.kind === 'magic' && header.length > 0) throw notFrames();
}

type State =
  /** Before a frame: its magic number and, behind that, its descriptor or length. */
  | { readonly kind: 'magic' }
  /** Inside a frame, before a block. */
  | { readonly kind: 'block'; readonly checksumBytes: number };

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Bytes that the header must have, as far as what is there of it tells. */
function headerBytes(state: State, header: Uint8Array): number {
  if (state.kind === 'block') return 3;
  if (header.length < 4) return 4;
  return readUint32(header, 0) === MAGIC ? 5 : 8;
}

function readHeader(state: State, header: Uint8Array): { state: State; ahead: number } {
  if (state.kind === 'block') return readBlockHeader(header, state.checksumBytes);
  const magic = readUint32(header, 0);
  if (magic === MAGIC) {
    const descriptor = header[4] as number;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
    const checksumBytes = (descriptor & 4) !== 0 ? 4 : 0;
    return { state: { kind: 'block', checksumBytes }, ahead: (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes };
  }
  if (magic - (magic & 15) === SKIPPABLE_MAGIC) return { state: { kind: 'magic' }, ahead: readUint32(header, 4) };
  throw notFrames();
}

function readBlockHeader(header: Uint8Array, checksumBytes: number): { state: State; ahead: number } {
  const bits = (header[0] as number) | ((header[1] as number) << 8) | ((header[2] as number) << 16);
  const isLast = (bits & 1) === 1;
  const isRun = ((bits >> 1) & 3) === 1;
  const ahead = isRun ? 1 : bits >> 3;
  return isLast ? { state: { kind: 'magic' }, ahead: ahead + checksumBytes } : { state: { kind: 'block', checksumBytes }, ahead };
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

function notFrames(): OpsError {
  return new OpsError('input', 'the file is not valid zstd: something that is no frame stands where one should begin');
}
