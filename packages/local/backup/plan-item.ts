import type { BigIntStats } from 'node:fs';
import type { ItemPlan, RestoredItem } from '#ports/backup-target.ts';
import { compareItem } from './compare-item.ts';
import { hasCode } from './file-errors.ts';
import { firstNames } from './make-special.ts';
import { type Checked, checkItem, type Opened, openTarget, type Target } from './target.ts';
import { idOf, lookAt, mayHold, type TargetFolders } from './target-folders.ts';

/** What writing an item would do. */
export async function planItem(target: Target, item: Omit<RestoredItem, 'content'>): Promise<ItemPlan> {
  target.isAsked = true;
  const wanted = checkItem(target, item);
  forgetKept(target, item.path);
  const opened = openTarget(target, false);
  if (!opened) return 'create';
  const plan = compare(target, opened, wanted);
  if (plan === 'keep') target.clashes?.note(wanted.names);
  return plan;
}

/** Restores plan some way ahead of what they write; this is farther than any. */
const MAX_KEPT = 20_000;

function forgetKept({ kept }: Target, path: string): void {
  if (kept.length < MAX_KEPT) return;
  const ahead = kept.splice(0).filter((folder) => mayHold(folder.path, path));
  kept.push(...ahead.slice(0, MAX_KEPT / 2));
}

function compare(target: Target, { folders }: Opened, wanted: Checked): ItemPlan {
  const { kind, meta, names, parents, name, path } = wanted;
  const plan = lookIn(folders, parents, (folder) => {
    const there = lookAt(folder, name);
    if (!there) return undefined;
    const found = kind === 'hardlink' ? compareLink(folders, wanted, there) : compareItem(target.deps, wanted, there, folder, name);
    if (found === 'keep' && kind === 'dir') target.kept.push({ names, path, meta, id: idOf(there) });
    return found;
  });
  return plan ?? 'create';
}

function compareLink(folders: TargetFolders, { path, meta }: Checked, there: BigIntStats): ItemPlan {
  const names = firstNames(path, meta);
  const first = lookIn(folders, names.slice(0, -1), (folder) => lookAt(folder, names.at(-1) as string));
  return first && idOf(first) === idOf(there) ? 'keep' : 'replace';
}

/** What is in a folder of the target; undefined where the way to it is not there, or is something that the folder's own item will replace. */
function lookIn<T>(folders: TargetFolders, names: readonly string[], look: (folder: number) => T): T | undefined {
  try {
    return folders.look(names, look);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
