/**
 * All that the sources give, one source after the other, while the first piece of the next ones is being made: at most `width` sources are
 * open, and of each at most one piece waits. What is open is closed when the reader stops or a source fails.
 */
export async function* readAhead<T>(count: number, width: number, open: (index: number) => AsyncGenerator<T>): AsyncGenerator<T> {
  const opened: { generator: AsyncGenerator<T>; next: Promise<IteratorResult<T, unknown>> }[] = [];
  const openNext = (index: number) => {
    const generator = open(index);
    opened.push({ generator, next: ask(generator) });
  };
  let started = 0;
  try {
    for (let current = 0; current < count; current++) {
      while (started < count && started < current + width) openNext(started++);
      const source = opened[0] as (typeof opened)[number];
      for (;;) {
        const piece = await source.next;
        if (piece.done) break;
        source.next = ask(source.generator);
        yield piece.value;
      }
      opened.shift();
    }
  } finally {
    await Promise.allSettled(opened.map(({ generator }) => generator.return(undefined)));
  }
}

function ask<T>(generator: AsyncGenerator<T>): Promise<IteratorResult<T, unknown>> {
  const next = generator.next();
  // Whoever awaits it learns of a failure; that nobody has yet is no fault.
  next.catch(() => undefined);
  return next;
}
