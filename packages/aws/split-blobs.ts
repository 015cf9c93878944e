import type { Blobs } from '#ports/blobs.ts';

/**
 * Two stores as one: keys below `folder/` are in `inside`, all others in `outside`. A list whose prefix could be of both is one of
 * `outside` alone.
 */
export function splitBlobs(folder: string, inside: Blobs, outside: Blobs): Blobs {
  const isInside = (key: string) => key.startsWith(`${folder}/`);
  const storeOf = (key: string) => (isInside(key) ? inside : outside);
  return {
    get: (key, range) => storeOf(key).get(key, range),
    put: (key, body, options) => storeOf(key).put(key, body, options),
    list: (prefix, page) => storeOf(prefix).list(prefix, page),
    async delete(keys) {
      const parts = [
        [inside, keys.filter(isInside)],
        [outside, keys.filter((key) => !isInside(key))],
      ] as const;
      await Promise.all(parts.map(([store, own]) => (own.length > 0 ? store.delete(own) : undefined)));
    },
  };
}
