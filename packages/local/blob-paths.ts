import { join } from 'node:path';

// A key's segments are folders and its last one a file, under their own names wherever that is possible, so that other programs
// find `tier=hot/date=2026-11-23/x.parquet` where they expect it. `~` and `+` occur in no key:
// `name~` is a file that does not look like one, or a folder that looks like a file, so that `a` and `a/b` can both be there;
// `name+` is a folder for the beginning of a segment that is too long for a file name.

const PIECE_CHARACTERS = 200;

/** Something in a folder: the part of a key that it stands for, with a slash at the end for a folder, and its path. */
export interface Fragment {
  readonly text: string;
  readonly path: string;
}

/** Where the object of a key lies, below the root. */
export function blobPath(root: string, key: string): string {
  const segments = key.split('/');
  const file = segments.pop() as string;
  const pieces = piecesOf(file);
  const last = pieces.pop() as string;
  return join(root, ...folderNames(segments), ...pieces, looksLikeFile(last) ? last : `${last}~`);
}

/** Where the keys with a prefix that ends with a slash lie; the root for the empty prefix. */
export function folderPath(root: string, prefix: string): string {
  return join(root, ...folderNames(prefix.split('/').slice(0, -1)));
}

/** What a name in a folder stands for; `continued` for the beginning of a segment that goes on inside. */
export function readName(name: string, isFolder: boolean): { readonly text: string; readonly continued: boolean } {
  const bare = name.endsWith('~') ? name.slice(0, -1) : name;
  if (!isFolder) return { text: bare, continued: false };
  return name.endsWith('+') ? { text: name.slice(0, -1), continued: true } : { text: `${bare}/`, continued: false };
}

function folderNames(segments: readonly string[]): string[] {
  return segments.flatMap((segment) => {
    const pieces = piecesOf(segment);
    const last = pieces.pop() as string;
    // What is left of a long segment can be a dot or two.
    return [...pieces, looksLikeFile(last) || last === '.' || last === '..' ? `${last}~` : last];
  });
}

function piecesOf(segment: string): string[] {
  const pieces: string[] = [];
  let rest = segment;
  while (rest.length > PIECE_CHARACTERS) {
    pieces.push(`${rest.slice(0, PIECE_CHARACTERS)}+`);
    rest = rest.slice(PIECE_CHARACTERS);
  }
  return [...pieces, rest];
}

/** `x.parquet` does, `tenant=a.com` does not. */
function looksLikeFile(name: string): boolean {
  return /^[^=]+\.[A-Za-z0-9]+$/.test(name);
}
