import { OpsError } from '#core/errors.ts';
import type { BackupPlaces, SourceOptions } from '#ports/backup-places.ts';
import type { Blobs } from '#ports/blobs.ts';
import { createMemorySource, type MemorySourceOptions, type MemoryThing } from './memory-backup-source.ts';
import { createMemoryTarget, type MemoryTargetOptions } from './memory-backup-target.ts';
import { createMemoryBlobs, type MemoryBlobs } from './memory-blobs.ts';
import type { MemoryOptions } from './memory-options.ts';

type Things = Map<string, MemoryThing>;

/** Places in memory, with a look inside. */
export interface MemoryPlaces extends BackupPlaces {
  /** Stores of repositories, by name. */
  readonly stores: Map<string, MemoryBlobs>;
  /** What is in sources and targets, by name. */
  readonly contents: Map<string, Things>;
  /** Names of what drills have removed. */
  readonly removed: readonly string[];
}

export interface MemoryPlacesOptions extends MemoryOptions {
  /** What stands between a repository and its store: faults. */
  readonly wrapStore?: ((blobs: Blobs) => Blobs) | undefined;
  readonly source?: Pick<MemorySourceOptions, 'onList' | 'onOpen' | 'pieceBytes'> | undefined;
  readonly target?: Pick<MemoryTargetOptions, 'onWrite'> | undefined;
  /** Told of each source that is opened. */
  readonly onSource?: ((name: string, options: SourceOptions) => void) | undefined;
}

/** Makes places that live in memory; `like`: the same places, as another process has them. */
export function createMemoryPlaces(options: MemoryPlacesOptions = {}, like?: MemoryPlaces): MemoryPlaces {
  const { wrapStore = (blobs) => blobs } = options;
  const stores = like?.stores ?? new Map<string, MemoryBlobs>();
  const contents = like?.contents ?? new Map<string, Things>();
  const removed = (like?.removed ?? []) as string[];
  const contentOf = (name: string): Things => {
    const things = contents.get(name) ?? new Map();
    contents.set(name, things);
    return things;
  };
  const sourceOf = (name: string) => {
    const things = contents.get(name);
    if (!things) throw new OpsError('missing', `${name} is not there`);
    return createMemorySource(things, { ...options.source, name });
  };
  // A thing that was restored is one that can be backed up.
  const targetOf = (name: string) => createMemoryTarget({ ...options.target, into: contentOf(name) as never });
  return {
    ...{ stores, contents, removed },
    async openStore(name, { create = false } = {}) {
      const blobs = stores.get(name) ?? (create ? createMemoryBlobs(options) : undefined);
      if (!blobs) throw new OpsError('missing', `there is no repository in ${name}`);
      stores.set(name, blobs);
      return { blobs: wrapStore(blobs) };
    },
    async openSource(name, sourceOptions) {
      options.onSource?.(name, sourceOptions);
      return sourceOf(name);
    },
    openTarget: async (name) => targetOf(name),
    async openChangeLog(source) {
      throw new OpsError('input', `${source} has no log of changes`);
    },
    isEmpty: async (name) => (contents.get(name)?.size ?? 0) === 0,
    async openScratch(_source, id) {
      const name = `scratch-${id}`;
      return {
        name,
        target: targetOf(name),
        openSource: async () => sourceOf(name),
        async remove() {
          contents.delete(name);
          removed.push(name);
        },
      };
    },
  };
}
