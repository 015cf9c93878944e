import { describe, expect, it } from 'vitest';
import { NO_INCIDENTS } from '#alerts/incidents/correlate.ts';
import type { IncidentSettings } from '#alerts/incidents/settings.ts';
import type { Alert } from '#model/alert.ts';
import { alertOf, kindsOf, minute, openIncidents, runAt } from './make-alerts.ts';

const named = (alertname: string, labels: Record<string, string> = {}, at = 0, until?: number) =>
  alertOf({ alertname, ...labels }, at, until);

const table: readonly [string, readonly Alert[], Partial<IncidentSettings>, readonly string[]][] = [
  ['puts alerts together that share a label value', [named('A', { node: 'n1' }), named('B', { node: 'n1' })], {}, ['A+B']],
  ['puts alerts of one name together', [named('A', { pod: 'x' }), named('A', { pod: 'y' })], {}, ['A+A']],
  ['leaves alerts apart that share nothing', [named('A', { node: 'n1' }), named('B', { node: 'n2' })], {}, []],
  ['takes one alert for no incident', [named('A')], {}, []],
  ['takes one alert for one where that is set', [named('A')], { minAlerts: 1 }, ['A']],
  ['leaves alerts apart that began too far apart', [named('A', { node: 'n1' }), named('B', { node: 'n1' }, 6)], {}, []],
  [
    'follows a chain of alerts that are each near to the next',
    [named('A', { node: 'n1' }), named('B', { node: 'n1' }, 4), named('C', { node: 'n1' }, 8)],
    {},
    ['A+B+C'],
  ],
  [
    'ends a chain where it gets too long',
    [named('A', { node: 'n1' }), named('B', { node: 'n1' }, 4), named('C', { node: 'n1' }, 8)],
    { spanMs: 5 * minute },
    ['A+B'],
  ],
  [
    'follows shared values from alert to alert',
    [named('A', { node: 'n1' }), named('B', { node: 'n1', disk: 'd' }), named('C', { disk: 'd' })],
    {},
    ['A+B+C'],
  ],
  ['does not go by labels that say nothing', [named('A', { severity: 'page' }), named('B', { severity: 'page' })], {}, []],
  [
    'keeps apart what differs in a group label',
    [named('A', { dc: 'x', job: 'j' }), named('A', { dc: 'y', job: 'j' }), named('B', { dc: 'x', job: 'j' })],
    { groupLabels: ['dc'] },
    ['A+B'],
  ],
  ['wants more where more is asked for', [named('A', { node: 'n1' }), named('B', { node: 'n1' })], { linkBits: 1.5 }, []],
  ['adds up what is shared', [named('A', { node: 'n1', job: 'j' }), named('B', { node: 'n1', job: 'j' })], { linkBits: 1.5 }, ['A+B']],
  [
    'puts together what is declared, whatever else they share',
    [named('A', { site: 's' }), named('B', { site: 's' }, 9), named('C', { site: 't' })],
    { linkBits: 99, declared: [{ name: 'site', matchers: [], labels: ['site'], windowMs: 10 * minute }] },
    ['A+B'],
  ],
  [
    'holds a declaration to its matchers',
    [named('A', { site: 's' }), named('B', { site: 's' }), named('C', { site: 's' })],
    {
      linkBits: 99,
      declared: [{ name: 'x', matchers: [{ name: 'alertname', op: '=~', value: 'A|C' }], labels: ['site'], windowMs: minute }],
    },
    ['A+C'],
  ],
  [
    'takes any name',
    ['constructor', '__proto__', 'toString'].map((name) => named(name, { node: 'n1' })),
    {},
    ['__proto__+constructor+toString'],
  ],
  ['takes no alert of an incident for a part of one', [named('Incident', { node: 'n1' }), named('A', { node: 'n1' })], {}, []],
];

describe('correlation', () => {
  it.each(table)('%s', (_, alerts, settings, expected) => {
    const last = Math.max(...alerts.map(({ startsAtMs }) => startsAtMs / minute));
    expect(openIncidents(runAt([last], alerts, settings).state)).toEqual(expected);
    const minutes = [...new Set(alerts.map(({ startsAtMs }) => startsAtMs / minute))].sort((a, b) => a - b);
    expect(openIncidents(runAt(minutes, alerts, settings).state)).toEqual(expected);
  });
});

