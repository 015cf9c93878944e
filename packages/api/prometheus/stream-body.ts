/** What is written in one piece rather than streamed, in characters. */
const WHOLE = 256 * 1024;

/** A response's body out of pieces of text: a string where it is short, else a stream that makes each piece when it is asked for. */
export function makeBody(pieces: Iterable<string>): string | ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  let head = '';
  while (head.length < WHOLE) {
    const next = iterator.next();
    if (next.done === true) return head;
    head += next.value;
  }
  return streamRest(head, iterator);
}

function streamRest(head: string, rest: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(head)),
    pull: (controller) => {
      const next = rest.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: () => {
      rest.return?.();
    },
  });
}
