import type { GroupResult } from '#alerts/rules/evaluate-group.ts';
import { GRACE_MS, restorePending, type SeenActive } from '#alerts/rules/restore-pending.ts';
import type { AlertingRule, RuleGroup } from '#alerts/rules/rule.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import { forStateSeries, type RuleState } from '#alerts/rules/rule-state.ts';
import { isOpsError } from '#core/errors.ts';
import { seriesKey } from '#model/series.ts';
import type { Query } from '#ports/query.ts';

export interface LostGroup {
  readonly tenant: string;
  readonly group: RuleGroup;
  /** Of the first evaluation of a group of which nothing is remembered. */
  readonly result: GroupResult;
  readonly atMs: number;
}

/**
 * Gives the alerts of a group that is evaluated for the first time, or whose state got lost, their pending time back from `ALERTS_FOR_STATE`, in
 * the state and in the samples that are written now: a repeat after a crash finds the same again.
 */
export async function restoreLost({ query }: { query: Query }, { tenant, group, result, atMs }: LostGroup): Promise<GroupResult> {
  const written = new Map<string, number>();
  const states: RuleState[] = [];
  for (const [i, state] of result.states.entries()) {
    const rule = group.rules[i];
    const isWaiting = rule && rule.kind !== 'record' && rule.forMs >= GRACE_MS && state.alerts.some(({ phase }) => phase === 'pending');
    const restored = isWaiting ? restorePending(rule, state, await readSeen(query, tenant, rule, result.samplesAtMs), atMs) : state;
    for (const [j, alert] of restored.alerts.entries()) {
      if (alert.activeAtMs === state.alerts[j]?.activeAtMs) continue;
      written.set(seriesKey(forStateSeries(restored, alert)), Math.floor(alert.activeAtMs / 1_000));
    }
    states.push(restored);
  }
  if (written.size === 0) return result;
  const samples = result.samples.map((sample): RuleSample => {
    const value = written.get(seriesKey(sample.series));
    return value === undefined || sample.stale ? sample : { ...sample, value };
  });
  return { ...result, states, samples, difference: 'alerts' };
}

/** What the last samples before now said, as far back as an hour; nothing where that cannot be asked. */
async function readSeen(query: Query, tenant: string, { name }: AlertingRule, atMs: number): Promise<Map<string, SeenActive>> {
  const selector = `ALERTS_FOR_STATE{alertname=${JSON.stringify(name)}}`;
  const ask = async (expr: string) => {
    const { samples } = await query.instant({ tenant, expr, atMs: atMs - 1 });
    return new Map(samples.map(({ series, value }) => [series.json, value]));
  };
  try {
    const seenAt = await ask(`max_over_time(timestamp(${selector})[1h:1m])`);
    const seen = new Map<string, SeenActive>();
    for (const [labels, activeAt] of await ask(`last_over_time(${selector}[1h])`)) {
      const seenAtS = seenAt.get(labels);
      if (seenAtS !== undefined) seen.set(labels, { activeAtMs: activeAt * 1_000, seenAtMs: seenAtS * 1_000 });
    }
    return seen;
  } catch (error) {
    if (!isOpsError(error) || error.kind === 'unavailable') throw error;
    return new Map();
  }
}
