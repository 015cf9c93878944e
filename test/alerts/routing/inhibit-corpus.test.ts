import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { createInhibitor, type InhibitRule } from '#alerts/routing/inhibition.ts';
import { inhibitRuleSettings } from '#alerts/routing/route-settings.ts';
import type { LabelSet } from '#model/alert.ts';
import { alertmanagerCorpus, readCases } from './corpus.ts';

interface Source {
  readonly labels: LabelSet;
  readonly endsAt: number | null;
}

const cases = readCases<{
  hasEqual: { name: string; sourceAlerts: Source[]; equal: string[]; target: LabelSet; hasEqual: boolean }[];
  muted: { name: string; rules: InhibitRule[]; activeSourceOfRule: Source[]; cases: { target: LabelSet; muted: boolean }[] }[];
  sequence: { rule: InhibitRule; cases: { alerts: Source[]; expected: { labels: LabelSet; muted: boolean }[] }[] };
  fingerprintEquals: { equal: string[]; same: LabelSet[]; different: LabelSet };
  config: { yaml: string; mode: 'classic' | 'utf8'; equal?: string[]; error?: string }[];
}>('inhibit.json');

const NOW = 1_700_000_000_000;
const all = { sourceMatchers: [], targetMatchers: [] };

function alert({ labels, endsAt }: Source) {
  return { labels, endsAtMs: endsAt === null ? Number.POSITIVE_INFINITY : NOW + endsAt * 1_000 };
}

describe.skipIf(alertmanagerCorpus === undefined)("inhibition, by Alertmanager's own cases", () => {
  it('finds sources that agree on all equal labels', () => {
    expect(cases.hasEqual).toHaveLength(5);
    for (const { name, sourceAlerts, equal, target, hasEqual } of cases.hasEqual) {
      // what is asked there is one side alone: the target matches nothing that the sources are
      const rule = { ...all, targetMatchers: [{ name: 'target', op: '=', value: 'yes' }], equal } as const;
      const inhibit = createInhibitor(
        [{ ...rule, sourceMatchers: [{ name: 'target', op: '!=', value: 'yes' }] }],
        sourceAlerts.map(alert),
        NOW,
      );
      expect([name, inhibit({ ...target, target: 'yes' }) !== undefined]).toEqual([name, hasEqual]);
    }
  });

  it('holds back the same targets', () => {
    expect(cases.muted.flatMap((one) => one.cases)).toHaveLength(16);
    for (const { name, rules, activeSourceOfRule, cases: own } of cases.muted) {
      const inhibit = createInhibitor(rules, activeSourceOfRule.map(alert), NOW);
      for (const { target, muted } of own) expect([name, target, inhibit(target) !== undefined]).toEqual([name, target, muted]);
    }
  });

  it('follows alerts that come and go', () => {
    const { rule, cases: own } = cases.sequence;
    expect(own).toHaveLength(3);
    for (const { alerts, expected } of own) {
      const current = new Map(alerts.map((one) => [fingerprintLabels(one.labels), alert(one)]));
      const inhibit = createInhibitor([rule], current.values(), NOW);
      for (const { labels, muted } of expected) expect([labels, inhibit(labels) !== undefined]).toEqual([labels, muted]);
    }
  });

  it('names the rule and the source', () => {
    const { equal, same, different } = cases.fingerprintEquals;
    const oneSided = createInhibitor(
      [
        {
          equal,
          sourceMatchers: [{ name: 'instance', op: '=', value: 'host1' }],
          targetMatchers: [{ name: 'instance', op: '!=', value: 'host1' }],
        },
      ],
      [{ labels: same[0] as LabelSet, endsAtMs: NOW + 1 }],
      NOW,
    );
    expect(oneSided(same[1] as LabelSet)).toEqual({ rule: 0, source: fingerprintLabels(same[0] as LabelSet) });
    expect(oneSided(different)).toBe(undefined);
  });

  it('is configured as there', () => {
    for (const { yaml, mode, equal, error } of cases.config) {
      const parsed = inhibitRuleSettings(mode, () => {}).safeParse(parse(yaml));
      if (error === undefined) expect(parsed.data?.equal).toEqual(equal);
      else expect(parsed.error?.issues.map(({ message }) => message)).toEqual([error]);
    }
  });
});
