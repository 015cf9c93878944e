import { type SampleBatch, STALE } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { Destination } from './effect.ts';
import { type Flow, type Report, rebuildBatch, type Stage } from './flow.ts';
import { type Leaf, type NumberedRule, type TraceNode, traceSeries } from './trace.ts';

/**
 * Rules that work series by series, as one stage. What they make of a series is remembered by its object, so that a steady
 * stream costs one look-up per series; samples are touched only where some are left out, merged or checked by value.
 */
export function compileSeriesStage(rules: readonly NumberedRule[]): Stage {
  const traces = new WeakMap<Series, TraceNode>();
  const traceOf = (series: Series): TraceNode => {
    const known = traces.get(series);
    if (known) return known;
    const node = traceSeries(rules, series);
    traces.set(series, node);
    return node;
  };
  return (flow, report) => {
    const nodes = flow.batch.series.map(traceOf);
    if (nodes.every((node, i) => isUntouched(node, flow.batch.series[i] as Series))) return flow;
    const sorting = sortSamples(flow, nodes, report);
    countLeaves(sorting.uses, report);
    return gather(flow, sorting);
  };
}

function isUntouched(node: TraceNode, series: Series): boolean {
  return node.kind === 'leaf' && node.series === series && node.touched.length === 0;
}

/** The samples of one input series that end alike. */
interface LeafUse {
  readonly leaf: Leaf;
  readonly to: Destination | undefined;
  /** Samples. */
  count: number;
  /** Place of the series among those that go on; -1 where they do not. */
  index: number;
}

interface Sorting {
  readonly uses: readonly LeafUse[];
  /** Which use each sample belongs to; absent where that is simply its series' place. */
  readonly useOf: Uint32Array | undefined;
}

function sortSamples({ batch, to }: Flow, nodes: readonly TraceNode[], report: Report): Sorting {
  const uses: LeafUse[] = [];
  const startUse = (leaf: Leaf, series: number) =>
    uses.push({ leaf, to: leaf.to && to?.[series] ? { ...to[series], ...leaf.to } : (leaf.to ?? to?.[series]), count: 0, index: -1 }) - 1;
  const plain = nodes.map((node, i) => (node.kind === 'leaf' ? startUse(node, i) : -1));
  const { seriesIndex } = batch;
  if (uses.length === nodes.length) {
    for (let i = 0; i < seriesIndex.length; i++) (uses[seriesIndex[i] as number] as LeafUse).count++;
    reportRejected(uses, report);
    return { uses, useOf: undefined };
  }
  const useOf = new Uint32Array(seriesIndex.length);
  const branched = nodes.map(() => new Map<Leaf, number>());
  for (let i = 0; i < seriesIndex.length; i++) {
    const series = seriesIndex[i] as number;
    let use = plain[series] as number;
    if (use < 0) {
      const leaf = followBranches(nodes[series] as TraceNode, batch, i);
      const known = (branched[series] as Map<Leaf, number>).get(leaf);
      use = known ?? startUse(leaf, series);
      if (known === undefined) {
        (branched[series] as Map<Leaf, number>).set(leaf, use);
        if (leaf.failed) reportFirst(leaf, leaf.failed.describe(batch.value[i] as number), report);
      }
    }
    (uses[use] as LeafUse).count++;
    useOf[i] = use;
  }
  reportRejected(uses, report);
  return { uses, useOf };
}

function followBranches(start: TraceNode, batch: SampleBatch, sample: number): Leaf {
  const stale = ((batch.flags[sample] as number) & STALE) !== 0;
  const value = batch.value[sample] as number;
  let node = start;
  while (node.kind === 'branch') node = stale || node.check.passes(value) ? node.pass() : node.fail();
  return node;
}

function reportFirst(leaf: Leaf, message: string, report: Report): void {
  const rule = leaf.end?.rule as number;
  report.rejections.add(reasonOf(rule, report), 0, () => message);
}

function reportRejected(uses: readonly LeafUse[], report: Report): void {
  for (const { leaf, count } of uses) {
    if (leaf.end?.kind !== 'rejected' || count === 0) continue;
    const { rule, message } = leaf.end;
    report.rejections.add(reasonOf(rule, report), count, () => message);
  }
}

function reasonOf(rule: number, report: Report): string {
  return `rule-${report.counts[rule]?.rule}`;
}

function countLeaves(uses: readonly LeafUse[], { counts }: Report): void {
  for (const { leaf, count } of uses) {
    for (const rule of leaf.touched) (counts[rule] as { touched: number }).touched += count;
    if (leaf.end) (counts[leaf.end.rule] as { dropped: number; rejected: number })[leaf.end.kind] += count;
  }
}

/** The samples that go on. Series that came to be the same one are one again, by content and destination. */
function gather({ batch }: Flow, { uses, useOf }: Sorting): Flow {
  const series: Series[] = [];
  const to: (Destination | undefined)[] = [];
  const places = new Map<string, number>();
  let kept = 0;
  for (const use of uses) {
    if (!use.leaf.series || use.count === 0) continue;
    kept += use.count;
    const key = use.to ? `${use.to.tenant ?? ''}\u0001${use.to.retentionClass ?? ''}\u0001${use.leaf.key}` : use.leaf.key;
    const known = places.get(key);
    use.index = known ?? series.push(use.leaf.series) - 1;
    if (known !== undefined) continue;
    places.set(key, use.index);
    to.push(use.to);
  }
  const destinations = to.some((each) => each) ? to : undefined;
  const { seriesIndex } = batch;
  if (!useOf && series.length === batch.series.length) return { batch: { ...batch, series }, to: destinations };
  const indexOf = (sample: number) => (uses[(useOf ?? seriesIndex)[sample] as number] as LeafUse).index;
  return { batch: rebuildBatch(batch, { series, count: kept, indexOf }), to: destinations };
}
