import { corruptBlock } from './corrupt.ts';
import { powersOfTen } from './decimal.ts';
import type { Runs } from './hybrid.ts';
import { openPage } from './pages.ts';
import { countPresent, findPages, readBooleanColumn, readDictionaryColumn, takeLevels, takeNumbers } from './read-chunk.ts';
import { columnBytes, copyMarks, forWantedPages, intersect, type OpenGroup, type WantedRows } from './select-rows.ts';

const MANTISSA = 3;
const EXPONENT = 4;
const VALUE = 5;
const START_TS = 6;
const DELTA = 7;

/** The values of the wanted rows. `stale`, `delta` and `startTs` are absent where no row has any. */
export interface WantedValues {
  readonly value: Float64Array;
  readonly stale: Uint8Array | undefined;
  readonly delta: Uint8Array | undefined;
  readonly startTs: Float64Array | undefined;
}

/** Decodes the value columns for the wanted rows only. */
export function readValues(open: OpenGroup, wanted: WantedRows): WantedValues {
  const value = new Float64Array(wanted.count);
  const present = new Uint8Array(wanted.count);
  let found = 0;
  if (open.group.columns[MANTISSA].nulls < open.group.rows) found += readDecimals(open, wanted, value, present);
  if (open.group.columns[VALUE].nulls < open.group.rows) found += readDoubles(open, wanted, value, present);
  return {
    value,
    stale: found === wanted.count ? undefined : markStale(value, present),
    delta: copyMarks(readBooleanColumn(columnBytes(open, DELTA), open.group.rows), wanted),
    startTs: readStartTs(open, wanted),
  };
}

/** Rows with neither a mantissa nor a value are stale markers; turns the presence marks into theirs. */
function markStale(value: Float64Array, present: Uint8Array): Uint8Array {
  for (let i = 0; i < present.length; i++) {
    if (present[i] === 0) value[i] = Number.NaN;
    present[i] = 1 - present[i];
  }
  return present;
}

function readDecimals(open: OpenGroup, wanted: WantedRows, value: Float64Array, present: Uint8Array): number {
  const powers = readPowers(open);
  return readPresent(open, wanted, MANTISSA, 'integers', (dense, denseAt, row, out, length) => {
    for (let i = 0; i < length; i++) {
      const power = powers[row + i];
      if (power === 0) throw corruptBlock('a mantissa without an exponent');
      value[out + i] = dense[denseAt + i] / power;
    }
    present.fill(1, out, out + length);
  });
}

function readDoubles(open: OpenGroup, wanted: WantedRows, value: Float64Array, present: Uint8Array): number {
  return readPresent(open, wanted, VALUE, 'doubles', (dense, denseAt, _row, out, length) => {
    value.set(dense.subarray(denseAt, denseAt + length), out);
    present.fill(1, out, out + length);
  });
}

/** 10^exponent of every row of the group; 0 where the exponent is null. */
function readPowers(open: OpenGroup): Float64Array {
  const { rows } = open.group;
  const column = readDictionaryColumn(columnBytes(open, EXPONENT), rows);
  if (column.entries * 4 !== column.dictionary.end) throw corruptBlock('a dictionary of exponents of a wrong size');
  const view = new DataView(column.dictionary.bytes.buffer, column.dictionary.bytes.byteOffset, column.dictionary.end);
  const entries = Array.from({ length: column.entries }, (_, i) => {
    const exponent = view.getInt32(i * 4, true);
    if (exponent < 0 || exponent > 22) throw corruptBlock(`exponent ${exponent}, which is not from 0 to 22`);
    return powersOfTen[exponent];
  });
  const powers = new Float64Array(rows);
  forPresentRuns(column.present, column.indexes, (index, from, to) => powers.fill(entries[index], from, to));
  return powers;
}

/** Walks rows that are present in stretches of one index. */
function forPresentRuns(present: Runs, indexes: Runs, visit: (index: number, from: number, to: number) => void): void {
  let [row, dense, run] = [0, 0, 0];
  for (let i = 0; i < present.ends.length; i++) {
    const end = present.ends[i];
    if (present.values[i] === 0) row = end;
    while (row < end) {
      const length = Math.min(end - row, indexes.ends[run] - dense);
      visit(indexes.values[run], row, row + length);
      row += length;
      dense += length;
      if (dense === indexes.ends[run]) run++;
    }
  }
}

/** Decodes the pages of a nullable number column that hold wanted rows and hands out each wanted stretch that is present. Returns their rows. */
function readPresent(
  open: OpenGroup,
  wanted: WantedRows,
  column: number,
  type: 'integers' | 'doubles',
  take: (dense: Float64Array, denseAt: number, row: number, out: number, length: number) => void,
): number {
  const pages = findPages(columnBytes(open, column), open.group.rows);
  let dense = new Float64Array(0);
  let found = 0;
  forWantedPages(pages, wanted.runs, (index, firstRun) => {
    const page = pages.data[index];
    const source = openPage(page);
    const levels = takeLevels(source, page.count);
    const count = countPresent(levels);
    if (count > dense.length) dense = new Float64Array(count);
    takeNumbers(source, page.encoding, count, type, dense, 0);
    found += intersect(levels, pages.starts[index], wanted.runs, firstRun, (denseAt, row, out, length) =>
      take(dense, denseAt, row, out, length),
    );
  });
  return found;
}

function readStartTs(open: OpenGroup, wanted: WantedRows): Float64Array | undefined {
  const { rows, columns } = open.group;
  if (columns[START_TS].nulls === rows) return undefined;
  const column = readDictionaryColumn(columnBytes(open, START_TS), rows);
  if (column.entries * 8 !== column.dictionary.end) throw corruptBlock('a dictionary of start times of a wrong size');
  const view = new DataView(column.dictionary.bytes.buffer, column.dictionary.bytes.byteOffset, column.dictionary.end);
  const all = new Float64Array(rows).fill(Number.NaN);
  forPresentRuns(column.present, column.indexes, (index, from, to) => {
    all.fill(view.getInt32(index * 8 + 4, true) * 4_294_967_296 + view.getUint32(index * 8, true), from, to);
  });
  const startTs = new Float64Array(wanted.count);
  for (const { from, to, out } of wanted.runs) startTs.set(all.subarray(from, to), out);
  return startTs;
}
