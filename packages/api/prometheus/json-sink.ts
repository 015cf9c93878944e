import { formatFloat } from './format-float.ts';

/** JSON text as it is written, as UTF-8 in pieces: a result of a million points is not first made as a million strings. */
export interface JsonSink {
  bytes: Buffer;
  used: number;
}

/** About how many bytes are handed on at once. */
export const PIECE_BYTES = 64 * 1024;
const POWERS = [1, 10, 100, 1_000, 10_000];
/** Below this, a scaled value has at most 15 digits, and so is the shortest decimal of its double. */
const MAX_SCALED = 1e15;
const HALF = 1e8;
const ZERO = 48;
const POINT = 46;
const MINUS = 45;

/** An empty sink. */
export function createJsonSink(): JsonSink {
  return { bytes: Buffer.allocUnsafe(PIECE_BYTES + PIECE_BYTES / 4), used: 0 };
}

/** What has been written since the last call; the bytes are the caller's. */
export function takePiece(sink: JsonSink): Uint8Array {
  const piece = sink.bytes.subarray(0, sink.used);
  sink.bytes = Buffer.allocUnsafe(PIECE_BYTES + PIECE_BYTES / 4);
  sink.used = 0;
  return piece;
}

/** Writes any text. */
export function putText(sink: JsonSink, text: string): void {
  reserve(sink, text.length * 3);
  sink.used += sink.bytes.write(text, sink.used, 'utf8');
}

/** Writes bytes `from` to `to` of a list: for what is short and comes again and again. */
export function putBytes(sink: JsonSink, source: Uint8Array, from: number, to: number): void {
  reserve(sink, to - from);
  const { bytes } = sink;
  let at = sink.used;
  for (let i = from; i < to; i++) bytes[at++] = source[i];
  sink.used = at;
}

/** Writes a number as `formatFloat` spells it. */
export function putFloat(sink: JsonSink, value: number): void {
  const magnitude = value < 0 ? -value : value;
  for (let decimals = 0; decimals < POWERS.length; decimals++) {
    const scaled = Math.round(magnitude * POWERS[decimals]);
    if (!(scaled < MAX_SCALED)) break;
    if (scaled / POWERS[decimals] !== magnitude || (scaled === 0 && Object.is(value, -0))) continue;
    putDecimal(sink, value < 0, scaled, decimals);
    return;
  }
  putText(sink, formatFloat(value));
}

/** Writes `digits / 10^decimals`, of which the last digit is no zero unless there are no decimals. */
function putDecimal(sink: JsonSink, isNegative: boolean, digits: number, decimals: number): void {
  reserve(sink, 24);
  const { bytes } = sink;
  if (isNegative) bytes[sink.used++] = MINUS;
  const high = digits < HALF ? 0 : Math.floor(digits / HALF);
  const low = digits - high * HALF;
  const count = Math.max(countDigits(high) + (high > 0 ? 8 : countDigits(low)), decimals + 1);
  const end = sink.used + count;
  putDigits(bytes, end, low, high > 0 ? 8 : count);
  if (high > 0) putDigits(bytes, end - 8, high, count - 8);
  sink.used = end;
  if (decimals === 0) return;
  const point = end - decimals;
  for (let at = end; at > point; at--) bytes[at] = bytes[at - 1];
  bytes[point] = POINT;
  sink.used++;
}

function countDigits(value: number): number {
  let count = 0;
  for (let limit = 1; value >= limit; limit *= 10) count++;
  return count;
}

/** Writes `count` digits that end before `end`, zeros in front. */
function putDigits(bytes: Buffer, end: number, value: number, count: number): void {
  let rest = value | 0;
  for (let at = end - 1; at >= end - count; at--) {
    const next = (rest / 10) | 0;
    bytes[at] = ZERO + rest - next * 10;
    rest = next;
  }
}

function reserve(sink: JsonSink, sizeBytes: number): void {
  if (sink.used + sizeBytes <= sink.bytes.length) return;
  const larger = Buffer.allocUnsafe(Math.max(sink.bytes.length * 2, sink.used + sizeBytes));
  larger.set(sink.bytes.subarray(0, sink.used));
  sink.bytes = larger;
}
