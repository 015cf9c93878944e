import { compileAnchored } from '#core/re2.ts';
import type { Label, Series } from '#model/series.ts';
import { isOutput } from './aggregate-output.ts';
import type { Effect, SeriesRule, ValueCheck } from './effect.ts';
import { compileRelabel } from './relabel.ts';
import type { AggregateRule, EnrichRule, LookupTable, PipelineRule, RouteRule, ValidateRule } from './rule.ts';
import { compileSelector } from './selector.ts';
import { labelValue, showSeries, withLabels } from './series-labels.ts';

/** Tables by the file that a rule names. */
export type LookupTables = ReadonlyMap<string, LookupTable>;

/** What a rule needs beside itself. */
export interface RuleContext {
  readonly tables: LookupTables;
  /** Every aggregate rule of the same list. */
  readonly aggregates: readonly AggregateRule[];
}

/** The effect of any rule but `calculate`, on the series that its `match` selects. */
export function compileSeriesRule(rule: PipelineRule, context: RuleContext): SeriesRule {
  const apply = compileEffect(rule, context);
  if (rule.filter !== undefined) return compileFilter(rule.filter, rule.match);
  if (rule.match === undefined) return apply;
  const matches = compileSelector(rule.match);
  return (series) => (matches(series) ? apply(series) : undefined);
}

function compileEffect(rule: PipelineRule, { tables, aggregates }: RuleContext): SeriesRule {
  if (rule.validate) return compileValidate(rule.name, rule.validate);
  if (rule.enrich) return compileEnrich(rule.enrich, tables);
  if (rule.map) return compileMap(compileRelabel(rule.map));
  if (rule.route) return compileRoute(rule.route);
  if (rule.aggregate) return (series) => (isOutput(aggregates, series.metric) ? undefined : { kind: 'mark' }); // the pass itself comes later
  return () => undefined;
}

function compileFilter(action: 'keep' | 'drop', match: string | undefined): SeriesRule {
  const matches = compileSelector(match);
  return (series) => (matches(series) === (action === 'drop') ? { kind: 'drop' } : undefined);
}

function compileMap(relabel: (series: Series) => Series | undefined): SeriesRule {
  return (series) => {
    const changed = relabel(series);
    if (!changed) return { kind: 'drop' };
    return changed === series ? undefined : { kind: 'change', series: changed };
  };
}

function compileRoute(rule: RouteRule): SeriesRule {
  const effect: Effect = { kind: 'route', to: { tenant: rule.tenant, retentionClass: rule.retentionClass } };
  return () => effect;
}

function compileEnrich(rule: EnrichRule, tables: LookupTables): SeriesRule {
  const fixed = toLabels(rule.labels);
  const { lookup } = rule;
  const rows = lookup && new Map(Object.entries(tables.get(lookup.table) ?? {}).map(([key, labels]) => [key, toLabels(labels)]));
  const fallback = toLabels(lookup?.default);
  return (series) => {
    const found = lookup && rows ? (rows.get(labelValue(series, lookup.by)) ?? fallback) : [];
    const wanted = [...fixed, ...found].filter(({ name }) => rule.overwrite || labelValue(series, name) === '');
    const changed = withLabels(series, wanted);
    return changed === series ? undefined : { kind: 'change', series: changed };
  };
}

function toLabels(labels: Readonly<Record<string, string>> | undefined): readonly Label[] {
  return Object.entries(labels ?? {}).map(([name, value]) => ({ name, value }));
}

function compileValidate(name: string, rule: ValidateRule): SeriesRule {
  const findFault = compileFaults(rule);
  const tag = toLabels(rule.tag);
  return (series) => {
    const fault = findFault(series);
    const tagged = rule.action === 'tag' ? withLabels(series, tag) : undefined;
    if (fault !== undefined)
      return tagged ? changeTo(series, tagged) : { kind: 'reject', message: `rule "${name}": ${fault} in ${showSeries(series)}` };
    return rule.value && { kind: 'check', check: compileCheck(name, rule.value, series, tagged) };
  };
}

function changeTo(from: Series, to: Series): Effect | undefined {
  return from === to ? undefined : { kind: 'change', series: to };
}

function compileFaults(rule: ValidateRule): (series: Series) => string | undefined {
  const metricName = rule.metricName === undefined ? undefined : compileAnchored(rule.metricName);
  const labelNames = rule.labelNames === undefined ? undefined : compileAnchored(rule.labelNames);
  const labelValues = Object.entries(rule.labelValues ?? {}).map(([label, pattern]) => ({ label, regex: compileAnchored(pattern) }));
  return (series) => {
    const absent = rule.requiredLabels?.find((label) => labelValue(series, label) === '');
    if (absent !== undefined) return `label ${JSON.stringify(absent)} is missing`;
    if (metricName && !metricName.test(series.metric)) return `the metric's name does not match ${metricName.source}`;
    const odd = labelNames && series.labels.find((label) => !labelNames.test(label.name));
    if (odd) return `the label name ${JSON.stringify(odd.name)} does not match ${labelNames.source}`;
    const wrong = labelValues.find(({ label, regex }) => {
      const value = labelValue(series, label);
      return value !== '' && !regex.test(value);
    });
    return wrong && `label ${JSON.stringify(wrong.label)} does not match ${wrong.regex.source}`;
  };
}

function compileCheck(name: string, bounds: NonNullable<ValidateRule['value']>, series: Series, onFail: Series | undefined): ValueCheck {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, allowNaN } = bounds;
  return {
    passes: (value) => (value >= min && value <= max) || (allowNaN && Number.isNaN(value)),
    describe: (value) => `rule "${name}": the value ${value} is not within ${min} to ${max} in ${showSeries(series)}`,
    onFail,
  };
}
