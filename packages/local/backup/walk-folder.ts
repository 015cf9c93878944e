import { closeSync, type Dir } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { itself } from './beneath.ts';
import { comparePaths, decodeName } from './path-names.ts';
import { isTempName } from './temp-names.ts';

/** A folder on the way of a walk. */
export interface WalkedFolder {
  /** Ends with a slash; empty for the folder that the walk began in. */
  readonly prefix: string;
  /** Undefined once the walk is through with it. */
  handle: number | undefined;
  readonly device: bigint;
  /** The one name that is looked at in it; undefined for all. */
  readonly only?: string | undefined;
}

/** A name in a folder. */
export interface Visited {
  readonly folder: WalkedFolder;
  readonly name: string;
  readonly path: string;
}

export interface WalkOptions {
  readonly after: string | undefined;
  /** Opens a folder to go on in it; undefined where the walk is not to. */
  enter(visited: Visited): WalkedFolder | undefined;
  /** A folder that cannot be opened or listed. */
  onFault(path: string, error: unknown): void;
}

interface Level {
  readonly folder: WalkedFolder;
  /** In order; one that ends with a slash stands for what is in the folder. */
  readonly steps: readonly string[];
  next: number;
}

/**
 * Names below a folder in the order of the bytes of their paths, from behind `after` on. What is held are the names of the folders on the way,
 * not the tree. The folder it begins in stays open.
 */
export async function* walkFolder(root: WalkedFolder, { after, enter, onFault }: WalkOptions): AsyncGenerator<Visited> {
  const levels: Level[] = [await openLevel(root, after)];
  try {
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const step = level.steps[level.next++];
      if (step === undefined) {
        levels.pop();
        if (level.folder !== root) close(level.folder);
      } else if (!step.endsWith('/')) {
        yield { folder: level.folder, name: step, path: level.folder.prefix + step };
      } else {
        const name = step.slice(0, -1);
        const path = level.folder.prefix + name;
        let folder: WalkedFolder | undefined;
        try {
          folder = enter({ folder: level.folder, name, path });
          if (folder) levels.push(await openLevel(folder, after));
        } catch (error) {
          if (folder) close(folder);
          onFault(path, error);
        }
      }
    }
  } finally {
    for (const { folder } of levels) if (folder !== root) close(folder);
  }
}

function close(folder: WalkedFolder): void {
  if (folder.handle !== undefined) closeSync(folder.handle);
  folder.handle = undefined;
}

async function openLevel(folder: WalkedFolder, after: string | undefined): Promise<Level> {
  const steps = sortSteps(await listSteps(folder));
  const done = after?.startsWith(folder.prefix) ? after.slice(folder.prefix.length) : undefined;
  const isAhead = (step: string, from: string) => comparePaths(step, from) > 0 || (step.endsWith('/') && from.startsWith(step));
  return { folder, steps: done === undefined ? steps : steps.filter((step) => isAhead(step, done)), next: 0 };
}

const NAMES_A_READ = 1_024;

async function listSteps({ handle, only }: WalkedFolder): Promise<string[]> {
  const steps: string[] = [];
  // The type of the option does not know that names can come as bytes.
  const encoding = 'buffer' as BufferEncoding;
  const entries: Dir = await opendir(itself(handle as number), { encoding, bufferSize: NAMES_A_READ });
  for await (const entry of entries) {
    const name = decodeName(entry.name as unknown as Buffer);
    if ((only !== undefined && name !== only) || isTempName(name)) continue;
    steps.push(name);
    if (entry.isDirectory()) steps.push(`${name}/`);
  }
  return steps;
}

/** A folder itself is where its name is, what is in it where its name with a slash is. */
export function sortSteps(steps: string[]): string[] {
  // Without surrogates code units are in the order of their bytes, and sorting by them is faster by far.
  return steps.some((step) => /[\ud800-\udfff]/.test(step)) ? steps.sort(comparePaths) : steps.sort();
}
