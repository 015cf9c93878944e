import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Folders below a root whose being there, and what is in them, is on the disk. */
export interface DurableFolders {
  /** Makes the folder and those above it, where they are not there; all of them are on the disk when it resolves. */
  ensure(path: string): Promise<void>;
  /** Brings the folder's entries as they are now to the disk: one fsync for all who ask while another one runs. */
  sync(path: string): Promise<void>;
  /** To be called when a folder turns out to be gone. */
  forget(path: string): void;
  /** Removes the folder and those above it as far as they are empty. */
  prune(path: string): Promise<void>;
}

interface FolderSync {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

/** Keeps track of the folders below a root, which is there. */
export function createDurableFolders(root: string): DurableFolders {
  const durable = new Map<string, Promise<void>>([[root, Promise.resolve()]]);
  const syncs = new Map<string, FolderSync>();

  const make = async (path: string) => {
    const parent = dirname(path);
    await ensure(parent);
    await mkdir(path).catch(unless('EEXIST'));
    await sync(parent);
  };

  const ensure = (path: string): Promise<void> => {
    const known = durable.get(path);
    if (known) return known;
    const made = make(path);
    durable.set(path, made);
    made.catch(() => forget(path));
    return made;
  };

  const sync = (path: string): Promise<void> => {
    const current = syncs.get(path);
    if (!current) return begin(path);
    // One that runs already may have begun before the caller's change: the next one has it for sure.
    current.next ??= current.running.catch(() => undefined).then(() => begin(path));
    return current.next;
  };

  const begin = (path: string): Promise<void> => {
    const state: FolderSync = { running: syncFolder(path), next: undefined };
    syncs.set(path, state);
    const end = () => {
      if (!state.next) syncs.delete(path);
    };
    state.running.then(end, end);
    return state.running;
  };

  const forget = (path: string) => {
    for (let folder = path; folder.length > root.length; folder = dirname(folder)) durable.delete(folder);
  };

  const prune = async (path: string) => {
    for (let folder = path; folder.length > root.length; folder = dirname(folder)) {
      durable.delete(folder);
      try {
        await rmdir(folder);
      } catch (error) {
        unless('ENOTEMPTY', 'EEXIST', 'ENOENT')(error);
        return;
      }
    }
  };

  return { ensure, sync, forget, prune };
}

/** An error handler that swallows errors with one of these codes and throws all others. */
export function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return undefined;
  };
}

/** Brings a folder's entries to the disk; a folder that is gone is no error. */
export async function syncFolder(path: string): Promise<void> {
  // A folder that is gone by now was empty again: what was put there has been deleted.
  const handle = await open(path, 'r').catch(unless('ENOENT'));
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
