import { OpsError } from '#core/errors.ts';

/** Behind the output, since copies are made in steps of this many bytes. */
const SLACK_BYTES = 64;
const KEPT_BYTES = 1024 * 1024;
/** The densest element makes 64 bytes of 3. */
const MAX_EXPANSION = 22;

let kept = new Uint8Array(64 * 1024);

/** How many bytes a block says that it holds; `input` where it does not begin with a length. */
export function snappyLength(block: Uint8Array): number {
  return readLength(block).length;
}

/**
 * Decompresses a snappy block (github.com/google/snappy, format_description.txt); `input` if it is damaged. The output lies in memory
 * that the next call uses again, unless it is over 1 MiB: memory of its own for each body costs several times the decompression, in
 * page faults and collections. So the caller is done with it, or has copied it, before anything else runs.
 */
export function uncompressSnappy(block: Uint8Array): Uint8Array {
  const { length, start } = readLength(block);
  if (length > block.length * MAX_EXPANSION) throw invalid(`${block.length} bytes cannot hold ${length}`);
  const room = length + SLACK_BYTES;
  if (room > kept.length && room <= KEPT_BYTES) kept = new Uint8Array(Math.min(KEPT_BYTES, room * 2));
  const out = room <= kept.length ? kept : new Uint8Array(room);
  expand(block, start, out, length);
  return out.subarray(0, length);
}

function readLength(block: Uint8Array): { length: number; start: number } {
  let length = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i];
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { length, start: i + 1 };
  }
  throw invalid('it does not start with a length');
}

/** Elements until the input ends: a literal, or a copy of what was written up to 4 GiB before. */
function expand(block: Uint8Array, start: number, out: Uint8Array, length: number): void {
  const input = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const output = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let pos = start;
  let at = 0;
  while (pos < block.length) {
    const tag = block[pos++];
    const kind = tag & 3;
    if (kind === 0) {
      let size = (tag >>> 2) + 1;
      if (size > 60) {
        const bytes = size - 60;
        size = readLittleEndian(block, pos, bytes) + 1;
        pos += bytes;
      }
      if (size > block.length - pos || size > length - at) throw invalid('a literal that does not fit');
      if (size <= 16 && pos + 16 <= block.length) copyLiteral16(input, pos, output, at);
      else out.set(block.subarray(pos, pos + size), at);
      pos += size;
      at += size;
    } else {
      const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const bytes = kind === 3 ? 4 : kind;
      const offset = readLittleEndian(block, pos, bytes) + (kind === 1 ? (tag & 0xe0) << 3 : 0);
      pos += bytes;
      if (offset === 0 || offset > at || size > length - at) throw invalid('a copy that does not fit');
      if (offset >= 8) copyBefore8(output, at, offset, size);
      else for (let i = 0; i < size; i++) out[at + i] = out[at - offset + i];
      at += size;
    }
  }
  if (at !== length) throw invalid(`it ends after ${at} of ${length} bytes`);
}

function readLittleEndian(block: Uint8Array, pos: number, bytes: number): number {
  if (pos + bytes > block.length) throw invalid('it ends within an element');
  let value = block[pos];
  if (bytes > 1) value |= block[pos + 1] << 8;
  if (bytes > 2) value |= block[pos + 2] << 16;
  return bytes > 3 ? value + block[pos + 3] * 16_777_216 : value;
}

function copyLiteral16(input: DataView, pos: number, output: DataView, at: number): void {
  output.setInt32(at, input.getInt32(pos, true), true);
  output.setInt32(at + 4, input.getInt32(pos + 4, true), true);
  output.setInt32(at + 8, input.getInt32(pos + 8, true), true);
  output.setInt32(at + 12, input.getInt32(pos + 12, true), true);
}

/** Eight bytes at a time, up to seven too many: they are written over, or lie in the slack. */
function copyBefore8(output: DataView, at: number, offset: number, size: number): void {
  const end = at + size;
  for (let to = at, from = at - offset; to < end; to += 8, from += 8) {
    output.setInt32(to, output.getInt32(from, true), true);
    output.setInt32(to + 4, output.getInt32(from + 4, true), true);
  }
}

function invalid(why: string): OpsError {
  return new OpsError('input', `the body is not valid snappy: ${why}`);
}
