import { observeDetector } from '#alerts/detectors/observe-detector.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';
import { seriesKey } from '#model/series.ts';
import type { Query } from '#ports/query.ts';
import { endAlert, evaluateAlertRule } from './evaluate-alert-rule.ts';
import { evaluateRecordingRule } from './evaluate-recording-rule.ts';
import type { RenderTemplate } from './expand-alert.ts';
import type { Rule, RuleGroup } from './rule.ts';
import {
  type AlertChange,
  addRecorded,
  failRule,
  type RuleResult,
  type RuleSample,
  type StateDifference,
  staleMarkers,
} from './rule-result.ts';
import { newRuleState, type RuleState, ruleKey, writtenSeries } from './rule-state.ts';

export interface EvaluateGroupDeps {
  readonly query: Query;
  readonly render: RenderTemplate;
  /** Makes samples visible to what `query` is asked next: a rule sees what the rules before it gave in the same evaluation. */
  readonly append: (samples: readonly RuleSample[], tMs: number) => void;
}

export interface EvaluateGroupInput {
  readonly tenant: string;
  readonly group: RuleGroup;
  /** As `evaluateGroup` gave them last, in any order; of rules that are new there is none. */
  readonly states: readonly RuleState[];
  readonly atMs: number;
  /** For a group that has no `query_offset` of its own. */
  readonly queryOffsetMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one evaluation of a group comes to. */
export interface GroupResult {
  /** One for each rule, in order. */
  readonly states: readonly RuleState[];
  /** All of them at `samplesAtMs`. No series twice, but for stale markers, over which a number wins. */
  readonly samples: readonly RuleSample[];
  readonly samplesAtMs: number;
  readonly changes: readonly AlertChange[];
  readonly difference: StateDifference;
  /** What made rules fail. Where one is `unavailable`, the evaluation may be thrown away and made again later; that is the caller's choice. */
  readonly errors: readonly OpsError[];
}

/**
 * Evaluates the rules of a group at one time, one after another; what each writes is appended before the next is asked. An expression that fails
 * marks its rule and stops no other; only an aborted signal stops all. Rules that are gone from the group get stale markers for their
 * series, and their firing alerts are told as resolved.
 */
export async function evaluateGroup(deps: EvaluateGroupDeps, input: EvaluateGroupInput): Promise<GroupResult> {
  const { group, atMs } = input;
  const samplesAtMs = atMs - (group.queryOffsetMs ?? input.queryOffsetMs ?? 0);
  const known = statesByKey(input.states);
  const results: RuleResult[] = [];
  const refuseDuplicates = makeDuplicateCheck(group);
  const errors: OpsError[] = [];
  for (const rule of group.rules) {
    const state = known.get(ruleKey(rule))?.shift() ?? newRuleState(rule);
    const evaluated = await evaluateRule(deps, input, rule, state, samplesAtMs).catch((error: unknown) => {
      if (!isOpsError(error) || input.signal?.aborted) throw error;
      errors.push(error);
      return failRule(state, error.message);
    });
    const result = refuseDuplicates(rule, evaluated);
    deps.append(result.samples, samplesAtMs);
    results.push(result);
  }
  const retired = [...known.values()].flat();
  const written = results.flatMap(({ samples }) => samples);
  const { samples, changes } = retireRules(retired, written, atMs);
  deps.append(samples, samplesAtMs);
  return {
    states: results.map(({ state }) => state),
    samples: [...written, ...samples],
    samplesAtMs,
    changes: [...results.flatMap((result, i) => ofRule(group.rules[i] as Rule, result.changes)), ...changes],
    difference: retired.length > 0 ? 'alerts' : largest(results.map(({ difference }) => difference)),
    errors,
  };
}

function ofRule({ expr }: Rule, changes: readonly AlertChange[]): AlertChange[] {
  return changes.map((change) => ({ ...change, expr }));
}

/** What is left to do for rules that there are no more: stale markers for series that nobody writes now, and an end to their alerts. */
export function retireRules(
  states: readonly RuleState[],
  written: readonly RuleSample[],
  atMs: number,
): { readonly samples: readonly RuleSample[]; readonly changes: readonly AlertChange[] } {
  const firing = states.flatMap(({ alerts }) => alerts.filter(({ phase }) => phase === 'firing'));
  return { samples: staleMarkers(states.flatMap(writtenSeries), written), changes: firing.map((alert) => endAlert(alert, atMs)) };
}

/** States by the key of their rule; rules of one key keep their order among themselves. */
export function statesByKey(states: readonly RuleState[]): Map<string, RuleState[]> {
  const byKey = new Map<string, RuleState[]>();
  for (const state of states) {
    const key = ruleKey(state);
    const same = byKey.get(key);
    if (same) same.push(state);
    else byKey.set(key, [state]);
  }
  return byKey;
}

async function evaluateRule(
  { query, render }: EvaluateGroupDeps,
  { tenant, group, atMs, signal }: EvaluateGroupInput,
  rule: Rule,
  state: RuleState,
  queryAtMs: number,
): Promise<RuleResult> {
  const ask = async (expr: string) => (await query.instant({ tenant, expr, atMs: queryAtMs, signal })).samples;
  const { limit } = group;
  if (rule.kind === 'detector') {
    const observed = await observeDetector({ ask }, { detector: rule.detector, memory: state.memory, atMs: queryAtMs });
    const { vector, recorded = [], memory } = observed;
    const result = addRecorded(await evaluateAlertRule({ render }, { rule, state, vector, atMs, limit }), recorded);
    const difference = result.difference === 'none' && memory !== state.memory ? 'values' : result.difference;
    return { ...result, difference, state: { ...result.state, memory } };
  }
  const vector = await ask(rule.expr);
  if (rule.kind === 'alert') return await evaluateAlertRule({ render }, { rule, state, vector, atMs, limit });
  return evaluateRecordingRule({ rule, state, vector, atMs, limit });
}

/**
 * Takes from a result what an earlier rule of the group wrote otherwise for the same series, and marks the rule, as Prometheus' store does. Only
 * rules that share a name are looked at.
 */
function makeDuplicateCheck({ rules }: RuleGroup): (rule: Rule, result: RuleResult) => RuleResult {
  const shared = new Set(rules.map(({ name }) => name).filter((name, i, names) => names.indexOf(name) < i));
  const written = new Map<string, number>();
  return ({ name }, result) => {
    if (!shared.has(name)) return result;
    const samples = result.samples.filter(({ series, value, stale }) => {
      const key = seriesKey(series);
      const before = written.get(key);
      if (before === undefined && !stale) written.set(key, value);
      return before === undefined || stale || Object.is(before, value);
    });
    if (samples.length === result.samples.length) return result;
    return { ...result, samples, state: { ...result.state, error: 'duplicate sample for timestamp' }, difference: 'alerts' };
  };
}

function largest(differences: readonly StateDifference[]): StateDifference {
  if (differences.includes('alerts')) return 'alerts';
  return differences.includes('values') ? 'values' : 'none';
}
