import { contentRefs } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import { isOpsError } from '#core/errors.ts';

/** The parent's entries, looked up in the order of their paths. */
export interface ParentEntries {
  find(path: string): Promise<Entry | undefined>;
}

/** Walks the parent's entries beside the source's items. Where the parent cannot be read, the rest counts as new. */
export function walkParent(entries: AsyncGenerator<Entry> | undefined): ParentEntries {
  let current: Entry | undefined;
  let isOver = entries === undefined;
  const advance = async () => {
    try {
      const next = await entries?.next();
      isOver = next === undefined || next.done === true;
      current = next?.done ? undefined : next?.value;
    } catch (error) {
      if (!isOpsError(error, 'missing') && !isOpsError(error, 'input')) throw error;
      isOver = true;
      current = undefined;
    }
  };
  return {
    find: async (path) => {
      while (!isOver && (current === undefined || comparePaths(current.path, path) < 0)) await advance();
      return current?.path === path ? current : undefined;
    },
  };
}

/** Whether all of an entry's content is there and may be used. */
export async function isStored(index: ChunkIndex, reader: ChunkReader, { content }: Entry): Promise<boolean> {
  if (!content) return true;
  if (!content.refs.every(({ id }) => index.has(id))) return false;
  if (!content.areLists) return true;
  try {
    for await (const { id } of contentRefs(reader, content)) if (!index.has(id)) return false;
    return true;
  } catch (error) {
    if (isOpsError(error, 'missing')) return false;
    throw error;
  }
}
