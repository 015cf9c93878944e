import { type AggregateColumn, aggregateColumns, isWhole } from './aggregate-group.ts';
import { takeByte } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';
import { takeRuns } from './hybrid.ts';
import { openPage, type Page, RLE_DICTIONARY } from './pages.ts';
import { type ChunkPages, findPages, readBooleanColumn, takeNumbers } from './read-chunk.ts';
import { columnBytes, copyMarks, forWantedPages, type OpenGroup, type WantedRows } from './select-rows.ts';

const FIRST_NUMBER = 2;
const DELTA = FIRST_NUMBER + aggregateColumns.length;

/** The number columns (`ts` comes with the wanted rows) of the wanted rows. */
export function readAggregates(open: OpenGroup, wanted: WantedRows): Record<AggregateColumn, Float64Array> {
  const read = (name: AggregateColumn, i: number) =>
    name === 'ts' ? wanted.ts : readNumbers(open, wanted, FIRST_NUMBER + i, isWhole(name));
  return Object.fromEntries(aggregateColumns.map((name, i) => [name, read(name, i)])) as Record<AggregateColumn, Float64Array>;
}

/** The delta marks of the wanted rows; undefined where no row of the group has one. */
export function readDeltaMarks(open: OpenGroup, wanted: WantedRows): Uint8Array | undefined {
  return copyMarks(readBooleanColumn(columnBytes(open, DELTA), open.group.rows), wanted);
}

function readNumbers(open: OpenGroup, wanted: WantedRows, column: number, whole: boolean): Float64Array {
  const pages = findPages(columnBytes(open, column), open.group.rows);
  const out = new Float64Array(wanted.count);
  const dictionary = readDoubles(pages);
  let values = new Float64Array(0);
  forWantedPages(pages, wanted.runs, (index, firstRun) => {
    const page = pages.data[index];
    const start = pages.starts[index];
    const end = pages.starts[index + 1];
    if (page.count > values.length) values = new Float64Array(page.count);
    takePage(page, dictionary, whole, values);
    for (let r = firstRun; r < wanted.runs.length && wanted.runs[r].from < end; r++) {
      const run = wanted.runs[r];
      const from = Math.max(start, run.from);
      out.set(values.subarray(from - start, Math.min(end, run.to) - start), run.out + from - run.from);
    }
  });
  return out;
}

function takePage(page: Page, dictionary: Float64Array, whole: boolean, out: Float64Array): void {
  const source = openPage(page);
  if (page.encoding !== RLE_DICTIONARY || whole) {
    takeNumbers(source, page.encoding, page.count, whole ? 'integers' : 'doubles', out, 0);
    return;
  }
  const runs = takeRuns(source, page.count, takeByte(source), dictionary.length - 1);
  let row = 0;
  for (let i = 0; i < runs.ends.length; i++) {
    out.fill(dictionary[runs.values[i]], row, runs.ends[i]);
    row = runs.ends[i];
  }
}

function readDoubles({ dictionary }: ChunkPages): Float64Array {
  if (dictionary === undefined) return new Float64Array(0);
  const { bytes, end } = openPage(dictionary);
  if (end !== dictionary.count * 8) throw corruptBlock(`a dictionary of ${dictionary.count} doubles in ${end} bytes`);
  return new Float64Array(bytes.slice(0, end).buffer);
}
