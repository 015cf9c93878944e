import { createSource, takeUint32 } from './byte-source.ts';
import { corruptBlock } from './corrupt.ts';
import { LABELS_KEY, parseLabelFilters } from './label-filter.ts';
import { wholeField } from './pages.ts';
import { type BlockKind, type ColumnSpec, schemaNames, schemas } from './schema.ts';
import { type ThriftIn, type ThriftStruct, takeStruct } from './thrift.ts';
import { MAGIC } from './write-footer.ts';

/** Where a column of a row group lies, in bytes of the file. */
interface ColumnChunk {
  readonly start: number;
  readonly end: number;
  readonly nulls: number;
}

/** A row group: `rows` rows in file bytes `start` to `end`, sorted, with metrics and times within the bounds (inclusive). */
export interface RowGroup {
  readonly rows: number;
  readonly start: number;
  readonly end: number;
  readonly minMetric: string;
  readonly maxMetric: string;
  readonly minTs: number;
  readonly maxTs: number;
  /** Filter of the labels that its series have; undefined: any. */
  readonly labels: Uint8Array | undefined;
  /** One per column of the schema, in its order. */
  readonly columns: readonly ColumnChunk[];
}

/** A block's footer, parsed; keep it with the block's id, since blocks never change. */
export interface BlockFooter {
  readonly kind: BlockKind;
  readonly rows: number;
  readonly rowGroups: readonly RowGroup[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** A row group beyond this is refused before anything of its size is allocated; the writer stays far below. */
export const MAX_GROUP_ROWS = 4_194_304;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** How many bytes at the end of the file the footer takes, learnt from its last 8 (or more) bytes. */
export function footerSize(tail: Uint8Array): number {
  if (tail.length < 12) throw corruptBlock(`${tail.length} bytes, less than the smallest file`);
  if (MAGIC.some((byte, i) => tail[tail.length - 4 + i] !== byte)) throw corruptBlock('it does not end in PAR1');
  return takeUint32(createSource(tail, tail.length - 8)) + 8;
}

/**
 * Parses the footer out of the file's last bytes, which must hold `footerSize(tail)` of them at least. `input` if the bytes are
 * no block of a schema this version knows, or contradict themselves.
 */
export function readFooter(tail: Uint8Array): BlockFooter {
  const size = footerSize(tail);
  if (size > tail.length) throw corruptBlock(`a footer of ${size} bytes where ${tail.length} are at hand`);
  const file = takeStruct(createSource(tail, tail.length - size, tail.length - 8));
  const metadata = readMetadata(file.get(5));
  const schema = metadata.get('quarterdeck.schema');
  const kind = (Object.keys(schemaNames) as BlockKind[]).find((name) => schemaNames[name] === schema);
  if (kind === undefined) {
    const known = Object.values(schemaNames).join(', ');
    throw corruptBlock(schema === undefined ? 'no quarterdeck.schema in its metadata' : `schema ${schema}, known are ${known}`);
  }
  checkColumns(file.get(2), schemas[kind]);
  const groups = structs(file.get(4), 'row groups');
  const labels = parseLabelFilters(metadata.get(LABELS_KEY), groups.length);
  const rowGroups = groups.map((group, i) => readRowGroup(group, schemas[kind], labels[i]));
  const rows = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== wholeField(file, 3, 'row count')) throw corruptBlock('its row groups do not add up to its row count');
  return { kind, rows, rowGroups, metadata };
}

function readMetadata(value: ThriftIn | undefined): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const pair of value === undefined ? [] : structs(value, 'key-value metadata')) {
    metadata.set(readText(pair.get(1), 'metadata key'), readText(pair.get(2), 'metadata value'));
  }
  return metadata;
}

function checkColumns(value: ThriftIn | undefined, columns: readonly ColumnSpec[]): void {
  const names = structs(value, 'schema').map((element) => readText(element.get(4), 'column name'));
  const expected = columns.map((column) => column.name);
  if (names.slice(1).join() !== expected.join())
    throw corruptBlock(`columns ${names.slice(1).join()} where ${expected.join()} are expected`);
}

function readRowGroup(group: ThriftStruct, columns: readonly ColumnSpec[], labels: Uint8Array | undefined): RowGroup {
  const rows = wholeField(group, 3, 'row count');
  if (rows < 1 || rows > MAX_GROUP_ROWS) throw corruptBlock(`a row group of ${rows} rows`);
  const chunks = structs(group.get(1), 'column chunks').map((chunk) => readStruct(chunk.get(3), 'column metadata'));
  if (chunks.length !== columns.length) throw corruptBlock(`${chunks.length} columns where ${columns.length} are expected`);
  const ranges = chunks.map((chunk) => readRange(chunk, rows));
  for (let i = 1; i < ranges.length; i++) {
    if (ranges[i].start !== ranges[i - 1].end) throw corruptBlock(`column ${columns[i].name} does not follow the one before it`);
  }
  const metric = readBounds(chunks[0], 'metric');
  const ts = readBounds(chunks[2], 'ts');
  return {
    rows,
    start: ranges[0].start,
    end: ranges[ranges.length - 1].end,
    minMetric: readText(metric.min, 'least metric'),
    maxMetric: readText(metric.max, 'greatest metric'),
    minTs: readTs(ts.min),
    maxTs: readTs(ts.max),
    labels,
    columns: ranges,
  };
}

function readRange(chunk: ThriftStruct, rows: number): ColumnChunk {
  if (wholeField(chunk, 5, 'value count') !== rows) throw corruptBlock('a column with another number of rows than its row group');
  const start = chunk.has(11) ? wholeField(chunk, 11, 'dictionary offset') : wholeField(chunk, 9, 'data offset');
  const end = start + wholeField(chunk, 7, 'chunk size');
  const nulls = wholeField(readStruct(chunk.get(12), 'statistics'), 3, 'null count');
  if (end <= start || nulls > rows) throw corruptBlock('a column chunk without bytes or with more nulls than rows');
  return { start, end, nulls };
}

function readBounds(chunk: ThriftStruct, column: string): { min: ThriftIn; max: ThriftIn } {
  const statistics = readStruct(chunk.get(12), 'statistics');
  const min = statistics.get(6);
  const max = statistics.get(5);
  if (min === undefined || max === undefined) throw corruptBlock(`no bounds of column ${column}`);
  return { min, max };
}

function readTs(value: ThriftIn): number {
  if (!(value instanceof Uint8Array) || value.length !== 8) throw corruptBlock('a time bound that is not 8 bytes');
  const view = new DataView(value.buffer, value.byteOffset, 8);
  return view.getInt32(4, true) * 4_294_967_296 + view.getUint32(0, true);
}

function readText(value: ThriftIn | undefined, what: string): string {
  if (!(value instanceof Uint8Array)) throw corruptBlock(`no ${what}`);
  try {
    return decoder.decode(value);
  } catch (cause) {
    throw corruptBlock(`${what} is not UTF-8`, cause);
  }
}

function readStruct(value: ThriftIn | undefined, what: string): ThriftStruct {
  if (!(value instanceof Map)) throw corruptBlock(`no ${what}`);
  return value as ThriftStruct;
}

function structs(value: ThriftIn | undefined, what: string): readonly ThriftStruct[] {
  if (!Array.isArray(value) || !value.every((item) => item instanceof Map)) throw corruptBlock(`no ${what}`);
  return value as readonly ThriftStruct[];
}
