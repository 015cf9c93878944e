import type { Cutter } from './fast-cdc.ts';

/** Bytes that are cut in one piece of memory; chunks are views of it, so that nothing is copied again. */
const SLAB_BYTES = 16 << 20;

/**
 * Cuts a stream of pieces into chunks. What is one piece and no longer than the smallest chunk is passed on as it came; all else is gathered
 * in slabs. A chunk is never touched again once it is yielded.
 */
export async function* cutStream(cutter: Cutter, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gatherer = createGatherer(cutter);
  let first: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    if (first === undefined && gatherer.isEmpty() && piece.length <= cutter.parameters.minBytes) {
      first = piece;
      continue;
    }
    if (first) yield* gatherer.take(first);
    first = undefined;
    yield* gatherer.take(piece);
  }
  if (first) yield first;
  else yield* gatherer.end();
}

/** Gathers pieces and gives the chunks that are complete. */
function createGatherer(cutter: Cutter) {
  const { maxBytes } = cutter.parameters;
  let slab = new Uint8Array(0);
  let start = 0;
  let end = 0;
  let began = false;
  let scan = { scanned: 0, low: 0 };

  function* cut(atEnd: boolean): Generator<Uint8Array> {
    while (start < end) {
      const length = cutter.findCut(slab, start, end, atEnd, scan);
      if (length === 0) return;
      yield slab.subarray(start, start + length);
      start += length;
      scan = { scanned: 0, low: 0 };
    }
  }
  const makeRoom = (needed: number) => {
    if (slab.length - end > 0 && (slab.length - end >= needed || slab.length - start >= maxBytes)) return;
    const next = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, maxBytes));
    next.set(slab.subarray(start, end));
    end -= start;
    start = 0;
    slab = next;
  };
  function* take(piece: Uint8Array): Generator<Uint8Array> {
    began = true;
    for (let taken = 0; taken < piece.length; ) {
      makeRoom(piece.length - taken);
      const part = piece.subarray(taken, taken + Math.min(piece.length - taken, slab.length - end));
      slab.set(part, end);
      end += part.length;
      taken += part.length;
      yield* cut(false);
    }
  }
  return { isEmpty: () => !began, take, end: () => cut(true) };
}
