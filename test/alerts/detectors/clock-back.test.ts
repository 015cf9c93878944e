import { expect, it } from 'vitest';
import { turnBack } from '#alerts/evaluate/clock-back.ts';
import { newRuleState } from '#alerts/rules/rule-state.ts';
import { alertRule } from '#test/alerts/rules/make-rule.ts';

it('has patterns start anew after a clock went back, and keeps what was learned of series', () => {
  const state = newRuleState(alertRule());
  const rows = [['{}', { held: true, times: [9_999] }]] as const;
  const packed = { atMs: 5, states: [new Uint8Array([1])] };
  const [pattern, anomaly, rule] = turnBack(
    [{ ...state, memory: { form: 'a', rows } }, { ...state, memory: { form: 'b', rows: [], packed } }, state],
    10,
  );
  expect([pattern?.memory, anomaly?.memory?.packed, rule?.memory]).toEqual([undefined, packed, undefined]);
});
