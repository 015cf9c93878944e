import { BatchBuilder } from '#ingest/batch-builder.ts';
import type { PipelineResult } from '#ingest/pipeline/pipeline.ts';
import { PipelineRule } from '#ingest/pipeline/rule.ts';
import { showSeries } from '#ingest/pipeline/series-labels.ts';
import { DELTA, type SampleBatch, STALE } from '#model/samples.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';

/** A series from an object whose `__name__` is the metric. */
export function series(labels: Record<string, string>): Series {
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

export type Row = readonly [series: Series, ts: number, value: number, flags?: number];

/** A batch of samples in order; the same series object is the same series. */
export function batch(rows: readonly Row[]): SampleBatch {
  const builder = new BatchBuilder();
  for (const [each, ts, value, flags] of rows) builder.add(each, ts, value, flags);
  return builder.finish();
}

/** `metric{a="1"} value@ts` for each sample, marks for stale and delta. */
export function show(samples: SampleBatch): string[] {
  return Array.from(samples.ts, (ts, i) => {
    const flags = samples.flags[i] as number;
    const mark = `${flags & STALE ? ' stale' : ''}${flags & DELTA ? ' delta' : ''}`;
    return `${showSeries(samples.series[samples.seriesIndex[i] as number] as Series)} ${samples.value[i]}@${ts}${mark}`;
  });
}

/** Samples of every destination, `tenant/class` before those that left home. */
export function showAll(result: PipelineResult, home = 'default'): string[] {
  return result.outputs.flatMap(({ tenant, retentionClass, batch: each }) => {
    const prefix = tenant === home && retentionClass === undefined ? '' : `${tenant}/${retentionClass ?? ''} `;
    return show(each).map((line) => prefix + line);
  });
}

/** Rules as a file would give them, defaults filled in. */
export function rules(...list: readonly object[]): PipelineRule[] {
  return list.map((rule) => PipelineRule.parse(rule));
}
