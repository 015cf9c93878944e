import { type ByteSource, createSource, takeByte, takeBytes, takeUint32 } from './byte-source.ts';
import { takeSplitDoubles } from './byte-stream-split.ts';
import { corruptBlock } from './corrupt.ts';
import { takeDeltas } from './delta-packed.ts';
import { type Runs, takeRuns } from './hybrid.ts';
import { BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, openPage, type Page, PLAIN, RLE, RLE_DICTIONARY, takePage } from './pages.ts';
import { takePlainIntegers } from './plain-integers.ts';

/** A column chunk's pages in row order, none of them decompressed yet. Page i holds rows `starts[i]` to `starts[i + 1]`. */
export interface ChunkPages {
  readonly dictionary: Page | undefined;
  readonly data: readonly Page[];
  readonly starts: readonly number[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Finds the pages of a chunk of `rows` rows. */
export function findPages(bytes: Uint8Array, rows: number): ChunkPages {
  const source = createSource(bytes);
  const data: Page[] = [];
  const starts = [0];
  let dictionary: Page | undefined;
  let row = 0;
  while (source.at < source.end) {
    const page = takePage(source);
    if (page?.kind === 'dictionary') dictionary = page;
    if (page?.kind !== 'data') continue;
    if (page.count > rows - row) throw corruptBlock(`pages of more than the ${rows} rows of their row group`);
    row += page.count;
    data.push(page);
    starts.push(row);
  }
  if (row !== rows) throw corruptBlock(`pages of ${row} rows where the row group has ${rows}`);
  return { dictionary, data, starts };
}

/** A required string column as its dictionary and runs of indexes over all rows. */
export function readStringColumn(bytes: Uint8Array, rows: number): { readonly dictionary: readonly string[]; readonly runs: Runs } {
  const pages = findPages(bytes, rows);
  const dictionary = readStrings(pages.dictionary);
  const runs: Runs = { values: [], ends: [] };
  pages.data.forEach((page, i) => {
    if (page.encoding !== RLE_DICTIONARY) throw corruptBlock(`a string page of encoding ${page.encoding}`);
    const source = openPage(page);
    appendRuns(runs, takeRuns(source, page.count, takeByte(source), dictionary.length - 1), pages.starts[i]);
  });
  return { dictionary, runs };
}

function readStrings(page: Page | undefined): string[] {
  if (page === undefined) throw corruptBlock('a string column without a dictionary');
  const source = openPage(page);
  if (page.count * 4 > source.end) throw corruptBlock(`a dictionary of ${page.count} strings in ${source.end} bytes`);
  const strings: string[] = [];
  try {
    for (let i = 0; i < page.count; i++) strings.push(decoder.decode(takeBytes(source, takeUint32(source))));
  } catch (cause) {
    throw corruptBlock('a dictionary that is no list of UTF-8 strings', cause);
  }
  return strings;
}

/** Runs of a nullable dictionary column: `present` over rows, `indexes` over the present ones; and the dictionary's page body. */
export function readDictionaryColumn(
  bytes: Uint8Array,
  rows: number,
): { readonly dictionary: ByteSource; readonly entries: number; readonly present: Runs; readonly indexes: Runs } {
  const pages = findPages(bytes, rows);
  const entries = pages.dictionary?.count ?? 0;
  const dictionary = pages.dictionary === undefined ? createSource(new Uint8Array(0)) : openPage(pages.dictionary);
  const present: Runs = { values: [], ends: [] };
  const indexes: Runs = { values: [], ends: [] };
  let values = 0;
  pages.data.forEach((page, i) => {
    const source = openPage(page);
    const levels = takeLevels(source, page.count);
    const count = countPresent(levels);
    appendRuns(present, levels, pages.starts[i]);
    if (count === 0) return;
    if (page.encoding !== RLE_DICTIONARY) throw corruptBlock(`a page of indexes of encoding ${page.encoding}`);
    const width = takeByte(source);
    appendRuns(indexes, takeRuns(source, count, width, entries - 1), values);
    values += count;
  });
  return { dictionary, entries, present, indexes };
}

/** A required boolean column as runs of 0 and 1. */
export function readBooleanColumn(bytes: Uint8Array, rows: number): Runs {
  const pages = findPages(bytes, rows);
  const runs: Runs = { values: [], ends: [] };
  pages.data.forEach((page, i) => {
    if (page.encoding !== RLE) throw corruptBlock(`a boolean page of encoding ${page.encoding}`);
    appendRuns(runs, takeLevels(openPage(page), page.count), pages.starts[i]);
  });
  return runs;
}

/** Definition levels of a page (or a boolean page's values): 4 bytes of length and runs of 0 and 1. */
export function takeLevels(source: ByteSource, rows: number): Runs {
  const bytes = takeBytes(source, takeUint32(source));
  return takeRuns(createSource(bytes), rows, 1, 1);
}

/** How many rows of definition levels are 1. */
export function countPresent(levels: Runs): number {
  let count = 0;
  let start = 0;
  for (let i = 0; i < levels.ends.length; i++) {
    if (levels.values[i] === 1) count += levels.ends[i] - start;
    start = levels.ends[i];
  }
  return count;
}

/** Reads the rest of a page as `count` numbers into `out` at `outAt`; `type` says whether they are integers or doubles. */
export function takeNumbers(
  source: ByteSource,
  encoding: number,
  count: number,
  type: 'integers' | 'doubles',
  out: Float64Array,
  outAt: number,
): void {
  if (encoding === DELTA_BINARY_PACKED && type === 'integers') {
    takeDeltas(source, count, out, outAt);
    return;
  }
  if (encoding !== (type === 'doubles' ? BYTE_STREAM_SPLIT : PLAIN)) throw corruptBlock(`a page of ${type} of encoding ${encoding}`);
  const bytes = takeBytes(source, source.end - source.at);
  if (type === 'doubles') takeSplitDoubles(bytes, count, out, outAt);
  else takePlainIntegers(bytes, count, out, outAt);
}

function appendRuns(runs: Runs, more: Runs, offset: number): void {
  for (let i = 0; i < more.values.length; i++) {
    runs.values.push(more.values[i]);
    runs.ends.push(more.ends[i] + offset);
  }
}
