import { compareUtf8 } from '#core/text.ts';

interface Passed {
  readonly path: string;
}

/** The path of a part of a Quarterdeck without its pass. */
export function withoutPass(path: string): string {
  return path.slice(path.indexOf('/') + 1);
}

/**
 * What the passes of a backup of a Quarterdeck come to, without their numbers: the catalog of the last one, and the objects of all, each once,
 * by path. `open` gives the entries by path from the beginning; it is called once for each pass and once more.
 */
export async function* mergeSelfPasses<T extends Passed>(open: () => AsyncIterable<T>): AsyncGenerator<T> {
  const passes = new Set<string>();
  for await (const { path } of open()) passes.add(passOf(path));
  const last = [...passes].at(-1);
  if (last !== undefined) yield* below(open(), `${last}/catalog/`);
  yield* mergeByPath([...passes].map((pass) => below(open(), `${pass}/objects/`)));
}

function passOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

async function* below<T extends Passed>(entries: AsyncIterable<T>, prefix: string): AsyncGenerator<T> {
  for await (const entry of entries) if (entry.path.startsWith(prefix)) yield { ...entry, path: withoutPass(entry.path) };
}

async function* mergeByPath<T extends Passed>(streams: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, next: await stream.next() })));
  for (;;) {
    const paths = heads.flatMap(({ next }) => (next.done ? [] : [next.value.path]));
    const first = paths.sort(compareUtf8)[0];
    if (first === undefined) return;
    let given = false;
    for (const head of heads) {
      if (head.next.done || head.next.value.path !== first) continue;
      if (!given) yield head.next.value;
      given = true;
      head.next = await head.stream.next();
    }
  }
}
