/**
 * A Bloom filter of metric names: `has` may say yes wrongly (about 1 % at 10 bits a name), never no. It rides in a catalog
 * entry, so that planning a query opens nothing. Its bits are stored documents: changing the hash is a format change.
 */
const HASHES = 4;
const BITS_PER_NAME = 10;
const MAX_BYTES = 4096;

/** The filter of these names; undefined (everything may be there) where it would grow past `maxBytes`. */
export function buildNamesFilter(names: Iterable<string>, maxBytes = MAX_BYTES): Uint8Array | undefined {
  const distinct = new Set(names);
  const sizeBytes = Math.max(8, Math.ceil((distinct.size * BITS_PER_NAME) / 8));
  if (sizeBytes > maxBytes) return undefined;
  const bits = new Uint8Array(sizeBytes);
  for (const name of distinct) {
    for (const bit of bitsOf(name, sizeBytes * 8)) bits[bit >> 3] |= 1 << (bit & 7);
  }
  return bits;
}

/** False only if no such name went in. */
export function namesFilterHas(filter: Uint8Array | undefined, name: string): boolean {
  if (filter === undefined || filter.length === 0) return true;
  return bitsOf(name, filter.length * 8).every((bit) => (filter[bit >> 3] & (1 << (bit & 7))) !== 0);
}

/** Kirsch and Mitzenmacher: bit i is (h1 + i * h2) mod m. */
function bitsOf(name: string, bitCount: number): number[] {
  const h1 = fnv1a(name, 0x811c9dc5);
  const h2 = fnv1a(name, 0x9747b28c) | 1;
  const bits: number[] = [];
  for (let i = 0; i < HASHES; i++) bits.push((h1 + Math.imul(i, h2)) >>> 0);
  return bits.map((hash) => hash % bitCount);
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
