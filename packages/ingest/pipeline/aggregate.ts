import { OpsError } from '#core/errors.ts';
import { alignDown } from '#core/time.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import type { Matcher } from '#model/matcher.ts';
import { DELTA, type SampleBatch, type SampleColumns } from '#model/samples.ts';
import { compareSeries, type Label, type Series, seriesFromLabels, seriesKey } from '#model/series.ts';
import { isOutput, outputMetric } from './aggregate-output.ts';
import type { AggregateRule, PipelineRule } from './rule.ts';
import { compileSelector, parseSelector } from './selector.ts';

/** A stretch of whole intervals of one rule that is due: windows (fromMs, fromMs + interval], ... up to toMs. */
export interface DueAggregation {
  readonly rule: PipelineRule;
  readonly aggregate: AggregateRule;
  /** What to read: the series that these select, samples after fromMs up to toMs. */
  readonly matchers: readonly Matcher[];
  /** Of the series read, those that are inputs. */
  readonly isInput: (series: Series) => boolean;
  readonly fromMs: number;
  readonly toMs: number;
  /** The inputs of this stretch may be removed once its result is durable. */
  readonly drop: boolean;
}

/** Windows of one rule that a single pass takes on. */
const MAX_WINDOWS = 1_000;

/**
 * What is due of a tenant's aggregate rules: every window whose end lies at least `delay` back and that comes after what
 * `doneMs` says was done (the `toMs` of the rule's last pass; a rule without one begins with its latest complete window).
 * What is more than a pass takes on is left for the next one.
 */
export function planAggregation(rules: readonly PipelineRule[], doneMs: ReadonlyMap<string, number>, nowMs: number): DueAggregation[] {
  const aggregates = rules.flatMap((rule) => (rule.aggregate ? [rule.aggregate] : []));
  return rules.flatMap((rule) => {
    const { aggregate, match } = rule;
    if (!aggregate || match === undefined) return [];
    const dueMs = alignDown(nowMs - aggregate.delay, aggregate.interval);
    const done = doneMs.get(rule.name);
    const fromMs = done === undefined ? dueMs - aggregate.interval : alignDown(done, aggregate.interval);
    if (fromMs >= dueMs) return [];
    const selects = compileSelector(match);
    return [
      {
        rule,
        aggregate,
        matchers: parseSelector(match),
        isInput: (series: Series) => selects(series) && !isOutput(aggregates, series.metric),
        fromMs,
        toMs: Math.min(dueMs, fromMs + MAX_WINDOWS * aggregate.interval),
        drop: aggregate.drop,
      },
    ];
  });
}

/** One series' contribution to one window. */
interface Contribution {
  readonly value: number;
  readonly delta: boolean;
}

interface Group {
  readonly series: Series;
  readonly value: Float64Array;
  /** Series that contributed. */
  readonly count: Uint32Array;
  /** Of these, those whose samples are deltas. */
  readonly deltas: Uint32Array;
}

/**
 * One sample per group and window that has any, stamped with the window's end; windows are (end - interval, end].
 *
 * `sum` adds the last value of each series in the window, of a delta series the sum of its samples; `min` and `max` take all
 * samples, NaN only where there is no number; `count` counts series. A series whose last sample in the window is a stale
 * marker has left it and counts for nothing in `sum` and `count` (what deltas added stays added). Where every series of a sum is
 * delta, so is the result.
 * Groups are by the labels kept and, where the name of the result contains it, by the input's name. Series are added up in
 * the order of their labels, so that the result is the same to the bit whatever order they come in.
 */