describe('an incident', () => {
  it('is opened, joined, and resolved once nothing of it has fired for a time, with all of it in its history', () => {
    const alerts = [
      named('A', { node: 'n1', severity: 'warning' }, 0, 10),
      named('B', { node: 'n1' }, 1, 8),
      named('C', { node: 'n1', severity: 'critical' }, 3, 12),
    ];
    const { steps, state } = runAt([0, 1, 3, 8, 12, 16, 17], alerts);
    expect(steps.map(({ changes }) => changes.map(({ kind }) => kind).join())).toEqual(['', 'opened', '', '', '', '', 'resolved']);
    const resolved = steps.at(-1)?.changes[0]?.incident;
    expect(resolved?.history.map(({ atMs, kind, text }) => `${atMs / minute} ${kind}: ${text}`)).toEqual([
      '1 opened: opened with 2 alerts: A and 1 more alert of 2 kinds',
      '3 joined: 1 more alert',
      '3 severity: severity rose from warning to critical',
      '8 ended: 1 alert ended; 2 fire now',
      '12 ended: 2 alerts ended; 0 fire now',
      '17 resolved: resolved: nothing of it fires since 1970-01-01T00:12:00.000Z',
    ]);
    expect(resolved).toMatchObject({
      status: 'resolved',
      alerts: 3,
      firing: 0,
      severity: 'critical',
      labels: { node: 'n1' },
      closedAtMs: 17 * minute,
    });
    expect([state.alerts.size, state.clusters]).toEqual([0, []]);
  });

  it('says when it is to be looked at again', () => {
    const { steps } = runAt([0, 8], [named('A', { n: '1' }, 0, 8), named('B', { n: '1' }, 0, 6)]);
    expect(steps.map(({ nextMs }) => (nextMs ?? 0) / minute)).toEqual([6, 13]);
  });

  it('goes on where an alert fires again before it is over', () => {
    const again = (until: number) => [named('A', { n: '1' }, 0, until), named('B', { n: '1' }, 0, 2)];
    const first = runAt([0, 2], again(2));
    const second = runAt([4, 30], again(30), {}, first.state);
    expect(second.steps.map(({ changed }) => changed.map(kindsOf))).toEqual([
      ['opened,ended,fired-again'],
      ['opened,ended,fired-again,ended'],
    ]);
  });

  it('takes in another one that turns out to be the same', () => {
    const alerts = [
      ...[named('A', { node: 'n1' }), named('B', { node: 'n1' })],
      ...[named('C', { disk: 'd' }, 1), named('D', { disk: 'd' }, 1)],
      named('E', { node: 'n1', disk: 'd' }, 2),
    ];
    const { steps, state } = runAt([0, 1, 2], alerts);
    expect(openIncidents(state)).toEqual(['A+B+C+D+E']);
    const [merged] = steps[2]?.changes ?? [];
    if (merged?.kind !== 'merged') throw new Error('not merged');
    expect(merged.incident.id < merged.from.id).toBe(true);
    expect(merged.from).toMatchObject({ status: 'merged', mergedInto: merged.incident.id, alerts: 2 });
    expect(kindsOf(merged.from)).toBe('opened,merged');
    expect(state.clusters.map(({ incident }) => incident && kindsOf(incident))).toEqual(['opened,merged,joined']);
  });

  it('keeps the alert of a single one in mind for a window, and no longer', () => {
    const alerts = [named('A', { node: 'n1' }, 0, 1), named('B', { node: 'n1' }, 4)];
    expect(openIncidents(runAt([0, 1, 4], alerts).state)).toEqual(['A+B']);
    expect(runAt([0, 1, 7], [named('A', { node: 'n1' }, 0, 1)]).state.alerts.size).toBe(0);
  });

  it('ends with alerts that are no longer there', () => {
    const both = [named('A', { n: '1' }), named('B', { n: '1' })];
    const first = runAt([0], both);
    const { steps } = runAt([1, 6], [], {}, first.state);
    expect(steps.map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([[], ['resolved']]);
  });

  it('is the same state where nothing has changed', () => {
    const { steps, state } = runAt([0], [named('A', { n: '1' }), named('B', { n: '1' })]);
    const again = runAt([1], [named('A', { n: '1' }), named('B', { n: '1' })], {}, state);
    expect([again.steps[0]?.state, steps.length]).toEqual([state, 1]);
    expect(runAt([0], []).steps[0]?.state).toBe(NO_INCIDENTS);
  });
});
