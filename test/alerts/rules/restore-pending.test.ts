import { describe, expect, it } from 'vitest';
import { evaluateAlertRule } from '#alerts/rules/evaluate-alert-rule.ts';
import { restorePending } from '#alerts/rules/restore-pending.ts';
import { newRuleState } from '#alerts/rules/rule-state.ts';
import { alertRule, minute, render, sample } from './make-rule.ts';

/** When an alert that waits 30 minutes counts as active, restored at minute 100. */
async function restored(seen: { activeAtMs: number; seenAtMs: number } | undefined, forMs = 30 * minute): Promise<number | undefined> {
  const rule = alertRule({ forMs });
  const input = { rule, state: newRuleState(rule), vector: [sample({ instance: 'a' })], atMs: 100 * minute, limit: 0 };
  const { state } = await evaluateAlertRule({ render }, input);
  const known = new Map(seen ? [['{"alertname":"Down","instance":"a"}', seen]] : []);
  return (restorePending(rule, state, known, 100 * minute).alerts[0]?.activeAtMs ?? Number.NaN) / minute;
}

describe('a pending alert whose state was lost', () => {
  it.each([
    ['does not wait for the time of the outage again', { activeAtMs: 80 * minute, seenAtMs: 90 * minute }, 90],
    ['waits at least ten minutes more', { activeAtMs: 70 * minute, seenAtMs: 95 * minute }, 80],
    ['fires at the next evaluation if it had fired', { activeAtMs: 20 * minute, seenAtMs: 95 * minute }, 20],
    ['waits anew where nothing was seen of it', undefined, 100],
  ])('%s', async (_, seen, activeAt) => {
    expect(await restored(seen)).toBe(activeAt);
  });

  it('waits anew where it waits less than ten minutes anyway', async () => {
    expect(await restored({ activeAtMs: 98 * minute, seenAtMs: 99 * minute }, 5 * minute)).toBe(100);
  });
});
