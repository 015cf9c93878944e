/** A run of whole lines of a stream. */
export interface LineBlock {
  /** The lines with their line feeds; the stream's last one may have none. */
  readonly bytes: Uint8Array;
  /** Number of the first line, counting from 1. */
  readonly firstLine: number;
  readonly lines: number;
  /** This is one line that was too long to be kept; `bytes` is empty. */
  readonly isTooLong: boolean;
}

export interface SplitOptions {
  /** A block ends with the first line to pass this size. */
  readonly blockBytes?: number | undefined;
  /** No shorter line is left out; one that is longer by a block always is. */
  readonly maxLineBytes?: number | undefined;
}

/**
 * Cuts a stream of bytes, however it is chunked, into blocks of whole lines. Holds no more than one block, one line and one
 * chunk. Blocks follow each other without a gap; the bytes of one may be views of the chunk they came in.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  options: SplitOptions = {},
): AsyncGenerator<LineBlock, void, undefined> {
  const { blockBytes = 4 * 1024 * 1024, maxLineBytes = 16 * 1024 * 1024 } = options;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Bytes held up to the last line feed, that one included. */
  let wholeBytes = 0;
  let firstLine = 1;
  let isSkipping = false;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + blockBytes);
      from += piece.length;
      if (isSkipping) {
        const newline = piece.indexOf(10);
        if (newline < 0) continue;
        from += newline + 1 - piece.length;
        firstLine++;
        isSkipping = false;
        continue;
      }
      const newline = piece.lastIndexOf(10);
      if (newline >= 0) wholeBytes = heldBytes + newline + 1;
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes >= blockBytes && wholeBytes > 0) {
        const bytes = joinBytes(held, heldBytes);
        const block = {
          bytes: bytes.subarray(0, wholeBytes),
          firstLine,
          lines: countLines(bytes.subarray(0, wholeBytes)),
          isTooLong: false,
        };
        const rest = bytes.subarray(wholeBytes);
        held = rest.length > 0 ? [rest] : [];
        heldBytes = rest.length;
        wholeBytes = 0;
        firstLine += block.lines;
        yield block;
      }
      if (wholeBytes === 0 && heldBytes > maxLineBytes) {
        held = [];
        heldBytes = 0;
        isSkipping = true;
        yield { bytes: new Uint8Array(), firstLine, lines: 1, isTooLong: true };
      }
    }
  }
  if (heldBytes === 0) return;
  const bytes = joinBytes(held, heldBytes);
  const openLines = wholeBytes < heldBytes ? 1 : 0;
  yield { bytes, firstLine, lines: countLines(bytes) + openLines, isTooLong: false };
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

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
