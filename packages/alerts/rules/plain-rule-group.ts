import { formatDuration } from '#core/duration.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Rule, RuleGroup } from './rule.ts';

/** A rule group in plain values, to be written as YAML that reads the same again; what is not set is left out. */
export function plainRuleGroup({ name, intervalMs, queryOffsetMs, limit, labels, rules }: RuleGroup): Record<string, unknown> {
  return {
    name,
    ...(intervalMs !== undefined && { interval: formatDuration(intervalMs) }),
    ...(queryOffsetMs !== undefined && { query_offset: formatDuration(queryOffsetMs) }),
    ...(limit !== 0 && { limit }),
    ...setOf('labels', labels),
    rules: rules.map((rule) => plainRule(rule, labels)),
  };
}

function plainRule(rule: Rule, groupLabels: LabelSet): Record<string, unknown> {
  const own = Object.entries(rule.labels).filter(([name, value]) => groupLabels[name] !== value);
  const labels = setOf('labels', Object.fromEntries(own));
  if (rule.kind === 'record') return { record: rule.name, expr: rule.expr, ...labels };
  return {
    alert: rule.name,
    expr: rule.expr,
    ...(rule.forMs > 0 && { for: formatDuration(rule.forMs) }),
    ...(rule.keepFiringForMs > 0 && { keep_firing_for: formatDuration(rule.keepFiringForMs) }),
    ...labels,
    ...setOf('annotations', rule.annotations),
  };
}

function setOf(field: string, set: LabelSet): Record<string, LabelSet> {
  return Object.keys(set).length > 0 ? { [field]: set } : {};
}
