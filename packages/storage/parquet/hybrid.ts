import { type ByteSink, putByte, putVarint, reserve } from './byte-sink.ts';
import { type ByteSource, takeBytes, takeVarint } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';

/** A column of small whole numbers as runs: run i holds `values[i]` from row `ends[i - 1]` to `ends[i]` exclusive. */
export interface Runs {
  readonly values: number[];
  readonly ends: number[];
}

/** Bits that hold every number from 0 to `max`. */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}

/** RLE / bit-packed hybrid of runs: each becomes an RLE run, neighbours of one value being joined. */
export function putRuns(sink: ByteSink, runs: Runs, width: number): void {
  let start = 0;
  for (let i = 0; i < runs.values.length; i++) {
    if (runs.values[i + 1] === runs.values[i]) continue;
    const end = runs.ends[i];
    if (end > start) putRle(sink, runs.values[i], end - start, width);
    start = end;
  }
}

/** RLE / bit-packed hybrid of `values[from..to)`: RLE where 8 or more repeat, bit-packed in groups of 8 between. */
export function putHybrid(sink: ByteSink, values: Uint8Array | Uint32Array, from: number, to: number, width: number): void {
  let literals = from;
  let i = from;
  while (i < to) {
    const value = values[i];
    let end = i + 1;
    while (end < to && values[end] === value) end++;
    const fill = (8 - ((i - literals) & 7)) & 7;
    if (end - i - fill >= 8) {
      if (i > literals) putPacked(sink, values, literals, i + fill, width);
      putRle(sink, value, end - i - fill, width);
      literals = end;
    }
    i = end;
  }
  if (literals < to) putPacked(sink, values, literals, to, width);
}

function putRle(sink: ByteSink, value: number, length: number, width: number): void {
  putVarint(sink, length * 2);
  for (let shift = 0; shift < width; shift += 8) putByte(sink, value >>> shift);
}

function putPacked(sink: ByteSink, values: Uint8Array | Uint32Array, from: number, to: number, width: number): void {
  const groups = Math.ceil((to - from) / 8);
  putVarint(sink, groups * 2 + 1);
  reserve(sink, groups * width);
  const { bytes } = sink;
  let at = sink.at;
  let held = 0;
  let bits = 0;
  for (let i = from; i < from + groups * 8; i++) {
    let value = i < to ? values[i] : 0;
    for (let left = width; left > 0; ) {
      const taken = Math.min(8 - bits, left);
      held |= (value & ((1 << taken) - 1)) << bits;
      value >>>= taken;
      left -= taken;
      bits += taken;
      if (bits === 8) {
        bytes[at++] = held;
        held = 0;
        bits = 0;
      }
    }
  }
  sink.at = at;
}

/** Reads exactly `count` numbers of `width` bits (0 to 31), none above `max`, as runs with no two equal neighbours. */
export function takeRuns(source: ByteSource, count: number, width: number, max: number): Runs {
  if (width < 0 || width > 31) throw corruptBlock(`a bit width of ${width}`);
  const runs: Runs = { values: [], ends: [] };
  let row = 0;
  while (row < count) {
    const head = takeVarint(source);
    const length = Math.floor(head / 2);
    if (length === 0) throw corruptBlock('an empty run');
    row = head % 2 === 1 ? takePacked(source, runs, row, count, length, width) : takeRle(source, runs, row, count, length, width);
  }
  for (const value of runs.values) if (value > max) throw corruptBlock(`index ${value} where ${max} is the greatest`);
  return runs;
}

function takeRle(source: ByteSource, runs: Runs, row: number, count: number, length: number, width: number): number {
  if (length > count - row) throw corruptBlock(`a run of ${length} where ${count - row} values are left`);
  const bytes = takeBytes(source, (width + 7) >> 3);
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + bytes[i];
  addRun(runs, value, row + length);
  return row + length;
}

function takePacked(source: ByteSource, runs: Runs, row: number, count: number, groups: number, width: number): number {
  if (groups > Math.ceil((count - row) / 8)) throw corruptBlock(`${groups} bit-packed groups where ${count - row} values are left`);
  const bytes = takeBytes(source, groups * width);
  const end = Math.min(count, row + groups * 8);
  let bit = 0;
  for (let i = row; i < end; i++) {
    let value = 0;
    for (let done = 0; done < width; ) {
      const taken = Math.min(8 - (bit & 7), width - done);
      value |= ((bytes[bit >> 3] >> (bit & 7)) & ((1 << taken) - 1)) << done;
      done += taken;
      bit += taken;
    }
    addRun(runs, value, i + 1);
  }
  return end;
}

function addRun(runs: Runs, value: number, end: number): void {
  const last = runs.values.length - 1;
  if (last >= 0 && runs.values[last] === value) runs.ends[last] = end;
  else {
    runs.values.push(value);
    runs.ends.push(end);
  }
}
