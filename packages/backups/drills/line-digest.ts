import { createHash } from 'node:crypto';

/** Takes lines in pieces of any size. */
export interface LineSplitter {
  /** More bytes of the present part; lines end in a newline, and may be cut anywhere. */
  add(piece: Uint8Array): void;
  /** A part ends; a last line need not have a newline. */
  endPart(): void;
}

/** What is known of a set of lines without keeping them. */
export interface LineDigest extends LineSplitter {
  /** One more line, by its SHA-256. */
  addHash(hash: Uint8Array): void;
  count(): number;
  /** In words how the other differs from this one; undefined where both have the same lines, in whatever order. */
  compare(other: LineDigest): string | undefined;
  /** The sum of all lines' hashes. */
  sum(): string;
}

const NEWLINE = 0x0a;
const WORDS = 8;

/** Gives each line that is not empty, without its newline. */
export function createLineSplitter(take: (line: Uint8Array) => void): LineSplitter {
  let rest: Uint8Array = new Uint8Array(0);
  const takeWhole = (line: Uint8Array) => {
    if (line.length > 0) take(line);
  };
  return {
    add(piece) {
      let start = 0;
      for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
        const line = piece.subarray(start, end);
        takeWhole(rest.length > 0 ? Buffer.concat([rest, line]) : line);
        rest = new Uint8Array(0);
        start = end + 1;
      }
      if (start < piece.length) rest = Buffer.concat([rest, piece.subarray(start)]);
    },
    endPart() {
      takeWhole(rest);
      rest = new Uint8Array(0);
    },
  };
}

/**
 * A digest that does not depend on order: the SHA-256 of each line, added up word by word modulo 2^32. It finds what fails by accident; who can
 * choose lines could make two sets alike.
 */
export function createLineDigest(): LineDigest {
  const sums = new Uint32Array(WORDS);
  let lines = 0;
  const addHash = (hash: Uint8Array) => {
    const words = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
    for (let i = 0; i < WORDS; i++) sums[i] = (sums[i] as number) + words.getUint32(i * 4, true);
    lines++;
  };
  const sum = () => Buffer.from(sums.buffer).toString('hex');
  return {
    ...createLineSplitter((line) => addHash(createHash('sha256').update(line).digest())),
    addHash,
    count: () => lines,
    compare(other) {
      if (other.count() !== lines) return `has ${other.count()} items, and had ${lines}`;
      return other.sum() === sum() ? undefined : 'has as many items as it had, and not the same ones';
    },
    sum,
  };
}
