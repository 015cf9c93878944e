import { toAnomaly } from '#alerts/anomaly/anomaly-fields.ts';
import { evaluateGroup, type GroupResult } from '#alerts/rules/evaluate-group.ts';
import type { DetectorRule, RuleGroup } from '#alerts/rules/rule.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { createMemorySource, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import { makeNoise } from '#test/alerts/anomaly/made-series.ts';
import { minute, queryOver, rendererOver, seriesOf } from '#test/alerts/rules/make-rule.ts';

/** Distance of evaluations and samples, and how many a day has. */
export const step = 10 * minute;
export const day = 144;

/** A detector named `Odd` over `load`. */
export function anomalyRule(written: Partial<Parameters<typeof toAnomaly>[0]> = {}, more: Partial<DetectorRule> = {}): DetectorRule {
  const detector = toAnomaly({ expr: 'load', ...written }, 'Odd');
  const common = { forMs: 0, keepFiringForMs: 0, labels: {}, annotations: {} };
  return { kind: 'detector', name: 'Odd', expr: detector.expr, detector, ...common, ...more };
}

/** A group of one rule. */
export function groupOf(rule: DetectorRule): RuleGroup {
  return { name: 'g', intervalMs: step, queryOffsetMs: undefined, limit: 0, labels: {}, rules: [rule] };
}

/** A day's wave from 60 to 140 with noise; some samples may be set otherwise, to undefined for none. */
export function makeWave(count: number, change: (i: number, usual: number) => number | undefined = (_, usual) => usual) {
  return makeNoise(7, count).map((noise, i) => change(i, 100 + 40 * Math.sin((2 * Math.PI * i) / day) + noise));
}

/** A source of `load` of hosts. */
export function sourceOf(byHost: Readonly<Record<string, readonly (number | undefined)[]>>): MemorySource {
  const source = createMemorySource();
  for (const [host, values] of Object.entries(byHost)) {
    const samples = values.flatMap((value, i) => (value === undefined ? [] : [{ ts: i * step, value }]));
    source.append(seriesOf({ __name__: 'load', host }), samples);
  }
  return source;
}

/** One evaluation, whose samples are not stored. */
export async function evaluateOnce(
  source: MemorySource,
  rule: DetectorRule,
  states: readonly RuleState[],
  i: number,
): Promise<GroupResult> {
  const deps = { query: queryOver(source), render: rendererOver(source), append() {} };
  return await evaluateGroup(deps, { tenant: 't', group: groupOf(rule), states, atMs: i * step });
}

interface Span {
  readonly from?: number;
  readonly to: number;
  readonly states?: readonly RuleState[];
  /** What becomes of the states between two evaluations; as it is in the service: packed and unpacked. */
  readonly between?: (states: readonly RuleState[]) => readonly RuleState[];
}

/** Evaluations one after another, whose samples are stored. */
export async function evaluateSpan(source: MemorySource, rule: DetectorRule, span: Span): Promise<GroupResult[]> {
  const { from = 0, to, between = (states) => decodeRuleState(encodeRuleState(states)) } = span;
  let states = span.states ?? [];
  const results: GroupResult[] = [];
  for (let i = from; i < to; i++) {
    const result = await evaluateOnce(source, rule, states, i);
    for (const { series, value, stale } of result.samples) source.append(series, [{ ts: i * step, value, stale }]);
    results.push(result);
    states = between(result.states);
  }
  return results;
}
