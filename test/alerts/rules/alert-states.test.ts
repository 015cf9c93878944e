import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateAlertRule } from '#alerts/rules/evaluate-alert-rule.ts';
import type { AlertRule } from '#alerts/rules/rule.ts';
import { type RuleResult, toAlert } from '#alerts/rules/rule-result.ts';
import { newRuleState, type RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { OpsError } from '#core/errors.ts';
import { seriesKey } from '#model/series.ts';
import type { InstantSample } from '#ports/query.ts';
import { alertRule, minute, render, sample } from './make-rule.ts';

function evaluate(rule: AlertRule, state: RuleState, vector: readonly InstantSample[], atMs: number, limit = 0): Promise<RuleResult> {
  return evaluateAlertRule({ render }, { rule, state, vector, atMs, limit });
}

/** One evaluation a minute from 0 on: which instances are down at each. */
async function run(rule: AlertRule, steps: readonly (readonly string[])[]): Promise<RuleResult[]> {
  const results: RuleResult[] = [];
  let state = newRuleState(rule);
  for (const [i, down] of steps.entries()) {
    const result = await evaluate(
      rule,
      state,
      down.map((instance) => sample({ __name__: 'up', instance })),
      i * minute,
    );
    results.push(result);
    state = result.state;
  }
  return results;
}

const kinds = (results: readonly RuleResult[]) => results.map(({ changes }) => changes.map(({ kind }) => kind).join(' '));
const phases = (results: readonly RuleResult[]) => results.map(({ state }) => state.alerts.map(({ phase }) => phase).join(' '));
const shown = (result: RuleResult | undefined) =>
  result?.samples.map(({ series, value, stale }) => `${series.metric}${series.json} ${stale ? 'stale' : value}`);

describe('an alert', () => {
  it.each([
    { name: 'fires at once without for', rule: {}, steps: [['a'], ['a']], expected: ['firing', ''] },
    {
      name: 'is pending until for has passed',
      rule: { forMs: 2 * minute },
      steps: [['a'], ['a'], ['a']],
      expected: ['pending', '', 'firing'],
    },
    {
      name: 'is dropped when it goes before that',
      rule: { forMs: 2 * minute },
      steps: [['a'], ['a'], []],
      expected: ['pending', '', 'dropped'],
    },
    {
      name: 'waits anew after a gap',
      rule: { forMs: minute },
      steps: [['a'], [], ['a'], ['a']],
      expected: ['pending', 'dropped', 'pending', 'firing'],
    },
    { name: 'is resolved when it goes', rule: {}, steps: [['a'], [], []], expected: ['firing', 'resolved', ''] },
    {
      name: 'keeps firing for a while',
      rule: { keepFiringForMs: 2 * minute },
      steps: [['a'], [], [], []],
      expected: ['firing', '', '', 'resolved'],
    },
    {
      name: 'counts that while anew when its series comes back',
      rule: { keepFiringForMs: 2 * minute },
      steps: [['a'], [], ['a'], [], [], []],
      expected: ['firing', '', '', '', '', 'resolved'],
    },
    {
      name: 'waits anew after it was resolved',
      rule: { forMs: minute },
      steps: [['a'], ['a'], [], ['a'], ['a']],
      expected: ['pending', 'firing', 'resolved', 'pending', 'firing'],
    },
    { name: 'is one of several', rule: {}, steps: [['a', 'b'], ['b']], expected: ['firing firing', 'resolved'] },
  ])('$name', async ({ rule, steps, expected }) => {
    expect(kinds(await run(alertRule(rule), steps))).toEqual(expected);
  });

  it('is remembered for 15 minutes after it was resolved', async () => {
    const results = await run(alertRule(), [['a'], ...new Array<string[]>(17).fill([])]);
    expect(phases(results).slice(15)).toEqual(['inactive', 'inactive', '']);
  });

  it('writes ALERTS and ALERTS_FOR_STATE, and stale markers for the state that is over', async () => {
    const [pending, firing, resolved] = await run(alertRule({ forMs: minute, labels: { team: 'x' } }), [['a'], ['a'], []]);
    const labels = '"alertname":"Down"';
    const rest = '"instance":"a","team":"x"}';
    expect(shown(pending)).toEqual([`ALERTS{${labels},"alertstate":"pending",${rest} 1`, `ALERTS_FOR_STATE{${labels},${rest} 0`]);
    expect(shown(firing)).toEqual([
      `ALERTS{${labels},"alertstate":"firing",${rest} 1`,
      `ALERTS_FOR_STATE{${labels},${rest} 0`,
      `ALERTS{${labels},"alertstate":"pending",${rest} stale`,
    ]);
    expect(shown(resolved)).toEqual([`ALERTS{${labels},"alertstate":"firing",${rest} stale`, `ALERTS_FOR_STATE{${labels},${rest} stale`]);
  });

  it('on ALERTS keeps the state it found in ALERTS_FOR_STATE alone', async () => {
    const rule = alertRule();
    const { samples } = await evaluate(
      rule,
      newRuleState(rule),
      [sample({ __name__: 'ALERTS', alertname: 'Other', alertstate: 'pending' })],
      0,
    );
    expect(samples.map(({ series }) => `${series.metric}${series.json}`)).toEqual([
      'ALERTS{"alertname":"Down","alertstate":"firing"}',
      'ALERTS_FOR_STATE{"alertname":"Down","alertstate":"pending"}',
    ]);
  });

  it('says how much its state differs', async () => {
    const rule = alertRule({ annotations: { value: '{{ $value }}' } });
    const first = await evaluate(rule, newRuleState(rule), [sample({ instance: 'a' }, 1)], 0);
    const same = await evaluate(rule, first.state, [sample({ instance: 'a' }, 1)], minute);
    const other = await evaluate(rule, same.state, [sample({ instance: 'a' }, 2)], 2 * minute);
    const gone = await evaluate(rule, other.state, [], 3 * minute);
    expect([first, same, other, gone].map(({ difference }) => difference)).toEqual(['alerts', 'none', 'values', 'alerts']);
    expect(other.state.alerts[0]?.annotations).toEqual({ value: '2' });
  });

  it('is told with the times it fired and was resolved', async () => {
    const results = await run(alertRule({ forMs: minute, annotations: { a: 'b' } }), [['x'], ['x'], []]);
    const told = results.slice(1).map(({ changes }, i) => {
      const [change] = changes;
      if (!change) throw new Error('nothing changed');
      return toAlert(change.alert, { untilMs: 99, atMs: i, generatorUrl: 'g' });
    });
    const alert = { labels: { alertname: 'Down', instance: 'x' }, annotations: { a: 'b' }, startsAtMs: minute, generatorUrl: 'g' };
    expect(told).toEqual([
      { ...alert, endsAtMs: 99, updatedAtMs: 0 },
      { ...alert, endsAtMs: 2 * minute, updatedAtMs: 1 },
    ]);
  });
});

describe('templates of labels and annotations', () => {
  it('see the series, its value and the external labels; alertname cannot be set', async () => {
    const rule = alertRule({
      labels: { alertname: 'no', on: '{{ $labels.instance }}', none: '{{ $labels.nothing }}' },
      annotations: { text: '{{ $labels.__name__ }} {{ $value }} {{ $externalLabels.region }} {{ .ExternalURL }}', plain: 'as it is' },
    });
    const { state, samples } = await evaluate(rule, newRuleState(rule), [sample({ __name__: 'up', instance: 'a' }, 0.5)], 0);
    expect(state.alerts[0]?.labels.json).toBe('{"alertname":"Down","instance":"a","on":"a"}');
    expect(state.alerts[0]?.annotations).toEqual({ text: 'up 0.5 eu https://q.example', plain: 'as it is' });
    expect(samples[0]?.series.json).toContain('"none":"{{ $labels.nothing }}"'); // as Prometheus writes it
  });

  it('leave their error as their text', async () => {
    const rule = alertRule({ annotations: { text: '{{ .Nope }}' } });
    const { state } = await evaluate(rule, newRuleState(rule), [sample({})], 0);
    expect(state.alerts[0]?.annotations.text).toMatch(/^<error expanding template: .*can't evaluate field Nope/);
  });

  it('that break in another way break the evaluation', async () => {
    const rule = alertRule({ annotations: { text: '{{ $value }}' } });
    const broken = async () => Promise.reject(new TypeError('a defect'));
    const input = { rule, state: newRuleState(rule), vector: [sample({})], atMs: 0, limit: 0 };
    await expect(evaluateAlertRule({ render: broken }, input)).rejects.toThrow('a defect');
    const unavailable = async () => Promise.reject(new OpsError('unavailable', 'no query now'));
    const { state } = await evaluateAlertRule({ render: unavailable }, input);
    expect(state.alerts[0]?.annotations.text).toBe('<error expanding template: no query now>');
  });
});

describe('a rule that fails', () => {
  it('by two series of the same labels keeps its alerts, and their series get no stale markers', async () => {
    const rule = alertRule({ labels: { instance: 'same' } });
    const first = await evaluate(rule, newRuleState(rule), [sample({ instance: 'a' })], 0);
    const failed = await evaluate(rule, first.state, [sample({ instance: 'a' }), sample({ instance: 'b' })], minute);
    expect(failed.state).toEqual({ ...first.state, error: 'vector contains metrics with the same labelset after applying alert labels' });
    expect([failed.samples, failed.changes]).toEqual([[], []]);
    const healed = await evaluate(rule, failed.state, [], 2 * minute);
    expect(healed.state.error).toBe('');
    expect(shown(healed)).toEqual(shown(first)?.map((text) => text.replace(/\d+$/, 'stale')));
  });

  it('by more alerts than the limit forgets them, tells of those that fired, and marks their series once it succeeds', async () => {
    const rule = alertRule();
    const first = await evaluate(rule, newRuleState(rule), [sample({ instance: 'a' })], 0, 1);
    const failed = await evaluate(rule, first.state, [sample({ instance: 'a' }), sample({ instance: 'b' })], minute, 1);
    expect(failed.state.error).toBe('exceeded limit of 1 with 2 alerts');
    expect(failed.changes.map(({ kind, alert }) => [kind, alert.labels.json, alert.resolvedAtMs])).toEqual([
      ['resolved', '{"alertname":"Down","instance":"a"}', minute],
    ]);
    expect([failed.state.alerts, failed.samples]).toEqual([[], []]);
    const again = await evaluate(rule, failed.state, [sample({ instance: 'b' })], 2 * minute, 1);
    expect(kinds([again])).toEqual(['firing']);
    expect(shown(again)?.filter((text) => text.endsWith('stale'))).toEqual([
      'ALERTS{"alertname":"Down","alertstate":"firing","instance":"a"} stale',
      'ALERTS_FOR_STATE{"alertname":"Down","instance":"a"} stale',
    ]);
  });
});

const presence = fc.array(fc.subarray(['a', 'b', 'c']), { minLength: 1, maxLength: 25 });
const times = fc
  .record({ forMs: fc.integer({ min: 0, max: 4 }), keepFiringForMs: fc.integer({ min: 0, max: 3 }) })
  .map(({ forMs, keepFiringForMs }) => ({
    forMs: forMs * minute,
    keepFiringForMs: keepFiringForMs * minute,
  }));

describe('laws', () => {
  it('an alert fires only once its series has been there for `for`, and stops only once it has been gone for `keep_firing_for`', async () => {
    await fc.assert(
      fc.asyncProperty(presence, times, async (steps, rule) => {
        const results = await run(alertRule(rule), steps);
        for (const [i, { changes }] of results.entries()) {
          for (const { kind, alert } of changes) {
            const instance = alert.labels.labels.find(({ name }) => name === 'instance')?.value as string;
            const back = (ms: number) => steps.slice(Math.max(0, i - ms / minute), i + 1);
            if (kind === 'firing') expect(back(rule.forMs).every((down) => down.includes(instance)) && i >= rule.forMs / minute).toBe(true);
            if (kind === 'resolved') expect(back(rule.keepFiringForMs).every((down) => !down.includes(instance))).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a series is live exactly as long as its alert is pending or firing', async () => {
    await fc.assert(
      fc.asyncProperty(presence, times, async (steps, rule) => {
        const live = new Set<string>();
        for (const { samples, state } of await run(alertRule(rule), steps)) {
          for (const { series, stale } of samples) stale ? live.delete(seriesKey(series)) : live.add(seriesKey(series));
          expect(live.size).toBe(2 * state.alerts.filter(({ phase }) => phase !== 'inactive').length);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a state that was packed and unpacked goes on as if it had not been', async () => {
    await fc.assert(
      fc.asyncProperty(presence, times, async (steps, more) => {
        const rule = alertRule({ ...more, annotations: { on: '{{ $labels.instance }}' } });
        const straight = await run(rule, steps);
        let state = newRuleState(rule);
        for (const [i, down] of steps.entries()) {
          [state] = decodeRuleState(encodeRuleState([state])) as [RuleState];
          const result = await evaluate(
            rule,
            state,
            down.map((instance) => sample({ __name__: 'up', instance })),
            i * minute,
          );
          expect(result).toEqual(straight[i]);
          state = result.state;
        }
      }),
      { numRuns: 50 },
    );
  });
});
