const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const encoder = new TextEncoder();
let scratch = new Uint8Array(1_024);

/**
 * MurmurHash3 x86 32 of the text's UTF-8 bytes, 0 to 2^32 - 1 (Austin Appleby, SMHasher, public domain). Lone surrogates count as U+FFFD.
 * Not reentrant across threads, which there are none of here: the bytes lie in one buffer that is used again.
 */
export function murmur3(text: string, seed = 0): number {
  const length = writeUtf8(text);
  const bytes = scratch;
  const whole = length & ~3;
  let hash = seed | 0;
  for (let i = 0; i < whole; i += 4) {
    const block = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash ^= mixBlock(block);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (length > whole) hash ^= mixBlock(tail);
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixBlock(block: number): number {
  const mixed = Math.imul(block, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

/** Bytes written; plain ASCII, as nearly every key is, without the encoder. */
function writeUtf8(text: string): number {
  const { length } = text;
  if (scratch.length < length * 3) scratch = new Uint8Array(length * 3);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encodeInto(text, scratch).written;
    scratch[i] = unit;
  }
  return length;
}
