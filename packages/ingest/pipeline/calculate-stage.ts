import { BatchBuilder } from '#ingest/batch-builder.ts';
import { DELTA, type SampleBatch, STALE, winsOver } from '#model/samples.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';
import { type Calculation, parseCalculation } from './calculation.ts';
import type { Flow, Report, Stage } from './flow.ts';
import type { CalculateRule } from './rule.ts';
import { labelValue } from './series-labels.ts';

/** What a series is to the calculation; undefined: nothing. */
interface Operand {
  /** Which of the metrics. */
  readonly metric: number;
  /** Series with the same key are calculated with each other. */
  readonly key: string;
  readonly result: Series;
}

/** The places in the batch of the series that make one result, by metric; -1 where there is none yet. */
interface Group {
  readonly places: number[];
  readonly result: Series;
  ambiguous: boolean;
}

/**
 * Adds a sample of the rule's metric wherever all metrics of its expression have one at the same time with the same labels
 * (those of `on` alone, if given) in this request. Stale markers and delta samples take no part; of two samples at one time
 * the usual winner does. A group in which two series of one metric meet gives nothing and is counted as ambiguous.
 */
export function compileCalculateStage(rule: CalculateRule, place: number): Stage {
  const calculation = parseCalculation(rule.expr);
  const operands = new WeakMap<Series, { readonly operand: Operand | undefined }>();
  const operandOf = (series: Series): Operand | undefined => {
    const known = operands.get(series);
    if (known) return known.operand;
    const operand = describeOperand(rule, calculation, series);
    operands.set(series, { operand });
    return operand;
  };
  return (flow, report) => {
    const groups = groupSeries(flow.batch, calculation, operandOf);
    if (groups.length === 0) return flow;
    const added = calculateGroups(flow.batch, calculation, groups);
    countGroups(report, place, { added: added.count, ambiguous: groups.filter((group) => group.ambiguous).length });
    return added.count === 0 ? flow : appendBatch(flow, added.finish());
  };
}

function describeOperand(rule: CalculateRule, { metrics }: Calculation, series: Series): Operand | undefined {
  const metric = metrics.indexOf(series.metric);
  if (metric < 0) return undefined;
  const labels = rule.on ? rule.on.map((name) => ({ name, value: labelValue(series, name) })) : series.labels;
  const result = seriesFromLabels([...labels, { name: '__name__', value: rule.metric }]);
  return { metric, key: result.json, result };
}

function groupSeries(batch: SampleBatch, { metrics }: Calculation, operandOf: (series: Series) => Operand | undefined): Group[] {
  const groups = new Map<string, Group>();
  for (const [place, series] of batch.series.entries()) {
    const operand = operandOf(series);
    if (!operand) continue;
    const group = groups.get(operand.key) ?? { places: metrics.map(() => -1), result: operand.result, ambiguous: false };
    groups.set(operand.key, group);
    if ((group.places[operand.metric] as number) >= 0) group.ambiguous = true;
    group.places[operand.metric] = place;
  }
  return [...groups.values()].filter((group) => group.ambiguous || !group.places.includes(-1));
}

function calculateGroups(batch: SampleBatch, calculation: Calculation, groups: readonly Group[]): BatchBuilder {
  const wanted = new Map<number, Map<number, number>>();
  for (const { places, ambiguous } of groups) if (!ambiguous) for (const place of places) wanted.set(place, new Map());
  for (let i = 0; i < batch.ts.length; i++) {
    const values = wanted.get(batch.seriesIndex[i] as number);
    if (!values || ((batch.flags[i] as number) & (STALE | DELTA)) !== 0) continue;
    const ts = batch.ts[i] as number;
    const before = values.get(ts);
    if (before === undefined || winsOver(batch.value[i] as number, false, before, false)) values.set(ts, batch.value[i] as number);
  }
  const builder = new BatchBuilder();
  for (const { places, result, ambiguous } of groups) {
    if (ambiguous) continue;
    const [first, ...others] = places.map((place) => wanted.get(place) as Map<number, number>);
    for (const [ts, value] of first as Map<number, number>) {
      if (others.every((other) => other.has(ts))) {
        builder.add(result, ts, calculation.evaluate([value, ...others.map((other) => other.get(ts) as number)]));
      }
    }
  }
  return builder;
}

function countGroups({ counts }: Report, place: number, { added, ambiguous }: { added: number; ambiguous: number }): void {
  const own = counts[place];
  if (!own) return;
  own.added += added;
  own.ambiguous += ambiguous;
}

/** The batch with the results behind it; where a result's series is there already, at home, it is that one. */
function appendBatch({ batch, to }: Flow, more: SampleBatch): Flow {
  const startTs = batch.startTs && new Float64Array([...batch.startTs, ...new Float64Array(more.ts.length).fill(Number.NaN)]);
  const series = [...batch.series];
  const metric = more.series[0]?.metric;
  const atHome = new Map<string, number>();
  for (const [i, known] of batch.series.entries()) if (known.metric === metric && !to?.[i]) atHome.set(known.json, i);
  const places = more.series.map((result) => atHome.get(result.json) ?? series.push(result) - 1);
  return {
    to: to && [...to, ...series.slice(to.length).map(() => undefined)],
    batch: {
      series,
      seriesIndex: concat(
        Uint32Array,
        batch.seriesIndex,
        more.seriesIndex.map((index) => places[index] as number),
      ),
      ts: concat(Float64Array, batch.ts, more.ts),
      value: concat(Float64Array, batch.value, more.value),
      flags: concat(Uint8Array, batch.flags, more.flags),
      startTs,
    },
  };
}

function concat<T extends Uint8Array | Uint32Array | Float64Array>(make: new (length: number) => T, a: T, b: T): T {
  const joined = new make(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
