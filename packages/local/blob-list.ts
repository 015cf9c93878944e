import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isBlobKey } from '#ports/blob-keys.ts';
import { type Fragment, folderPath, readName } from './blob-paths.ts';
import { unless } from './durable-folders.ts';

interface Search {
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
  readonly found: Fragment[];
}

/** The first `limit` keys with the prefix behind `after`, in byte order, with the paths of their files. */
export async function listKeys(root: string, prefix: string, after: string, limit: number): Promise<readonly Fragment[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  // No key begins with anything else; and no path leads out of the root.
  if (folder !== '' && !isBlobKey(folder.slice(0, -1))) return [];
  const search: Search = { prefix, after, limit, found: [] };
  await searchFolder(search, folder, folderPath(root, folder));
  return search.found;
}

async function searchFolder(search: Search, folder: string, path: string): Promise<void> {
  const fragments = await readFragments(path, '');
  // Keys are ASCII, so this is byte order; and a folder's slash puts it where the keys in it belong.
  fragments.sort((a, b) => (a.text < b.text ? -1 : 1));
  for (const fragment of fragments) {
    if (search.found.length >= search.limit) return;
    const text = folder + fragment.text;
    if (!text.endsWith('/')) {
      if (text.startsWith(search.prefix) && text > search.after) search.found.push({ text, path: fragment.path });
    } else if (text.startsWith(search.prefix) && (text > search.after || search.after.startsWith(text))) {
      await searchFolder(search, text, fragment.path);
    }
  }
}

/** What is in a folder, segments that go on in folders of their own put together. */
async function readFragments(path: string, begun: string): Promise<Fragment[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(unless('ENOENT'));
  const fragments: Fragment[] = [];
  for (const entry of entries ?? []) {
    const { text, continued } = readName(entry.name, entry.isDirectory());
    const inside = join(path, entry.name);
    if (continued) fragments.push(...(await readFragments(inside, begun + text)));
    else fragments.push({ text: begun + text, path: inside });
  }
  return fragments;
}
