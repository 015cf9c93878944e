/** The physical types a block uses, by Parquet's numbers. */
export const physicalTypes = { boolean: 0, int32: 1, int64: 2, double: 5, string: 6 } as const;

export interface ColumnSpec {
  readonly name: string;
  /** `timestamp` is an INT64 of milliseconds UTC. */
  readonly type: 'string' | 'timestamp' | 'int64' | 'int32' | 'double' | 'boolean';
  readonly nullable: boolean;
}

/** Raw samples, in column order. docs/metrics-block-format.md is its description. */
const sampleSchema = [
  { name: 'metric', type: 'string', nullable: false },
  { name: 'labels', type: 'string', nullable: false },
  { name: 'ts', type: 'timestamp', nullable: false },
  { name: 'mantissa', type: 'int64', nullable: true },
  { name: 'exponent', type: 'int32', nullable: true },
  { name: 'value', type: 'double', nullable: true },
  { name: 'start_ts', type: 'timestamp', nullable: true },
  { name: 'delta', type: 'boolean', nullable: false },
] as const satisfies readonly ColumnSpec[];

/** Aggregates, one row per series and interval, in column order. */
const aggregateSchema = [
  { name: 'metric', type: 'string', nullable: false },
  { name: 'labels', type: 'string', nullable: false },
  { name: 'ts', type: 'timestamp', nullable: false },
  { name: 'count', type: 'int64', nullable: false },
  { name: 'sum', type: 'double', nullable: false },
  { name: 'min', type: 'double', nullable: false },
  { name: 'max', type: 'double', nullable: false },
  { name: 'first', type: 'double', nullable: false },
  { name: 'last', type: 'double', nullable: false },
  { name: 'increase', type: 'double', nullable: false },
  { name: 'first_ts', type: 'timestamp', nullable: false },
  { name: 'last_ts', type: 'timestamp', nullable: false },
  { name: 'delta', type: 'boolean', nullable: false },
] as const satisfies readonly ColumnSpec[];

/** The value of the key `quarterdeck.schema`: what the rows are and the version of their columns. */
export const schemaNames = { samples: 'samples/1', aggregates: 'aggregates/1' } as const;

export type BlockKind = keyof typeof schemaNames;

/** The columns of each kind of block. */
export const schemas: Readonly<Record<BlockKind, readonly ColumnSpec[]>> = { samples: sampleSchema, aggregates: aggregateSchema };
