import type { Rejection } from '#ingest/decoded.ts';
import { createRejectionList } from '#ingest/rejections.ts';
import type { SampleBatch } from '#model/samples.ts';
import { compileCalculateStage } from './calculate-stage.ts';
import type { Destination } from './effect.ts';
import { type Flow, type RuleCounts, rebuildBatch, type Stage } from './flow.ts';
import type { PipelineRule } from './rule.ts';
import { compileSeriesRule, type LookupTables } from './series-rules.ts';
import { compileSeriesStage } from './series-stage.ts';
import type { NumberedRule } from './trace.ts';

export type { RuleCounts } from './flow.ts';

/** The compiled rules of one tenant. Keep it: it remembers what the rules make of each series. */
export interface Pipeline {
  readonly tenant: string;
  readonly rules: readonly string[];
  readonly stages: readonly Stage[];
}

/** Samples of one destination. */
export interface PipelineOutput {
  readonly tenant: string;
  /** Absent: the tenant's own retention. */
  readonly retentionClass?: string | undefined;
  readonly batch: SampleBatch;
}

export interface PipelineResult {
  /** None is empty, unless the request was; those of the tenant itself come first. */
  readonly outputs: readonly PipelineOutput[];
  /** One for each rule, in their order. */
  readonly counts: readonly RuleCounts[];
  /** What `validate` refused, one entry for each rule that did. */
  readonly rejections: readonly Rejection[];
}

/** Compiles rules that have been validated. Consecutive rules that work series by series are run as one. */
export function compilePipeline(tenant: string, rules: readonly PipelineRule[], tables: LookupTables = new Map()): Pipeline {
  const aggregates = rules.flatMap((rule) => (rule.aggregate ? [rule.aggregate] : []));
  const stages: Stage[] = [];
  let run: NumberedRule[] = [];
  const closeRun = () => {
    if (run.length > 0) stages.push(compileSeriesStage(run));
    run = [];
  };
  for (const [place, rule] of rules.entries()) {
    if (rule.calculate) {
      closeRun();
      stages.push(compileCalculateStage(rule.calculate, place));
    } else run.push({ place, apply: compileSeriesRule(rule, { tables, aggregates }) });
  }
  closeRun();
  return { tenant, rules: rules.map((rule) => rule.name), stages };
}

/** Runs the rules over the samples of one request; the same batch comes out where no rule touched any of it. */
export function runPipeline(pipeline: Pipeline, batch: SampleBatch): PipelineResult {
  if (pipeline.stages.length === 0) return { outputs: [{ tenant: pipeline.tenant, batch }], counts: [], rejections: [] };
  const counts = pipeline.rules.map((rule): RuleCounts => ({ rule, touched: 0, dropped: 0, rejected: 0, added: 0, ambiguous: 0 }));
  const rejections = createRejectionList();
  let flow: Flow = { batch, to: undefined };
  for (const stage of pipeline.stages) flow = stage(flow, { counts, rejections });
  const outputs = flow.batch.ts.length === 0 && batch.ts.length > 0 ? [] : splitByDestination(pipeline.tenant, flow);
  return { outputs, counts, rejections: rejections.finish() };
}

function splitByDestination(home: string, { batch, to }: Flow): PipelineOutput[] {
  if (!to) return [{ tenant: home, batch }];
  const names = to.map((each) => `${each?.tenant ?? home}\u0001${each?.retentionClass ?? ''}`);
  const groups = new Map<string, Destination | undefined>([[`${home}\u0001`, undefined]]);
  for (const [i, name] of names.entries()) if (!groups.has(name)) groups.set(name, to[i]);
  return [...groups].flatMap(([name, destination]) => {
    const part = takeSeries(batch, (series) => names[series] === name);
    const { tenant = home, retentionClass } = destination ?? {};
    if (part.ts.length === 0) return [];
    return [retentionClass === undefined ? { tenant, batch: part } : { tenant, retentionClass, batch: part }];
  });
}

function takeSeries(batch: SampleBatch, wants: (series: number) => boolean): SampleBatch {
  const series: SampleBatch['series'][number][] = [];
  const places = batch.series.map((each, i) => (wants(i) ? series.push(each) - 1 : -1));
  if (series.length === batch.series.length) return batch;
  let count = 0;
  for (let i = 0; i < batch.seriesIndex.length; i++) if ((places[batch.seriesIndex[i] as number] as number) >= 0) count++;
  return rebuildBatch(batch, { series, count, indexOf: (sample) => places[batch.seriesIndex[sample] as number] as number });
}
