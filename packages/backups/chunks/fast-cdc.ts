import { OpsError } from '#core/errors.ts';
import { createGear, type Gear, type Halves, maskOf } from './gear.ts';

/** How content is cut. Sizes in bytes; `seed` a 64-bit word. */
export interface ChunkerParameters {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
  /** How many bits the masks differ from the average's: 0 to 3. */
  readonly level: number;
  readonly seed: bigint;
}

/** A chunk's search: how far it has been scanned, and the low half of the hash there. */
export interface Scan {
  /** Bytes of the chunk that have been looked at, from its beginning; even. */
  scanned: number;
  low: number;
}

export interface Cutter {
  readonly parameters: ChunkerParameters;
  /**
   * Looks for the cut of the chunk that begins at `start` in bytes up to `end`; `atEnd` where no more bytes will follow. The chunk's length, or
   * 0 where more bytes are needed; the scan then goes on where it stopped.
   */
  findCut(bytes: Uint8Array, start: number, end: number, atEnd: boolean, scan: Scan): number;
  /** The 64-bit gear hash at the cut of that length, as fastcdc-rs tells it; for comparison with other implementations. */
  hashAt(bytes: Uint8Array, start: number, length: number, isLast: boolean): bigint;
}

/** At a candidate the whole hash is computed anew from its last 64 bytes: what lies further back has been shifted out. */
const HASH_BYTES = 64;

/**
 * FastCDC 2020 with 64-bit arithmetic in 32-bit halves. Of h = 2h + gear[byte] the low half never depends on the high one, so that alone is
 * carried along; only where it meets its half of the mask (once in 1,000 to 4,000 bytes) is the high half computed. The two-byte steps of
 * the paper give the same cuts as single ones, but for an odd last byte, which is never looked at.
 */
export function createCutter(parameters: ChunkerParameters): Cutter {
  assertParameters(parameters);
  const bits = Math.round(Math.log2(parameters.averageBytes));
  const gear = createGear(parameters.seed);
  const small = maskOf(bits + parameters.level);
  const large = maskOf(bits - parameters.level);
  const from = even(parameters.minBytes);
  const centre = even(parameters.averageBytes);

  const findCut = (bytes: Uint8Array, start: number, end: number, atEnd: boolean, scan: Scan): number => {
    const size = Math.min(end - start, parameters.maxBytes);
    const isWhole = atEnd || size === parameters.maxBytes;
    if (size <= parameters.minBytes) return isWhole ? size : 0;
    if (scan.scanned < from) scan.scanned = from;
    const limit = even(size);
    const cut =
      scanStretch(gear, small, bytes, start, from, Math.min(limit, centre), scan) ||
      scanStretch(gear, large, bytes, start, from, limit, scan);
    return cut || (isWhole ? size : 0);
  };
  const hashAt = (bytes: Uint8Array, start: number, length: number, isLast: boolean): bigint => {
    if (length <= parameters.minBytes && isLast) return 0n;
    const looked = isLast ? even(length) : length + 1;
    const { high, low } = hashBetween(gear, bytes, start + Math.max(from, looked - HASH_BYTES), start + looked);
    const hash = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    return isLast || length % 2 === 1 ? hash : BigInt.asUintN(64, hash << 1n);
  };
  return { parameters, findCut, hashAt };
}

function assertParameters({ minBytes, averageBytes, maxBytes, level }: ChunkerParameters): void {
  const within = (value: number, low: number, high: number) => Number.isInteger(value) && value >= low && value <= high;
  const fine =
    within(minBytes, 64, 1 << 20) && within(averageBytes, 256, 1 << 22) && within(maxBytes, 1_024, 1 << 24) && within(level, 0, 3);
  if (!fine || minBytes > averageBytes || averageBytes > maxBytes)
    throw new OpsError('input', 'the parameters of the chunker are out of range');
}

const even = (length: number) => length - (length % 2);

/** Scans up to `limit` bytes into the chunk; the cut, or 0. The loop takes four bytes a turn: the carried chain is then all that costs. */
function scanStretch(gear: Gear, mask: Halves, bytes: Uint8Array, start: number, from: number, limit: number, scan: Scan): number {
  const table = gear.low;
  const bits = mask.low;
  const end = start + limit;
  let { low } = scan;
  let i = start + scan.scanned;
  while (i < end) {
    let hit = -1;
    for (; i + 4 <= end; i += 4) {
      const a = ((low << 1) + table[bytes[i]]) | 0;
      const b = ((a << 1) + table[bytes[i + 1]]) | 0;
      const c = ((b << 1) + table[bytes[i + 2]]) | 0;
      const d = ((c << 1) + table[bytes[i + 3]]) | 0;
      if ((a & bits) === 0 || (b & bits) === 0 || (c & bits) === 0 || (d & bits) === 0) {
        hit = i;
        break;
      }
      low = d;
    }
    const stop = hit < 0 ? end : hit + 4;
    for (; i < stop; i++) {
      low = ((low << 1) + table[bytes[i]]) | 0;
      if ((low & bits) === 0 && isCut(gear, mask, bytes, start + from, i)) return i - start;
    }
  }
  scan.low = low;
  scan.scanned = Math.max(scan.scanned, limit);
  return 0;
}

/** Whether the whole hash after byte `i` meets the mask, too. */
function isCut(gear: Gear, mask: Halves, bytes: Uint8Array, from: number, i: number): boolean {
  const { high } = hashBetween(gear, bytes, Math.max(from, i + 1 - HASH_BYTES), i + 1);
  return (high & mask.high) === 0;
}

function hashBetween(gear: Gear, bytes: Uint8Array, from: number, end: number): Halves {
  let high = 0;
  let low = 0;
  for (let i = from; i < end; i++) {
    const byte = bytes[i];
    const sum = ((low << 1) >>> 0) + (gear.low[byte] >>> 0);
    high = ((high << 1) | (low >>> 31)) + gear.high[byte] + (sum > 0xffff_ffff ? 1 : 0);
    high |= 0;
    low = sum | 0;
  }
  return { high, low };
}
