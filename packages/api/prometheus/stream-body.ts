/** What is written in one piece rather than streamed. */
const WHOLE_BYTES = 256 * 1024;

/** A response's body out of pieces: in one where it is short, else a stream that makes each piece when it is asked for. */
export function makeBody(pieces: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  const head: Uint8Array[] = [];
  for (let sizeBytes = 0; sizeBytes < WHOLE_BYTES; ) {
    const next = iterator.next();
    if (next.done === true) return Buffer.concat(head);
    head.push(next.value);
    sizeBytes += next.value.length;
  }
  return streamRest(head, iterator);
}

function streamRest(head: readonly Uint8Array[], rest: Iterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of head) controller.enqueue(piece);
    },
    pull: (controller) => {
      const next = rest.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: () => {
      rest.return?.();
    },
  });
}
