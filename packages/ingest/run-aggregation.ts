import { createHash } from 'node:crypto';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Series } from '#model/series.ts';
import type { SampleSource, SelectLimits } from '#ports/sample-source.ts';
import type { SampleStore } from '#ports/sample-store.ts';
import type { Table } from '#ports/table.ts';
import { aggregateSamples, type DueAggregation, planAggregation } from './pipeline/aggregate.ts';
import type { PipelineRule } from './pipeline/rule.ts';

export interface AggregationDeps {
  readonly source: SampleSource;
  readonly store: SampleStore;
  readonly table: Table;
  readonly now: Clock;
  /** A tenant's rules, in order. */
  readonly rules: (tenant: string) => readonly PipelineRule[];
  readonly limits: (tenant: string) => SelectLimits;
}

/** One stretch of one rule that was (or would be) aggregated. */
export interface AggregationReport {
  readonly tenant: string;
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly inputs: number;
  readonly samples: number;
}

/**
 * Runs what is due of the tenants' aggregate rules. The result is stored before the stretch counts as done, under an id that
 * follows from rule and stretch, so a pass that is cut off and made again stores it once.
 */
export async function runAggregation(deps: AggregationDeps, tenants: readonly string[], dryRun = false): Promise<AggregationReport[]> {
  const reports: AggregationReport[] = [];
  for (const tenant of tenants) {
    const rules = deps.rules(tenant);
    if (!rules.some((rule) => rule.aggregate)) continue;
    const done = await readDone(deps.table, tenant);
    const doneMs = new Map(Array.from(done, ([rule, range]) => [rule, range.doneMs]));
    for (const due of planAggregation(rules, doneMs, deps.now())) {
      const sinceMs = done.get(due.rule.name)?.sinceMs;
      reports.push(await aggregate(deps, tenant, { ...due, sinceMs }, dryRun));
    }
  }
  return reports;
}

async function aggregate(
  deps: AggregationDeps,
  tenant: string,
  due: DueAggregation & { readonly sinceMs: number | undefined },
  dryRun: boolean,
): Promise<AggregationReport> {
  const { rule, fromMs, toMs } = due;
  const selected = await deps.source.select({
    tenant,
    matchers: due.matchers,
    startMs: fromMs + 1,
    endMs: toMs,
    rangeMs: due.aggregate.interval,
    stepMs: 0,
    func: '',
    limits: deps.limits(tenant),
  });
  const inputs = selected.tier === 'hot' ? selected.series.filter(({ series }) => due.isInput(series)) : [];
  const batch = aggregateSamples(due.aggregate, inputs, due);
  if (!dryRun) {
    const id = createHash('sha256')
      .update(JSON.stringify(['aggregate', tenant, rule.name, fromMs, toMs]))
      .digest('hex')
      .slice(0, 32);
    if (batch.ts.length > 0) await deps.store.append({ tenant, id, batch });
    const sinceMs = due.sinceMs ?? fromMs;
    await retry(() => deps.table.put({ pk: partition(tenant), sk: rule.name, sinceMs, doneMs: toMs }));
  }
  const iso = (timeMs: number) => new Date(timeMs).toISOString();
  return { tenant, rule: rule.name, from: iso(fromMs), to: iso(toMs), inputs: inputs.length, samples: batch.ts.length };
}

/**
 * What a tenant's aggregate rules with `drop` have put their results in place of, by series: from the start of a rule's first
 * pass to the end of its last. What lies before the first pass was never aggregated and stays. Undefined where no rule drops.
 */
export async function readDroppedRanges(
  table: Table,
  tenant: string,
  rules: readonly PipelineRule[],
  nowMs: number,
): Promise<((series: Series) => { fromMs: number; toMs: number }[]) | undefined> {
  if (!rules.some((rule) => rule.aggregate?.drop)) return undefined;
  const done = await readDone(table, tenant);
  const dropping = planAggregation(rules, new Map(), nowMs).filter(({ drop }) => drop);
  return (series) =>
    dropping.flatMap(({ rule, isInput }) => {
      const range = done.get(rule.name);
      return range && isInput(series) ? [{ fromMs: range.sinceMs, toMs: range.doneMs }] : [];
    });
}

async function readDone(table: Table, tenant: string): Promise<Map<string, { sinceMs: number; doneMs: number }>> {
  const done = new Map<string, { sinceMs: number; doneMs: number }>();
  let after: string | undefined;
  do {
    const page = await retry(() => table.query({ pk: partition(tenant), after }));
    for (const item of page.items) done.set(item.sk, { sinceMs: Number(item.sinceMs), doneMs: Number(item.doneMs) });
    after = page.next;
  } while (after !== undefined);
  return done;
}

function partition(tenant: string): string {
  return `aggregation/${tenant}`;
}
