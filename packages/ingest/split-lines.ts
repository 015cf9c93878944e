/** A run of whole lines of a stream. */
export interface LineBlock {
  /** The lines with their line feeds; the stream's last one may have none. */
  readonly bytes: Uint8Array;
  /** Bytes of the stream that the block stands for. */
  readonly sizeBytes: number;
  /** Number of the first line, counting from 1. */
  readonly firstLine: number;
  readonly lines: number;
  /** This is one line that was too long to be kept; `bytes` is empty. */
  readonly isTooLong: boolean;
}

export interface SplitOptions {
  /** A block holds as many whole lines as fit into this, at least one. */
  readonly blockBytes?: number | undefined;
  /** A line for which a block is too small, and which is longer than this with its line feed, is left out. */
  readonly maxLineBytes?: number | undefined;
}

/**
 * Cuts a stream of bytes into blocks of whole lines, of which the first has the given number. Where a block ends follows from where
 * it begins and from the bytes alone, however the stream is chunked: begun again at the end of any block, the rest is cut as before.
 * Holds no more than two blocks, one line and one chunk. Blocks follow each other without a gap; the bytes of one may be views of the
 * chunk they came in.
 */
// One long function, because every step of it changes the state at its top.
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  options: SplitOptions = {},
  startLine = 1,
): AsyncGenerator<LineBlock, void, undefined> {
  const { blockBytes = 2 * 1024 * 1024, maxLineBytes = 16 * 1024 * 1024 } = options;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Where the block will end; 0 while no line has. */
  let wholeBytes = 0;
  let firstLine = startLine;
  /** Of a line that is being left out; 0 if none is. */
  let skippedBytes = 0;
  const takeHeld = () => {
    const bytes = joinBytes(held, heldBytes);
    held = [];
    heldBytes = 0;
    wholeBytes = 0;
    return bytes;
  };
  const tooLong = (sizeBytes: number): LineBlock => {
    skippedBytes = 0;
    return { bytes: new Uint8Array(), sizeBytes, firstLine: firstLine++, lines: 1, isTooLong: true };
  };
  for await (const chunk of chunks) {
    const todo = [chunk];
    for (let next = todo.pop(); next; next = todo.pop()) {
      const piece = next.subarray(0, blockBytes);
      if (next.length > piece.length) todo.push(next.subarray(piece.length));
      if (skippedBytes > 0) {
        const newline = piece.indexOf(10);
        skippedBytes += newline < 0 ? piece.length : newline + 1;
        if (newline < 0) continue;
        yield tooLong(skippedBytes);
        if (newline + 1 < piece.length) todo.push(piece.subarray(newline + 1));
        continue;
      }
      const room = Math.max(0, blockBytes - heldBytes);
      const last = piece.subarray(0, room).lastIndexOf(10);
      if (last >= 0) wholeBytes = heldBytes + last + 1;
      const first = wholeBytes === 0 ? piece.indexOf(10, room) : -1;
      if (first >= 0) wholeBytes = heldBytes + first + 1;
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes >= blockBytes && wholeBytes > 0) {
        const end = wholeBytes;
        const bytes = takeHeld();
        if (end < bytes.length) todo.push(bytes.subarray(end));
        const block = lineBlock(bytes.subarray(0, end), firstLine);
        if (end > blockBytes && end > maxLineBytes) {
          yield tooLong(end);
        } else {
          firstLine += block.lines;
          yield block;
        }
      } else if (wholeBytes === 0 && heldBytes > Math.max(blockBytes, maxLineBytes)) {
        skippedBytes = takeHeld().length;
      }
    }
  }
  if (skippedBytes > 0) yield tooLong(skippedBytes);
  else if (heldBytes > 0) yield lineBlock(takeHeld(), firstLine);
}

function lineBlock(bytes: Uint8Array, firstLine: number): LineBlock {
  return { bytes, sizeBytes: bytes.length, firstLine, lines: countLines(bytes), isTooLong: false };
}

function joinBytes(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [only] = pieces;
  if (only && pieces.length === 1) return only;
  const joined = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Line feeds, and what stands behind the last one. */
function countLines(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? 1 : 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
