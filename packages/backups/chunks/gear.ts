import { createHash } from 'node:crypto';

/**
 * Masks by the number of their one-bits, 0 to 25: constants of FastCDC 2020 as github.com/nlfiedler/fastcdc-rs (MIT, commit f76938d8) has
 * them. Without them its cut points cannot be had.
 */
const MASKS: readonly bigint[] = [
  0x0n,
  0x0n,
  0x0n,
  0x0n,
  0x0n,
  0x0000000001804110n,
  0x0000000001803110n,
  0x0000000018035100n,
  0x0000001800035300n,
  0x0000019000353000n,
  0x0000590003530000n,
  0x0000d90003530000n,
  0x0000d90103530000n,
  0x0000d90303530000n,
  0x0000d90313530000n,
  0x0000d90f03530000n,
  0x0000d90303537000n,
  0x0000d90703537000n,
  0x0000d90707537000n,
  0x0000d91707537000n,
  0x0000d91747537000n,
  0x0000d91767537000n,
  0x0000d93767537000n,
  0x0000d93777537000n,
  0x0000d93777577000n,
  0x0000db3777577000n,
];

/** A 64-bit word as two halves. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** The gear: 256 words of 64 bits in two halves. */
export interface Gear {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

/** Splits a 64-bit word into signed 32-bit halves. */
function halvesOf(word: bigint): Halves {
  return { high: Number(BigInt.asIntN(32, word >> 32n)), low: Number(BigInt.asIntN(32, word)) };
}

/** The mask with that many one-bits (5 to 25). */
export function maskOf(bits: number): Halves {
  return halvesOf(MASKS[bits]);
}

/** gear[b]: the first 8 bytes, big-endian, of MD5 over 64 copies of the byte b, xor the seed. */
export function createGear(seed: bigint): Gear {
  const gear = { high: new Int32Array(256), low: new Int32Array(256) };
  const { high, low } = halvesOf(seed);
  for (let byte = 0; byte < 256; byte++) {
    const digest = createHash('md5').update(Buffer.alloc(64, byte)).digest();
    gear.high[byte] = digest.readInt32BE(0) ^ high;
    gear.low[byte] = digest.readInt32BE(4) ^ low;
  }
  return gear;
}
