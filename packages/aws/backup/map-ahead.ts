/** Each piece through `call`, in order, with at most `width` calls under way or waiting to be taken. */
export async function* mapAhead<T, R>(pieces: AsyncIterable<T>, width: number, call: (piece: T) => Promise<R>): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const piece of pieces) {
      const next = call(piece);
      // Whoever takes it learns of a failure.
      next.catch(() => undefined);
      pending.push(next);
      if (pending.length >= width) yield await (pending.shift() as Promise<R>);
    }
    while (pending.length > 0) yield await (pending.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(pending);
  }
}
