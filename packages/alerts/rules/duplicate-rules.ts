import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';
import type { RuleGroup } from './rule.ts';

/** A name and labels that more than one rule has. */
export interface DuplicateRule {
  readonly metric: string;
  readonly labels: LabelSet;
}

/** Rules of the same name and labels, across groups, each once and in order: for recordings a sure mistake, for alerts a likely one. */
export function findDuplicateRules(groups: readonly RuleGroup[]): DuplicateRule[] {
  const counts = new Map<string, { readonly rule: DuplicateRule; count: number }>();
  for (const { name: metric, labels } of groups.flatMap(({ rules }) => rules)) {
    const key = `${metric}\u0000${JSON.stringify(Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b)))}`;
    const known = counts.get(key) ?? { rule: { metric, labels }, count: 0 };
    known.count++;
    counts.set(key, known);
  }
  return [...counts]
    .filter(([, { count }]) => count > 1)
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([, { rule }]) => rule);
}
