import { ID_BYTES } from '#backups/format/secrets.ts';

/** A pack that chunks lie in. */
export interface PackName {
  readonly packId: string;
  /** What its key is derived with. */
  readonly salt: Uint8Array;
}

/** Where a chunk lies. */
export interface ChunkLocation extends PackName {
  /** Its place in the order of the pack: the nonce. */
  readonly number: number;
  readonly offset: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly isCompressed: boolean;
}

/** Four words of the id: by chance two of 2^40 chunks share them once in 2^49 repositories. */
const PREFIX_WORDS = 4;
/** Prefix, pack, number in it, offset, stored size, plain size with the flag in its top bit. */
const WORDS = PREFIX_WORDS + 5;
const PACK = PREFIX_WORDS;
const MAX_LOAD = 0.75;
/** The pack of a chunk that is on its way into one. */
const NO_PACK = 0xffff_fffe;

/**
 * Chunks by id: open addressing over one typed array, 36 bytes a slot. A pack's id is kept once. The first place of a chunk wins; a second copy
 * elsewhere is not kept.
 */
export interface ChunkIndex {
  readonly size: number;
  has(id: Uint8Array): boolean;
  find(id: Uint8Array): ChunkLocation | undefined;
  /** Takes note that a chunk is on its way; `place` tells where it came to lie. */
  reserve(id: Uint8Array): void;
  place(id: Uint8Array, location: ChunkLocation): void;
  /** How many of this index's chunks are in another one. */
  countIn(other: ChunkIndex): number;
}

/** Makes an index with room for that many chunks; it grows where there are more. */
export function createChunkIndex(expected = 0): ChunkIndex {
  let capacity = capacityFor(expected);
  let words = new Uint32Array(capacity * WORDS);
  let size = 0;
  const packs: PackName[] = [];
  const packNumbers = new Map<string, number>();

  const slotOf = (table: Uint32Array, slots: number, prefix: Uint32Array): number => {
    let slot = prefix[0] & (slots - 1);
    for (;;) {
      const at = slot * WORDS;
      // A pack's number is kept plus one, so that an empty slot is all zeros.
      if (table[at + PACK] === 0) return at;
      if (table[at] === prefix[0] && table[at + 1] === prefix[1] && table[at + 2] === prefix[2] && table[at + 3] === prefix[3]) return at;
      slot = (slot + 1) & (slots - 1);
    }
  };
  const grow = () => {
    const next = new Uint32Array(capacity * 2 * WORDS);
    for (let at = 0; at < words.length; at += WORDS) {
      if (words[at + PACK] === 0) continue;
      next.set(words.subarray(at, at + WORDS), slotOf(next, capacity * 2, words.subarray(at, at + PREFIX_WORDS)));
    }
    capacity *= 2;
    words = next;
  };
  const numberOf = ({ packId, salt }: PackName) => {
    const known = packNumbers.get(packId);
    if (known !== undefined) return known;
    packs.push({ packId, salt: Uint8Array.from(salt) });
    packNumbers.set(packId, packs.length - 1);
    return packs.length - 1;
  };
  const claim = (id: Uint8Array): number => {
    if (size >= capacity * MAX_LOAD) grow();
    const prefix = prefixOf(id);
    const at = slotOf(words, capacity, prefix);
    if (words[at + PACK] === 0) size++;
    words.set(prefix, at);
    return at;
  };
  const lookUp = (id: Uint8Array) => slotOf(words, capacity, prefixOf(id));

  return {
    get size() {
      return size;
    },
    has: (id) => words[lookUp(id) + PACK] !== 0,
    find: (id) => {
      const at = lookUp(id);
      const pack = words[at + PACK];
      if (pack === 0 || pack === NO_PACK + 1) return undefined;
      const [number, offset, storedBytes, plain] = words.subarray(at + PACK + 1, at + WORDS);
      return { ...packs[pack - 1], number, offset, storedBytes, sizeBytes: plain & 0x7fff_ffff, isCompressed: plain >= 0x8000_0000 };
    },
    countIn: (other) => {
      let count = 0;
      for (let at = 0; at < words.length; at += WORDS) {
        if (words[at + PACK] !== 0 && other.has(idOfPrefix(words.subarray(at, at + PREFIX_WORDS)))) count++;
      }
      return count;
    },
    reserve: (id) => {
      const at = claim(id); // first: it may put another array in the place of `words`
      words[at + PACK] = NO_PACK + 1;
    },
    place: (id, location) => {
      const at = claim(id);
      const taken = words[at + PACK];
      if (taken !== 0 && taken !== NO_PACK + 1) return;
      const plain = location.sizeBytes + (location.isCompressed ? 0x8000_0000 : 0);
      words.set([numberOf(location) + 1, location.number, location.offset, location.storedBytes, plain], at + PACK);
    },
  };
}

function capacityFor(expected: number): number {
  let capacity = 1_024;
  while (capacity * MAX_LOAD < expected) capacity *= 2;
  return capacity;
}

function prefixOf(id: Uint8Array): Uint32Array {
  if (id.length !== ID_BYTES) throw new RangeError('an id of a chunk has 32 bytes');
  const word = (at: number) => id[at] | (id[at + 1] << 8) | (id[at + 2] << 16) | (id[at + 3] << 24);
  return Uint32Array.of(word(0), word(4), word(8), word(12));
}

/** An id that begins with the prefix: enough to look it up by. */
function idOfPrefix(prefix: Uint32Array): Uint8Array {
  const id = Buffer.alloc(ID_BYTES);
  prefix.forEach((word, n) => {
    id.writeUInt32LE(word, 4 * n);
  });
  return id;
}
