import { type ByteSink, putVarint, putZigzag, reserve } from './byte-sink.ts';
import { type ByteSource, takeBytes, takeVarint, takeZigzag } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';

// DELTA_BINARY_PACKED of whole numbers held as float64. A page may use it only if the greatest minus the least value is
// within 2^52: every delta (+-2^52) and difference of deltas (2^53) is then exact in float64, and no 64-bit arithmetic is needed.
// These are hot loops, hence the long functions and the repetition.

const TWO_32 = 4_294_967_296;
const MINIBLOCK = 32;
const MAX_BLOCK = 65_536;
/** A miniblock of this width holds differences modulo 2^64, negative ones too, as every reader's wrapping addition expects. */
const WRAPPING_WIDTH = 64;
/** What such a miniblock is taken to cost for each value once it is compressed: most of its bits are alike. Chosen by measurement. */
const WRAPPING_COST = 32;
/** The widest of the others that the writer makes: 54 bits, on whole bytes. */
const MAX_WIDTH = 56;

export interface DeltaLayout {
  /** Values per block, a multiple of 128; a miniblock is always 32 values. */
  readonly block: number;
  /**
   * Bit widths are rounded up to a multiple of this. 1 is the smallest before compression; 8 keeps every delta on whole
   * bytes, so that zstd sees repeated or skewed deltas and models them.
   */
  readonly align: 1 | 8;
  /** The minimum that every block states, at most the least delta of all; absent: chosen for each block. */
  readonly base?: number | undefined;
  /** No miniblock is narrower than this. */
  readonly minWidth?: number | undefined;
}

const deltas = new Float64Array(MAX_BLOCK);
const leasts = new Float64Array(MAX_BLOCK / MINIBLOCK);
const mosts = new Float64Array(MAX_BLOCK / MINIBLOCK);
const words = new Uint32Array(64);
const wordBytes = new Uint8Array(words.buffer);

/** Writes `values[from..to)`, at least one. The caller has seen to it that greatest minus least is within 2^52. */
export function putDeltas(sink: ByteSink, values: Float64Array, from: number, to: number, layout: DeltaLayout): void {
  const { block, minWidth = 0 } = layout;
  const miniblocks = block / MINIBLOCK;
  const roundUp = layout.align - 1;
  putVarint(sink, block);
  putVarint(sink, miniblocks);
  putVarint(sink, to - from);
  putZigzag(sink, values[from]);
  for (let start = from + 1; start < to; start += block) {
    const count = Math.min(block, to - start);
    const used = computeDeltas(values, start, count);
    const base = layout.base ?? chooseBase(used);
    putZigzag(sink, base);
    reserve(sink, miniblocks + used * MINIBLOCK * 8);
    const widthsAt = sink.at;
    sink.bytes.fill(0, widthsAt, widthsAt + miniblocks);
    sink.at += miniblocks;
    if (used * MINIBLOCK > count) deltas.fill(base, count, used * MINIBLOCK);
    for (let mini = 0; mini < used; mini++) {
      const width = leasts[mini] < base ? WRAPPING_WIDTH : Math.max(minWidth, (widthOf(mosts[mini] - base) + roundUp) & ~roundUp);
      if (width === 0) continue;
      sink.bytes[widthsAt + mini] = width;
      const first = mini * MINIBLOCK;
      if (width === 8) {
        for (let i = 0; i < MINIBLOCK; i++) sink.bytes[sink.at + i] = deltas[first + i] - base;
      } else {
        packMiniblock(first, base, width);
        sink.bytes.set(wordBytes.subarray(0, width * 4), sink.at);
      }
      sink.at += width * 4;
    }
  }
}

/** Fills `deltas` and the bounds of each miniblock; returns the number of miniblocks. */
function computeDeltas(values: Float64Array, start: number, count: number): number {
  let previous = values[start - 1];
  let mini = 0;
  for (let i = 0; i < count; mini++) {
    const end = Math.min(count, i + MINIBLOCK);
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (; i < end; i++) {
      const value = values[start + i];
      const delta = value - previous;
      previous = value;
      deltas[i] = delta;
      if (delta < least) least = delta;
      if (delta > most) most = delta;
    }
    leasts[mini] = least;
    mosts[mini] = most;
  }
  return mini;
}

/**
 * The miniblock minimum under which the block takes the fewest bits. Mostly that is the block's least delta, but where one series
 * ends and the next begins far below, a wrapping miniblock is cheaper than a wide block.
 */
function chooseBase(used: number): number {
  let best = leasts[0];
  for (let mini = 1; mini < used; mini++) if (leasts[mini] < best) best = leasts[mini];
  if (used > 4) return best;
  let fewest = bitsUnder(best, used);
  for (let mini = 0; mini < used; mini++) {
    const bits = bitsUnder(leasts[mini], used);
    if (bits < fewest) {
      fewest = bits;
      best = leasts[mini];
    }
  }
  return best;
}

function bitsUnder(base: number, used: number): number {
  let bits = 0;
  for (let mini = 0; mini < used; mini++) bits += leasts[mini] < base ? WRAPPING_COST : widthOf(mosts[mini] - base);
  return bits;
}

