import type { AggregateRule } from './rule.ts';

/** The template of an aggregate's name: `*` stands for the input's. */
function outputTemplate(rule: AggregateRule): string {
  return rule.metric ?? `*:${rule.op}`;
}

/** The name of the aggregate of a metric. */
export function outputMetric(rule: AggregateRule, metric: string): string {
  return outputTemplate(rule).replace('*', () => metric);
}

/** True for a metric that one of the rules may itself have written: such a one is input to none, or each pass would feed the next. */
export function isOutput(rules: readonly AggregateRule[], metric: string): boolean {
  return rules.some((rule) => {
    const [prefix = '', suffix] = outputTemplate(rule).split('*');
    if (suffix === undefined) return metric === prefix;
    return metric.length > prefix.length + suffix.length && metric.startsWith(prefix) && metric.endsWith(suffix);
  });
}
