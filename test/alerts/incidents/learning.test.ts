import { describe, expect, it } from 'vitest';
import { NO_INCIDENTS } from '#alerts/incidents/correlate.ts';
import { learnStarts, NOTHING_LEARNED, pairBits, valueBits } from '#alerts/incidents/learned.ts';
import { DAY_MS } from '#core/time.ts';
import type { Alert } from '#model/alert.ts';
import { alertOf, minute, openIncidents, runAt } from './make-alerts.ts';

const window = 5 * minute;

/** What `rounds` windows of the same alerts teach, each an hour after the one before. */
function learn(rounds: number, make: (round: number) => readonly Alert[]) {
  let learned = NOTHING_LEARNED;
  for (let round = 0; round < rounds; round++) {
    const starts = make(round).map((alert) => ({ ...alert, startsAtMs: alert.startsAtMs + round * 60 * minute }));
    learned = learnStarts(learned, starts, window, round * 60 * minute + minute);
  }
  return learnStarts(learned, [], window, rounds * 60 * minute);
}

describe('what is learned', () => {
  it('is how rare a label value is', () => {
    const learned = learn(20, (i) => [alertOf({ alertname: 'A', env: 'prod', rack: `r${i}` })]);
    expect(learned.windows).toBeCloseTo(20, 0);
    expect(valueBits(learned, 'env', 'prod')).toBeLessThan(0.1);
    expect(valueBits(learned, 'rack', 'r3')).toBeGreaterThan(3);
    expect(valueBits(NOTHING_LEARNED, 'env', 'prod')).toBe(1);
  });

  it('is which names begin together, and which first', () => {
    const learned = learn(20, (i) =>
      i % 4 === 0 ? [alertOf({ alertname: 'Cause' }), alertOf({ alertname: 'Effect' }, 1)] : [alertOf({ alertname: `X${i}` })],
    );
    expect(pairBits(learned, 'Cause', 'Effect')).toBeCloseTo(2, 0);
    expect(pairBits(learned, 'Effect', 'Cause')).toBe(pairBits(learned, 'Cause', 'Effect'));
    const [together, before, after] = learned.pairs['Cause\u0000Effect'] ?? [0, 0, 0];
    expect([Math.round(together), Math.round(before), after]).toEqual([5, 5, 0]);
  });

  it('says nothing of names that were together too seldom, or mostly apart', () => {
    const twice = learn(10, (i) =>
      i < 2 ? [alertOf({ alertname: 'A' }), alertOf({ alertname: 'B' })] : [alertOf({ alertname: `X${i}` })],
    );
    expect(pairBits(twice, 'A', 'B')).toBe(0);
    const apart = learn(20, (i) => [alertOf({ alertname: i % 4 === 0 ? 'A' : 'C' }), alertOf({ alertname: i % 4 < 2 ? 'B' : 'D' })]);
    expect(pairBits(apart, 'C', 'B')).toBe(0);
  });

  it('fades by half in thirty days', () => {
    const learned = learn(1, () => [alertOf({ alertname: 'A', env: 'prod' })]);
    const start = [{ labels: { alertname: 'B' }, startsAtMs: 30 * DAY_MS }];
    const later = learnStarts(learnStarts(learned, start, window, 30 * DAY_MS), [], window, 31 * DAY_MS);
    expect([later.windows, later.names.A, later.names.B]).toEqual([1.5, 0.5, 1]);
  });

  it('does not count a window while alerts may still come', () => {
    const open = learnStarts(NOTHING_LEARNED, [alertOf({ alertname: 'A' })], window, 9 * minute);
    expect([open.windows, learnStarts(open, [], window, 10 * minute).windows]).toEqual([0, 1]);
  });

  it('puts alerts together that share no label, and keeps those apart that share what everything has', () => {
    const pairs = learn(40, (i) =>
      i % 4 === 0
        ? [alertOf({ alertname: 'A', env: 'prod' }), alertOf({ alertname: 'B', env: 'prod' })]
        : [alertOf({ alertname: `X${i}`, env: 'prod' })],
    );
    const state = { ...NO_INCIDENTS, learned: pairs };
    const at = 41 * 60;
    const incidents = (alerts: readonly Alert[]) => openIncidents(runAt([at], alerts, {}, state).state);
    expect(incidents([alertOf({ alertname: 'A', node: 'n1' }, at), alertOf({ alertname: 'B', node: 'n2' }, at)])).toEqual(['A+B']);
    expect(incidents([alertOf({ alertname: 'A', env: 'prod' }, at), alertOf({ alertname: 'C', env: 'prod' }, at)])).toEqual([]);
    expect(incidents([alertOf({ alertname: 'A', rack: 'r' }, at), alertOf({ alertname: 'C', rack: 'r' }, at)])).toEqual(['A+C']);
  });

  it('goes by any name', () => {
    const learned = learn(8, (i) =>
      i % 2 === 0 ? ['constructor', '__proto__', 'toString'].map((alertname) => alertOf({ alertname })) : [alertOf({ alertname: 'X' })],
    );
    expect([pairBits(learned, 'constructor', '__proto__'), pairBits(learned, 'toString', '__proto__')]).toEqual([
      expect.closeTo(1, 1),
      expect.closeTo(1, 1),
    ]);
    expect(pairBits(learned, 'valueOf', 'hasOwnProperty')).toBe(0);
  });

  it('is bounded, whatever begins in one window', () => {
    const learned = learn(1, () => Array.from({ length: 5_000 }, (_, i) => alertOf({ alertname: `A${i}`, pod: `p${i}` })));
    expect(Object.keys(learned.names)).toHaveLength(60);
    expect(Object.keys(learned.pairs)).toHaveLength((60 * 59) / 2);
    expect(Object.keys(learned.values)).toHaveLength(2_000);
  });
});
