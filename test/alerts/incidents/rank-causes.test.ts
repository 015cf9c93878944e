import { describe, expect, it } from 'vitest';
import type { Member } from '#alerts/incidents/incident.ts';
import { type Learned, NOTHING_LEARNED } from '#alerts/incidents/learned.ts';
import { rankCauses } from '#alerts/incidents/rank-causes.ts';
import { DEFAULT_SETTINGS } from '#alerts/incidents/settings.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { LabelSet } from '#model/alert.ts';

function member(labels: LabelSet, startS = 0): Member {
  return { fingerprint: fingerprintLabels(labels), labels, startsAtMs: startS * 1_000 };
}

const learned: Learned = { ...NOTHING_LEARNED, windows: 10, names: { A: 9, B: 9 }, pairs: { 'A\u0000B': [9, 1, 8] } };
const rank = (members: readonly Member[], known = NOTHING_LEARNED) => rankCauses({ members, learned: known, settings: DEFAULT_SETTINGS });
const pods = (count: number, more: LabelSet = {}) =>
  Array.from({ length: count }, (_, i) => member({ alertname: 'PodDown', node: 'n1', pod: `p${i}`, ...more }));

describe('the first among probable causes', () => {
  const table: readonly [string, readonly Member[], string, Learned?][] = [
    ['is what began first', [member({ alertname: 'A' }, 60), member({ alertname: 'B' })], 'B'],
    ['is what the labels of the others lie within', [...pods(5), member({ alertname: 'NodeDown', node: 'n1' })], 'NodeDown'],
    [
      'is what the others name as what they depend on',
      [member({ alertname: 'A', service: 'web', depends_on: 'db' }), member({ alertname: 'B', service: 'db' })],
      'B',
    ],
    ['is what came first in the past', [member({ alertname: 'A' }), member({ alertname: 'B' })], 'B', learned],
    ['is what is most severe', [member({ alertname: 'A', severity: 'info' }), member({ alertname: 'B', severity: 'critical' })], 'B'],
    ['is not what has no labels at all', [...pods(5), member({ alertname: 'Watchdog' }, 300)], 'PodDown'],
  ];
  it.each(table)('%s', (_, members, expected, known) => {
    expect(rank(members, known)[0]?.labels.alertname).toBe(expected);
  });

  it('has its evidence as numbers and in words', () => {
    const [cause] = rank([
      ...pods(4, { depends_on: 'node' }),
      member({ alertname: 'NodeDown', node: 'n1', service: 'node', severity: 'critical' }, 30),
    ]);
    expect(cause).toMatchObject({
      labels: { alertname: 'NodeDown' },
      evidence: { earliness: 0.667, fanOut: 0, upstream: 1, precedence: 0, severity: 1 },
      score: 0.5,
      sentence:
        'NodeDown{node="n1", service="node", severity="critical"} began 30 s after the first; 100 % of the other alerts name it as what they depend on; its severity is critical',
    });
  });

  it('is the same whatever the order of the alerts', () => {
    const members = [...pods(50), member({ alertname: 'NodeDown', node: 'n1' }, 20), member({ alertname: 'A' }, 5)];
    expect(rank([...members].reverse())).toEqual(rank(members));
  });

  it('is one of a few, of however many alerts', () => {
    expect(rank(pods(20_000))).toHaveLength(5);
    expect(rank([])).toEqual([]);
  });
});
