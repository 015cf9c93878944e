import { OpsError } from '#core/errors.ts';
import { mayHold } from './target-folders.ts';

/** Names that a file system which does not tell upper from lower case takes for the same. */
export interface NameClashes {
  /** Takes note of a path that is, or will be, in the target. */
  note(names: readonly string[]): void;
  /** `input` where another one that was noted would be overwritten by this path. */
  check(names: readonly string[]): void;
}

/** Remembers the names of the folders that more can come into. */
export function createNameClashes(): NameClashes {
  const folders = new Map<string, Map<string, string>>();
  const fold = (text: string) => text.normalize('NFC').toLowerCase();
  const open = (folder: string) => {
    const names = new Map<string, string>();
    folders.set(folder, names);
    return names;
  };
  const folderOf = (names: readonly string[], i: number) => names.slice(0, i).join('/');
  return {
    note(names) {
      for (const [i, name] of names.entries()) {
        const folder = folderOf(names, i);
        (folders.get(folder) ?? open(folder)).set(fold(name), name);
      }
    },
    check(names) {
      const path = names.join('/');
      // Nothing more can come into those, since what is checked is written, and in order.
      for (const known of folders.keys()) if (known !== '' && !mayHold(known, path)) folders.delete(known);
      for (const [i, name] of names.entries()) {
        const other = folders.get(folderOf(names, i))?.get(fold(name)) ?? name;
        if (other === name) continue;
        throw new OpsError('input', `${path} clashes with ${other}: this file system does not tell upper from lower case`);
      }
    },
  };
}
