import type { Alert, LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { fingerprintLabels } from './fingerprint.ts';
import { isResolved } from './flush.ts';
import { labelValue } from './labels.ts';
import { compileMatchers } from './matchers.ts';

/** Alerts that match the target are held back while an alert that matches the source fires and agrees on all of `equal`. */
export interface InhibitRule {
  readonly name?: string | undefined;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  /** A label that both lack counts as equal. */
  readonly equal: readonly string[];
}

/** Which alert holds another one back, by which rule (its place in the configuration). */
export interface Inhibition {
  readonly rule: number;
  readonly source: string;
}

/** The first inhibition of an alert, or undefined. */
export type Inhibitor = (labels: LabelSet) => Inhibition | undefined;

interface Source {
  readonly alert: Pick<Alert, 'labels' | 'endsAtMs'>;
}

/** The sources of one rule under one combination of `equal` values: any, and one that is no target itself. */
interface Sources {
  any: Source;
  oneSided: Source | undefined;
}

/**
 * Indexes the alerts that fire by each rule and its `equal` labels: time grows with alerts x rules, not with pairs of alerts. An alert
 * that matches both sides of a rule is not held back by one that does too (else they would hold back each other).
 */
export function createInhibitor(
  rules: readonly InhibitRule[],
  alerts: Iterable<Pick<Alert, 'labels' | 'endsAtMs'>>,
  nowMs: number,
): Inhibitor {
  const compiled = rules.map(compileRule);
  for (const alert of alerts) {
    if (isResolved(alert, nowMs)) continue;
    for (const rule of compiled) if (rule.isSource(alert.labels)) addSource(rule, alert);
  }
  return (labels) => {
    for (const [i, rule] of compiled.entries()) {
      if (rule.sources.size === 0 || !rule.isTarget(labels)) continue;
      const sources = rule.sources.get(equalKey(rule.equal, labels));
      const source = sources && (rule.isSource(labels) ? sources.oneSided : sources.any);
      if (source) return { rule: i, source: fingerprintLabels(source.alert.labels) };
    }
    return undefined;
  };
}

interface CompiledRule {
  readonly equal: readonly string[];
  readonly isSource: (labels: LabelSet) => boolean;
  readonly isTarget: (labels: LabelSet) => boolean;
  readonly sources: Map<string, Sources>;
}

function compileRule({ sourceMatchers, targetMatchers, equal }: InhibitRule): CompiledRule {
  return {
    equal: [...new Set(equal)],
    isSource: compileMatchers(sourceMatchers),
    isTarget: compileMatchers(targetMatchers),
    sources: new Map(),
  };
}

function addSource(rule: CompiledRule, alert: Source['alert']): void {
  const key = equalKey(rule.equal, alert.labels);
  const known = rule.sources.get(key);
  const source: Source = { alert };
  const oneSided = known?.oneSided ?? (rule.isTarget(alert.labels) ? undefined : source);
  if (known) known.oneSided = oneSided;
  else rule.sources.set(key, { any: source, oneSided });
}

function equalKey(equal: readonly string[], labels: LabelSet): string {
  let key = '';
  for (const name of equal) {
    const value = labelValue(labels, name);
    key += `${value.length}:${value}`;
  }
  return key;
}
