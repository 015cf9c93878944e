import { mergeSelfPasses, withoutPass } from '#backups/self/merge-passes.ts';

interface Thing {
  readonly path: string;
  readonly kind: string;
}

/** How a snapshot and what was restored from it are laid side by side. */
export interface ComparedView {
  /** Content that is a set of lines: how it is cut into parts, and in which order, is nobody's concern. */
  readonly lineKind: string;
  /** Entries of the snapshot as they are compared, by path; `open` reads them from the beginning. */
  wanted<T extends Thing>(open: () => AsyncIterable<T>): AsyncIterable<T>;
  /** What was restored, likewise. */
  found<T extends Thing>(items: AsyncIterable<T>): AsyncIterable<T>;
  /** Whether things of the snapshot that were not restored are no difference. */
  readonly mayLack: boolean;
}

/** The view for a source's type. */
export function comparedView(type: string): ComparedView {
  return type === 'quarterdeck' ? selfView : plainView;
}

const plainView: ComparedView = { lineKind: 'items', wanted: (open) => open(), found: (items) => items, mayLack: false };

/** The catalog that counts, and the objects of all passes: those that it does not name need not come back, and it tells those that it names. */
const selfView: ComparedView = { lineKind: 'catalog', wanted: mergeSelfPasses, found: withoutPasses, mayLack: true };

async function* withoutPasses<T extends Thing>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) yield { ...item, path: withoutPass(item.path) };
}