export function aggregateSamples(
  rule: AggregateRule,
  inputs: readonly { readonly series: Series; readonly samples: SampleColumns }[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): SampleBatch {
  const windows = (toMs - fromMs) / rule.interval;
  if (!Number.isInteger(windows) || windows < 1 || windows > MAX_WINDOWS) {
    throw new OpsError(
      'input',
      `an aggregation covers 1 to ${MAX_WINDOWS} whole intervals; got ${fromMs} to ${toMs} with an interval of ${rule.interval} ms`,
    );
  }
  const groups = new Map<string, Group>();
  for (const { series, samples } of [...inputs].sort((a, b) => compareSeries(a.series, b.series))) {
    addSeries(rule, groupOf(rule, series, groups, windows), samples, fromMs, windows);
  }
  return buildBatch(rule, [...groups.values()], fromMs);
}

function groupOf(rule: AggregateRule, series: Series, groups: Map<string, Group>, windows: number): Group {
  const output = outputSeries(rule, series);
  const key = seriesKey(output);
  const known = groups.get(key);
  if (known) return known;
  const group = { series: output, value: new Float64Array(windows), count: new Uint32Array(windows), deltas: new Uint32Array(windows) };
  groups.set(key, group);
  return group;
}

/** The series that an input's aggregate goes to. */
function outputSeries(rule: AggregateRule, { metric, labels }: Series): Series {
  const keeps = rule.without ? (name: string) => !rule.without?.includes(name) : (name: string) => rule.by?.includes(name) ?? false;
  const kept: Label[] = labels.filter(({ name }) => keeps(name));
  return seriesFromLabels([...kept, { name: '__name__', value: outputMetric(rule, metric) }]);
}

function addSeries(rule: AggregateRule, group: Group, samples: SampleColumns, fromMs: number, windows: number): void {
  const { ts } = samples;
  for (let i = 0; i < ts.length; ) {
    const window = Math.ceil(((ts[i] as number) - fromMs) / rule.interval) - 1;
    let end = i + 1;
    while (end < ts.length && Math.ceil(((ts[end] as number) - fromMs) / rule.interval) - 1 === window) end++;
    const part = window >= 0 && window < windows ? foldWindow(rule.op, samples, i, end) : undefined;
    if (part) {
      const first = group.count[window] === 0;
      group.value[window] = first ? part.value : combine(rule.op, group.value[window] as number, part.value);
      group.count[window] = (group.count[window] as number) + 1;
      if (part.delta) group.deltas[window] = (group.deltas[window] as number) + 1;
    }
    i = end;
  }
}

/** What samples `start` to `end` (exclusive) of one series come to; undefined where nothing of it counts. */
function foldWindow(op: AggregateRule['op'], samples: SampleColumns, start: number, end: number): Contribution | undefined {
  if (op === 'min' || op === 'max') return foldExtreme(op, samples, start, end);
  if (op === 'sum' && samples.delta) {
    const increase = sumDeltas(samples, start, end);
    if (increase !== undefined) return { value: increase, delta: true };
  }
  if (samples.stale?.[end - 1] === 1) return undefined;
  return { value: op === 'sum' ? (samples.value[end - 1] as number) : 1, delta: false };
}

function foldExtreme(op: 'min' | 'max', { value, stale }: SampleColumns, start: number, end: number): Contribution | undefined {
  let best: number | undefined;
  for (let i = start; i < end; i++) {
    if (stale?.[i] !== 1) best = best === undefined ? (value[i] as number) : combine(op, best, value[i] as number);
  }
  return best === undefined ? undefined : { value: best, delta: false };
}

/** The sum of the delta samples, or undefined where there is none. A stale marker after them takes nothing back. */
function sumDeltas({ value, stale, delta }: SampleColumns, start: number, end: number): number | undefined {
  let sum: number | undefined;
  for (let i = start; i < end; i++) if (delta?.[i] === 1 && stale?.[i] !== 1) sum = (sum ?? 0) + (value[i] as number);
  return sum;
}

function combine(op: AggregateRule['op'], a: number, b: number): number {
  if (op === 'sum' || op === 'count') return a + b;
  if (Number.isNaN(a)) return b;
  if (Number.isNaN(b)) return a;
  return op === 'min' ? Math.min(a, b) : Math.max(a, b);
}

function buildBatch(rule: AggregateRule, groups: readonly Group[], fromMs: number): SampleBatch {
  const builder = new BatchBuilder();
  for (const { series, value, count, deltas } of groups) {
    for (let window = 0; window < value.length; window++) {
      if (count[window] === 0) continue;
      const isDelta = rule.op === 'sum' && deltas[window] === count[window];
      builder.add(series, fromMs + (window + 1) * rule.interval, value[window] as number, isDelta ? DELTA : 0);
    }
  }
  return builder.finish();
}
