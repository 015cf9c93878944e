import { type ByteSink, putBytes, putUint32 } from './byte-sink.ts';
import { formatLabelFilters, LABELS_KEY } from './label-filter.ts';
import { type BlockKind, type ColumnSpec, physicalTypes, schemaNames, schemas } from './schema.ts';
import { binary, bool, i16, i32, i64, list, putStruct, struct, type ThriftField, type ThriftOut, text } from './thrift.ts';

/** Raw bytes of the least and greatest value, as Parquet's statistics store them. */
export interface ChunkStatistics {
  readonly min?: Uint8Array | undefined;
  readonly max?: Uint8Array | undefined;
  readonly nulls: number;
}

/** A column chunk that has been written at `offset`. */
export interface WrittenChunk {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly uncompressedBytes: number;
  /** Bytes of the dictionary page, header included; 0 without one. */
  readonly dictionaryBytes: number;
  readonly encodings: readonly number[];
  readonly statistics: ChunkStatistics;
}

export interface WrittenRowGroup {
  readonly rows: number;
  readonly chunks: readonly WrittenChunk[];
  /** See label-filter.ts. */
  readonly labels?: Uint8Array | undefined;
}

/** `PAR1`, at both ends of a file. */
export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

const ZSTD = 6;
const UTF8 = 0;
const TIMESTAMP_MILLIS = 9;

/** Appends the file's metadata, its length and the closing magic. Returns their size together. */
export function putFooter(
  sink: ByteSink,
  kind: BlockKind,
  rowGroups: readonly WrittenRowGroup[],
  metadata: Readonly<Record<string, string>>,
): number {
  const columns = schemas[kind];
  const start = sink.at;
  let rows = 0;
  for (const group of rowGroups) rows += group.rows;
  const labels = formatLabelFilters(rowGroups.map((group) => group.labels));
  const pairs = { 'quarterdeck.schema': schemaNames[kind], [LABELS_KEY]: labels, ...metadata };
  putStruct(sink, [
    [1, i32(2)],
    [2, list('struct', [root(columns), ...columns.map(schemaElement)])],
    [3, i64(rows)],
    [
      4,
      list(
        'struct',
        rowGroups.map((group, index) => rowGroup(columns, group, index)),
      ),
    ],
    [
      5,
      list(
        'struct',
        Object.entries(pairs).map(([key, value]) => struct([1, text(key)], [2, text(value)])),
      ),
    ],
    [6, text('quarterdeck')],
    [
      7,
      list(
        'struct',
        columns.map(() => struct([1, struct()])),
      ),
    ],
  ]);
  putUint32(sink, sink.at - start);
  putBytes(sink, MAGIC);
  return sink.at - start;
}

function root(columns: readonly ColumnSpec[]): ThriftOut {
  return struct([4, text('quarterdeck')], [5, i32(columns.length)]);
}

function schemaElement(column: ColumnSpec): ThriftOut {
  const fields: ThriftField[] = [
    [1, i32(physicalTypes[column.type === 'timestamp' ? 'int64' : column.type])],
    [3, i32(column.nullable ? 1 : 0)],
    [4, text(column.name)],
  ];
  if (column.type === 'string') fields.push([6, i32(UTF8)], [10, struct([1, struct()])]);
  if (column.type === 'timestamp') {
    fields.push([6, i32(TIMESTAMP_MILLIS)], [10, struct([8, struct([1, bool(true)], [2, struct([1, struct()])])])]);
  }
  return struct(...fields);
}

function rowGroup(columns: readonly ColumnSpec[], group: WrittenRowGroup, index: number): ThriftOut {
  let compressed = 0;
  let uncompressed = 0;
  for (const chunk of group.chunks) {
    compressed += chunk.sizeBytes;
    uncompressed += chunk.uncompressedBytes;
  }
  return struct(
    [
      1,
      list(
        'struct',
        group.chunks.map((chunk, i) => columnChunk(columns[i], group.rows, chunk)),
      ),
    ],
    [2, i64(uncompressed)],
    [3, i64(group.rows)],
    [
      4,
      list(
        'struct',
        [0, 1, 2].map((column) => struct([1, i32(column)], [2, bool(false)], [3, bool(false)])),
      ),
    ],
    [5, i64(group.chunks[0].offset)],
    [6, i64(compressed)],
    [7, i16(index)],
  );
}

function columnChunk(column: ColumnSpec, rows: number, chunk: WrittenChunk): ThriftOut {
  const { min, max, nulls } = chunk.statistics;
  const statistics: ThriftField[] = [[3, i64(nulls)]];
  if (min !== undefined && max !== undefined) statistics.push([5, binary(max)], [6, binary(min)]);
  const fields: ThriftField[] = [
    [1, i32(physicalTypes[column.type === 'timestamp' ? 'int64' : column.type])],
    [2, list('i32', chunk.encodings.map(i32))],
    [3, list('binary', [text(column.name)])],
    [4, i32(ZSTD)],
    [5, i64(rows)],
    [6, i64(chunk.uncompressedBytes)],
    [7, i64(chunk.sizeBytes)],
    [9, i64(chunk.offset + chunk.dictionaryBytes)],
  ];
  if (chunk.dictionaryBytes > 0) fields.push([11, i64(chunk.offset)]);
  fields.push([12, struct(...statistics)]);
  return struct([2, i64(0)], [3, struct(...fields)]);
}