/** Bits of a whole number from 0 to 2^54. */
function widthOf(value: number): number {
  return value < TWO_32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / TWO_32);
}

/** Packs 32 deltas of `width` bits into exactly `width` words. */
function packMiniblock(first: number, base: number, width: number): void {
  let word = 0;
  let held = 0;
  let bits = 0;
  const lowWidth = Math.min(width, 32);
  for (let i = first; i < first + MINIBLOCK; i++) {
    const value = deltas[i] - base;
    const low = value >>> 0;
    held |= low << bits;
    bits += lowWidth;
    if (bits >= 32) {
      words[word++] = held;
      bits -= 32;
      held = bits === 0 ? 0 : low >>> (lowWidth - bits);
    }
    if (width > 32) {
      const high = Math.floor(value / TWO_32);
      held |= high << bits;
      bits += width - 32;
      if (bits >= 32) {
        words[word++] = held;
        bits -= 32;
        held = bits === 0 ? 0 : high >>> (width - 32 - bits);
      }
    }
  }
}

/** Reads exactly `count` values into `out` at `outAt`. Fails with `input` on any other count and on impossible sizes. */
export function takeDeltas(source: ByteSource, count: number, out: Float64Array, outAt: number): void {
  const block = takeVarint(source);
  const miniblocks = takeVarint(source);
  const total = takeVarint(source);
  if (block < 128 || block > MAX_BLOCK || block % 128 !== 0 || miniblocks * MINIBLOCK !== block) {
    throw corruptBlock(`delta blocks of ${block} values in ${miniblocks} miniblocks`);
  }
  if (total !== count) throw corruptBlock(`${total} deltas where ${count} are expected`);
  let value = takeZigzag(source);
  if (count === 0) return;
  let at = outAt;
  const end = outAt + count;
  out[at++] = value;
  const { bytes } = source;
  while (at < end) {
    const least = takeZigzag(source);
    const widths = takeBytes(source, miniblocks);
    for (let mini = 0; mini < miniblocks && at < end; mini++) {
      const width = widths[mini];
      const stop = Math.min(end, at + MINIBLOCK);
      if (width === 0) {
        while (at < stop) out[at++] = value += least;
        continue;
      }
      if (width > MAX_WIDTH && width !== WRAPPING_WIDTH) throw corruptBlock(`deltas of ${width} bits`);
      let from = source.at;
      if (width * 4 > source.end - from) throw corruptBlock(`a miniblock of ${width * 4} bytes where ${source.end - from} are left`);
      source.at = from + width * 4;
      if (width === 8) {
        while (at < stop) out[at++] = value += least + bytes[from++];
      } else if (width === 16) {
        for (; at < stop; from += 2) out[at++] = value += least + (bytes[from] | (bytes[from + 1] << 8));
      } else if (width === 24) {
        for (; at < stop; from += 3) out[at++] = value += least + (bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16));
      } else if (width === 32) {
        for (; at < stop; from += 4) {
          out[at++] = value += least + ((bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16) | (bytes[from + 3] << 24)) >>> 0);
        }
      } else if (width <= 24) {
        const mask = (1 << width) - 1;
        let held = 0;
        let bits = 0;
        while (at < stop) {
          while (bits < width) {
            held |= bytes[from++] << bits;
            bits += 8;
          }
          out[at++] = value += least + (held & mask);
          held >>>= width;
          bits -= width;
        }
      } else if (width === WRAPPING_WIDTH) {
        wordBytes.set(bytes.subarray(from, from + width * 4));
        for (let word = 0; at < stop; word += 2) out[at++] = value += least + (words[word + 1] | 0) * TWO_32 + words[word];
      } else {
        value = unpackWide(bytes, from, width, least, value, out, at, stop);
        at = stop;
      }
    }
  }
}

/** Miniblocks of more than 24 bits, through words. Returns the last value. */
function unpackWide(
  bytes: Uint8Array,
  from: number,
  width: number,
  least: number,
  before: number,
  out: Float64Array,
  start: number,
  stop: number,
): number {
  wordBytes.set(bytes.subarray(from, from + width * 4));
  const lowWidth = Math.min(width, 32);
  const lowMask = lowWidth === 32 ? -1 : (1 << lowWidth) - 1;
  const highWidth = width - lowWidth;
  let value = before;
  let bit = 0;
  for (let at = start; at < stop; at++) {
    let word = bit >> 5;
    let shift = bit & 31;
    let low = words[word] >>> shift;
    if (shift + lowWidth > 32) low |= words[word + 1] << (32 - shift);
    let delta = least + ((low & lowMask) >>> 0);
    bit += lowWidth;
    if (highWidth > 0) {
      word = bit >> 5;
      shift = bit & 31;
      let high = words[word] >>> shift;
      if (shift + highWidth > 32) high |= words[word + 1] << (32 - shift);
      delta += (high & ((1 << highWidth) - 1)) * TWO_32;
      bit += highWidth;
    }
    value += delta;
    out[at] = value;
  }
  return value;
}
