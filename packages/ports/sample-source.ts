import type { Matcher } from '#model/matcher.ts';
import type { AggregateColumns, SampleColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { Tier } from '#model/tier.ts';

/** What an answer cost. */
export interface ReadStats {
  readonly objects: number;
  readonly requests: number;
  readonly bytes: number;
  readonly samples: number;
}

export interface SelectLimits {
  readonly maxSeries: number;
  readonly maxSamples: number;
  readonly maxBytes: number;
}

export interface SelectInput {
  readonly tenant: string;
  /** All must hold; `__name__` matches the metric; an absent label matches as the empty string. */
  readonly matchers: readonly Matcher[];
  /** Sample times wanted, both inclusive. */
  readonly startMs: number;
  readonly endMs: number;
  /** Width of the range selector, 0 for a plain one. */
  readonly rangeMs: number;
  /** Distance of evaluation times, 0 for an instant query. */
  readonly stepMs: number;
  /** The PromQL function applied straight to the range selector (`rate`), or ''. */
  readonly func: string;
  readonly limits: SelectLimits;
  readonly signal?: AbortSignal | undefined;
}

export interface RawSeries {
  readonly series: Series;
  readonly samples: SampleColumns;
}

export interface AggregateSeries {
  readonly series: Series;
  readonly aggregates: AggregateColumns;
}

/** Which tier answered decides the shape. Series in no particular order, each once, none empty. */
export type SelectResult = { readonly read: ReadStats; readonly warnings: readonly string[] } & (
  | { readonly tier: 'hot'; readonly series: readonly RawSeries[] }
  | { readonly tier: Exclude<Tier, 'hot'>; readonly resolutionMs: number; readonly series: readonly AggregateSeries[] }
);

export interface LabelsInput {
  readonly tenant: string;
  /** A series counts if it meets every matcher of one of the sets; no set: all series. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
  readonly limits: SelectLimits;
  readonly signal?: AbortSignal | undefined;
}

export interface MetricMetadata {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** What the query engine asks of storage. Tenants never mix. `limit` when a limit is passed, naming it. */
export interface SampleSource {
  select(input: SelectInput): Promise<SelectResult>;
  /** The series with data in the blocks and segments that touch the time range (block granularity, as in Prometheus). */
  series(input: LabelsInput): Promise<{ readonly series: readonly Series[]; readonly read: ReadStats }>;
  metadata(input: { tenant: string; metric?: string | undefined }): Promise<readonly MetricMetadata[]>;
}
