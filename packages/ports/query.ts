import type { Series } from '#model/series.ts';

/** What kind of value an expression has. */
export type ExprType = 'scalar' | 'vector' | 'matrix' | 'string';

/** An expression that parses, with what there is to say of it without evaluating it. */
export interface CheckedExpr {
  readonly type: ExprType;
  /** Laid out as Prometheus prints it, on one line. */
  readonly text: string;
  /** Metrics and labels that it selects by, one entry a selector: which results may change when series of that name do. */
  readonly metrics: readonly (string | undefined)[];
}

/** One series of an instant vector. */
export interface InstantSample {
  readonly series: Series;
  readonly value: number;
}

export interface InstantInput {
  readonly tenant: string;
  readonly expr: string;
  readonly atMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An instant vector, and what the engine has to say beside it. A scalar is one sample without labels. */
export interface InstantAnswer {
  readonly samples: readonly InstantSample[];
  readonly warnings: readonly string[];
}

/** What other domains ask of the query engine. Tenants never mix. */
export interface Query {
  /** Parses and checks; `input` with Prometheus' message and position for what does not parse. */
  check(expr: string): CheckedExpr;
  /** Evaluates at one time. `input` for an expression that gives no vector or scalar, `conflict` where it cannot be evaluated over its data, `limit`, `unavailable`. */
  instant(input: InstantInput): Promise<InstantAnswer>;
}

export interface RangeInput {
  readonly tenant: string;
  readonly expr: string;
  readonly startMs: number;
  /** The last step is the latest at or before it. */
  readonly endMs: number;
  readonly stepMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One series of a range: times (ms, ascending) at which it has a value, and the values. */
export interface RangeSeries {
  readonly series: Series;
  readonly ts: Float64Array;
  readonly values: Float64Array;
}

export interface RangeAnswer {
  readonly series: readonly RangeSeries[];
  readonly warnings: readonly string[];
}

/** Evaluates at every step of a range; errors as those of `Query.instant`. */
export interface RangeQuery {
  range(input: RangeInput): Promise<RangeAnswer>;
}
