/**
 * Values by bytes, for keys that come again and again inside request bodies: no string is made to find one.
 * Keys are copied, so no body is held on to. Two generations: when the younger is full the elder is dropped whole, and
 * what is asked for again moves to the younger. Work per call is bounded whatever the keys are (see `MAX_PROBES`).
 */
export interface ByteCache<T> {
  /** The value of the key `[start, end)` of `source` under this `seed` (a whole number below 2^31, part of the key). */
  get(source: DataView, start: number, end: number, seed: number): T | undefined;
  /** Keeps a value for a key that `get` did not find. */
  set(source: DataView, start: number, end: number, seed: number, value: T): void;
}

export interface ByteCacheLimits {
  /** Entries of one generation; there are two. */
  readonly maxEntries: number;
  /** Bytes of all keys of one generation; a key longer than a sixteenth of it is not kept. */
  readonly maxKeyBytes: number;
}

/** Keys made to collide end up uncached instead of slow: no search looks at more slots. */
const MAX_PROBES = 64;

interface Generation<T> {
  count: number;
  /** Entry index plus one, 0 where free; a power of two in size, at most half full. */
  slots: Int32Array;
  hashes: Int32Array;
  seeds: Int32Array;
  offsets: Uint32Array;
  lengths: Uint32Array;
  /** The entry that was asked for after each one, plus one: senders repeat their series in the same order. */
  successors: Int32Array;
  /** The entry that was asked for last; -1 before the first. */
  last: number;
  readonly values: T[];
  keys: Uint8Array;
  keysView: DataView;
  keysUsed: number;
}

/** Makes an empty cache; it takes next to no memory until it is used. */
export function createByteCache<T>(limits: ByteCacheLimits): ByteCache<T> {
  let young = createGeneration<T>();
  let old = createGeneration<T>();

  const insert = (source: DataView, start: number, end: number, seed: number, hash: number, value: T) => {
    const length = end - start;
    if (length * 16 > limits.maxKeyBytes) return;
    if (young.count >= limits.maxEntries || young.keysUsed + length > limits.maxKeyBytes) {
      old = young;
      young = createGeneration<T>();
    }
    addEntry(young, source, start, length, seed, hash, value);
  };

  return {
    get(source, start, end, seed) {
      const expected = expectedEntry(young);
      if (expected >= 0 && young.seeds[expected] === seed && sameKey(young, expected, source, start, end)) {
        young.last = expected;
        return young.values[expected];
      }
      const hash = hashBytes(source, start, end, seed);
      const at = findEntry(young, source, start, end, seed, hash);
      if (at >= 0) {
        follow(young, at);
        return young.values[at];
      }
      if (old.count === 0) return undefined;
      const before = findEntry(old, source, start, end, seed, hash);
      if (before < 0) return undefined;
      const value = old.values[before] as T;
      insert(source, start, end, seed, hash, value);
      return value;
    },
    set(source, start, end, seed, value) {
      insert(source, start, end, seed, hashBytes(source, start, end, seed), value);
    },
  };
}

function createGeneration<T>(): Generation<T> {
  const keys = new Uint8Array(16 * 1024);
  return {
    count: 0,
    slots: new Int32Array(512),
    hashes: new Int32Array(256),
    seeds: new Int32Array(256),
    offsets: new Uint32Array(256),
    lengths: new Uint32Array(256),
    successors: new Int32Array(256),
    last: -1,
    values: [],
    keys,
    keysView: new DataView(keys.buffer),
    keysUsed: 0,
  };
}

function expectedEntry<T>({ last, successors }: Generation<T>): number {
  return last < 0 ? -1 : successors[last] - 1;
}

function follow<T>(generation: Generation<T>, at: number): void {
  if (generation.last >= 0) generation.successors[generation.last] = at + 1;
  generation.last = at;
}

/** Two lanes of multiply and shift over 4-byte words; every input bit reaches every output bit in the finish. */
function hashBytes(source: DataView, start: number, end: number, seed: number): number {
  let a = Math.imul(seed ^ (end - start), 0x85ebca6b);
  let b = 0x27d4eb2f;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    a = Math.imul(a ^ source.getInt32(i, true), 0x9e3779b1);
    b = Math.imul(b ^ source.getInt32(i + 4, true), 0x85ebca77);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  for (; i < end; i++) a = Math.imul(a ^ source.getUint8(i), 0x01000193) ^ (a >>> 17);
  let hash = a ^ Math.imul(b, 0xc2b2ae3d);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return hash ^ (hash >>> 16);
}

function findEntry<T>(generation: Generation<T>, source: DataView, start: number, end: number, seed: number, hash: number): number {
  const { slots, hashes } = generation;
  const mask = slots.length - 1;
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const at = (slots[(hash + probe) & mask] as number) - 1;
    if (at < 0) return -1;
    if (hashes[at] === hash && generation.seeds[at] === seed && sameKey(generation, at, source, start, end)) return at;
  }
  return -1;
}

function sameKey<T>(generation: Generation<T>, at: number, source: DataView, start: number, end: number): boolean {
  if (generation.lengths[at] !== end - start) return false;
  const keys = generation.keysView;
  let k = generation.offsets[at] as number;
  let i = start;
  for (const last = end - 8; i <= last; i += 8, k += 8) {
    if (keys.getInt32(k, true) !== source.getInt32(i, true) || keys.getInt32(k + 4, true) !== source.getInt32(i + 4, true)) return false;
  }
  for (; i < end; i++, k++) if (keys.getUint8(k) !== source.getUint8(i)) return false;
  return true;
}

function addEntry<T>(
  generation: Generation<T>,
  source: DataView,
  start: number,
  length: number,
  seed: number,
  hash: number,
  value: T,
): void {
  if (generation.count === generation.hashes.length) growEntries(generation);
  if (generation.keysUsed + length > generation.keys.length) growKeys(generation, length);
  const at = generation.count;
  if (!fillSlot(generation.slots, hash, at)) return;
  generation.count++;
  generation.hashes[at] = hash;
  generation.seeds[at] = seed;
  generation.offsets[at] = generation.keysUsed;
  generation.lengths[at] = length;
  generation.values.push(value);
  generation.keys.set(new Uint8Array(source.buffer, source.byteOffset + start, length), generation.keysUsed);
  generation.keysUsed += length;
  follow(generation, at);
}

function fillSlot(slots: Int32Array, hash: number, at: number): boolean {
  const mask = slots.length - 1;
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const slot = (hash + probe) & mask;
    if (slots[slot] === 0) {
      slots[slot] = at + 1;
      return true;
    }
  }
  return false;
}

function growEntries<T>(generation: Generation<T>): void {
  const size = generation.hashes.length * 2;
  generation.hashes = grownCopy(generation.hashes, new Int32Array(size));
  generation.seeds = grownCopy(generation.seeds, new Int32Array(size));
  generation.offsets = grownCopy(generation.offsets, new Uint32Array(size));
  generation.lengths = grownCopy(generation.lengths, new Uint32Array(size));
  generation.successors = grownCopy(generation.successors, new Int32Array(size));
  const slots = new Int32Array(size * 2);
  for (let at = 0; at < generation.count; at++) fillSlot(slots, generation.hashes[at] as number, at);
  generation.slots = slots;
}

function growKeys<T>(generation: Generation<T>, length: number): void {
  const size = Math.max(generation.keys.length * 2, generation.keysUsed + length);
  generation.keys = grownCopy(generation.keys, new Uint8Array(size));
  generation.keysView = new DataView(generation.keys.buffer);
}

function grownCopy<A extends Int32Array | Uint32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
