import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correlate, NO_INCIDENTS } from '#alerts/incidents/correlate.ts';
import type { Incident, IncidentState } from '#alerts/incidents/incident.ts';
import { decodeIncidents, encodeIncidents } from '#alerts/incidents/incident-codec.ts';
import { learnStarts, NOTHING_LEARNED } from '#alerts/incidents/learned.ts';
import { DEFAULT_SETTINGS } from '#alerts/incidents/settings.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { Alert } from '#model/alert.ts';
import { alertOf, byFingerprint, minute, partitionOf } from './make-alerts.ts';

const value = fc.constantFrom('', '1', '2', '3', '4', '5', '6');
const alert = fc
  .record({ i: fc.nat(30), node: value, disk: value, pod: value, start: fc.integer({ min: 0, max: 20 }) })
  .map(({ i, start, ...labels }) =>
    alertOf(Object.fromEntries([['alertname', `A${i}`], ...Object.entries(labels).filter(([, text]) => text !== '')]), start),
  );
const alerts = fc.uniqueArray(alert, { selector: ({ labels }) => fingerprintLabels(labels), maxLength: 30 });

const settings = DEFAULT_SETTINGS;
const NOW = 20 * minute;

/** Correlates lists of alerts one after the other at one time, each together with those before. */
function arrive(lists: readonly (readonly Alert[])[]): IncidentState {
  let state = NO_INCIDENTS;
  let there: Alert[] = [];
  for (const list of lists) {
    there = [...there, ...list];
    state = correlate({ state, alerts: byFingerprint(there), settings, nowMs: NOW }).state;
  }
  return state;
}

/** Components of: shares a label value and began within the window. */
function bruteForce(all: readonly Alert[]): string[] {
  const groups = all.map((each) => new Set([each]));
  for (let i = 0; i < all.length; i++) {
    for (let k = 0; k < i; k++) {
      const [a, b] = [all[i] as Alert, all[k] as Alert];
      const isNear = Math.abs(a.startsAtMs - b.startsAtMs) <= settings.windowMs;
      if (!isNear || !Object.entries(a.labels).some(([name, text]) => b.labels[name] === text)) continue;
      const [of, other] = [groups[i] as Set<Alert>, groups[k] as Set<Alert>];
      if (of === other) continue;
      for (const each of other) of.add(each);
      for (const [j, group] of groups.entries()) if (group === other) groups[j] = of;
    }
  }
  return [...new Set(groups)]
    .map((group) =>
      [...group]
        .map(({ labels }) => fingerprintLabels(labels))
        .sort()
        .join(),
    )
    .sort();
}

describe('correlation', () => {
  it('finds what comparing every pair finds', () => {
    fc.assert(fc.property(alerts, (all) => void expect(partitionOf(arrive([all]))).toEqual(bruteForce(all))));
  });

  it('comes to the same in any order, and however the alerts come in parts', () => {
    fc.assert(
      fc.property(alerts, fc.infiniteStream(fc.nat(2)), fc.infiniteStream(fc.nat()), (all, parts, order) => {
        const whole = arrive([all]);
        const shuffled = all
          .map((each) => [order.next().value, each] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, each]) => each);
        const once = arrive([shuffled]);
        expect(once).toEqual({ ...whole, alerts: once.alerts, clusters: once.clusters });
        expect(partitionOf(once)).toEqual(partitionOf(whole));
        const split: Alert[][] = [[], [], []];
        for (const each of shuffled) split[parts.next().value as number]?.push(each);
        expect(partitionOf(arrive(split))).toEqual(partitionOf(whole));
        expect(partitionOf(arrive([...split].reverse()))).toEqual(partitionOf(whole));
      }),
    );
  });

  it('learns the same in any order and in parts', () => {
    fc.assert(
      fc.property(alerts, alerts, (a, b) => {
        const learn = (...lists: readonly Alert[][]) =>
          learnStarts(
            lists.reduce((learned, list) => learnStarts(learned, list, 5 * minute, 5 * minute), NOTHING_LEARNED),
            [],
            5 * minute,
            60 * minute,
          );
        const unordered = (learned: ReturnType<typeof learn>) => JSON.parse(JSON.stringify(learned));
        expect(unordered(learn(a, b))).toEqual(unordered(learn(b, a)));
        expect(unordered(learn([...a, ...b]))).toEqual(unordered(learn(a, b)));
      }),
    );
  });
});

/** Alerts that begin and end at will, looked at a minute at a time. */
const lives = fc.array(fc.tuple(alert, fc.integer({ min: 1, max: 15 })), { maxLength: 25 }).map((pairs) => {
  const all = pairs.map(([each, length]) => ({ ...each, endsAtMs: each.startsAtMs + length * minute }));
  return [...byFingerprint(all).values()];
});

describe('over time', () => {
  it('no alert is in two clusters, none in two open incidents, histories only grow, and all comes to an end', () => {
    fc.assert(
      fc.property(lives, (all) => {
        let state = NO_INCIDENTS;
        const seen = new Map<string, Incident>();
        const opened = new Set<string>();
        const closed = new Set<string>();
        for (let at = 0; at <= 60; at++) {
          const nowMs = at * minute;
          const there = byFingerprint(all.filter(({ startsAtMs }) => startsAtMs <= nowMs));
          const step = correlate({ state, alerts: there, settings, nowMs });
          const members = step.state.clusters.flatMap((cluster) => cluster.members);
          expect(new Set(members).size).toBe(members.length);
          expect([...step.state.alerts.keys()].sort()).toEqual([...members].sort());
          const gone = step.changes.flatMap((change) =>
            change.kind === 'resolved' ? [change.incident] : change.kind === 'merged' ? [change.from] : [],
          );
          for (const change of step.changes) if (change.kind === 'opened') opened.add(change.incident.id);
          for (const incident of [...gone, ...step.state.clusters.flatMap((cluster) => cluster.incident ?? [])]) {
            const before = seen.get(incident.id)?.history ?? [];
            expect(incident.history.slice(0, before.length)).toEqual(before);
            expect(closed.has(incident.id)).toBe(false);
            seen.set(incident.id, incident);
          }
          for (const { id } of gone) closed.add(id);
          state = decodeIncidents(encodeIncidents({ state: step.state, pending: [] })).state;
        }
        expect([state.clusters, state.alerts.size, closed]).toEqual([[], 0, opened]);
      }),
      { numRuns: 50 },
    );
  });
});
