import type { RejectionList } from '#ingest/rejections.ts';
import type { SampleBatch } from '#model/samples.ts';
import type { Destination } from './effect.ts';

/** Samples on their way through the rules. */
export interface Flow {
  readonly batch: SampleBatch;
  /** Where each of `batch.series` goes; absent: all stay with their tenant. */
  readonly to: readonly (Destination | undefined)[] | undefined;
}

/** What one rule did, in samples. Those that came in and those added are as many as go out, are dropped and rejected. */
export interface RuleCounts {
  readonly rule: string;
  /** Changed, tagged, routed, dropped, rejected, or taken note of for an aggregation. */
  touched: number;
  dropped: number;
  rejected: number;
  /** Calculated. */
  added: number;
  /** Groups of series from which nothing could be calculated because two had the same labels. */
  ambiguous: number;
}

/** Where stages report: counts by the rule's place in the list, and why senders' samples were left out. */
export interface Report {
  readonly counts: readonly RuleCounts[];
  readonly rejections: RejectionList;
}

/** A few consecutive rules that are run together. */
export type Stage = (flow: Flow, report: Report) => Flow;

/** The samples whose `indexOf` is not negative, in their order, as samples of `series[indexOf(i)]`; `count` of them. */
export function rebuildBatch(
  batch: SampleBatch,
  kept: { readonly series: SampleBatch['series']; readonly count: number; readonly indexOf: (sample: number) => number },
): SampleBatch {
  const { count, indexOf } = kept;
  const seriesIndex = new Uint32Array(count);
  const ts = new Float64Array(count);
  const value = new Float64Array(count);
  const flags = new Uint8Array(count);
  const startTs = batch.startTs && new Float64Array(count);
  for (let i = 0, at = 0; i < batch.ts.length; i++) {
    const index = indexOf(i);
    if (index < 0) continue;
    seriesIndex[at] = index;
    ts[at] = batch.ts[i] as number;
    value[at] = batch.value[i] as number;
    flags[at] = batch.flags[i] as number;
    if (startTs) startTs[at] = (batch.startTs as Float64Array)[i] as number;
    at++;
  }
  return { series: kept.series, seriesIndex, ts, value, flags, startTs };
}
