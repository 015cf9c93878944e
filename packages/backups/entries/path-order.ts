const SURROGATES = /[\ud800-\udfff]/;

/** The order of paths: that of their bytes, where lone surrogates U+DC80 to U+DCFF are the bytes that they stand for. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  // Without surrogates the order of UTF-16 is that of UTF-8.
  if (!SURROGATES.test(a) && !SURROGATES.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(pathBytes(a), pathBytes(b));
}

/** The bytes of a path. */
function pathBytes(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path);
  const parts = [...path].map((character) => {
    const code = character.codePointAt(0) as number;
    return code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/** Whether a path is the other one or lies within it; everything lies within the empty path. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
