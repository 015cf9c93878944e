import type { Series } from '#model/series.ts';
import type { Tier } from '#model/tier.ts';
import type { ReadStats } from '#ports/sample-source.ts';

/** One series of a range result: `ts` (ms, ascending) and `values` side by side. The arrays may be views; never write to them. */
export interface MatrixSeries {
  readonly series: Series;
  readonly ts: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
}

/** The value of a query. An instant vector keeps its order; series of a matrix are in order of their labels. */
export type QueryValue =
  | { readonly type: 'scalar'; readonly tMs: number; readonly value: number }
  | { readonly type: 'string'; readonly tMs: number; readonly value: string }
  | { readonly type: 'vector'; readonly tMs: number; readonly series: readonly Series[]; readonly values: Float64Array }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] };

/** A query's value, what it has to say beside it, and what it cost. */
export type QueryResult = QueryValue & {
  /** As the HTTP API shows them: Prometheus' own with their place in the query, then those of storage. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly read: ReadStats;
  /** The tiers that answered. */
  readonly tiers: readonly Tier[];
};
