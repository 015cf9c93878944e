import { describe, expect, it } from 'vitest';
import type { Pattern } from '#alerts/pattern/pattern.ts';
import { evaluateGroup } from '#alerts/rules/evaluate-group.ts';
import type { DetectorRule, Rule } from '#alerts/rules/rule.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { alertRule, minute, queryOver, rendererOver, seriesOf } from '#test/alerts/rules/make-rule.ts';

function detectorRule(pattern: Pattern, more: Partial<DetectorRule> = {}): DetectorRule {
  const detector = { kind: 'pattern' as const, by: undefined, pattern };
  return { kind: 'detector', name: 'Found', expr: 'up', detector, forMs: 0, keepFiringForMs: 0, labels: {}, annotations: {}, ...more };
}

const heartbeat: Pattern = {
  form: 'heartbeat',
  condition: { name: 'the host', expr: 'up == 1' },
  missingForMs: minute,
  seenForMs: 0,
  forgetAfterMs: 60 * minute,
};

/** `up` of one host, one value a minute; the states are packed and unpacked between evaluations, as they are stored. */
async function run(rules: readonly Rule[], values: readonly number[], limit = 0) {
  const source = createMemorySource();
  source.append(
    seriesOf({ __name__: 'up', instance: 'a' }),
    values.map((value, i) => ({ ts: i * minute, value })),
  );
  const group = { name: 'g', intervalMs: minute, queryOffsetMs: undefined, limit, labels: {}, rules };
  let states: readonly RuleState[] = [];
  const results = [];
  for (const [i] of values.entries()) {
    const deps = { query: queryOver(source), render: rendererOver(source), append() {} };
    const result = await evaluateGroup(deps, { tenant: 't', group, states: decodeRuleState(encodeRuleState(states)), atMs: i * minute });
    states = result.states;
    results.push(result);
  }
  return results;
}

describe('a detector in a group', () => {
  it('alerts as a rule does, with phases, samples and an end', async () => {
    const results = await run([detectorRule(heartbeat, { forMs: minute, keepFiringForMs: minute })], [1, 0, 0, 0, 1, 1, 1]);
    expect(results.map(({ changes }) => changes.map(({ kind }) => kind).join())).toEqual(['', '', 'pending', 'firing', '', 'resolved', '']);
    expect(results[3]?.samples.map(({ series, value, stale }) => `${series.metric}${series.json} ${value} ${stale}`)).toEqual([
      'ALERTS{"alertname":"Found","alertstate":"firing","instance":"a"} 1 false',
      'ALERTS_FOR_STATE{"alertname":"Found","instance":"a"} 120 false',
      'ALERTS{"alertname":"Found","alertstate":"pending","instance":"a"} NaN true',
    ]);
  });

  it('tells why in its annotations, as a text of its own or within a template', async () => {
    const told = 'the host was there since 1970-01-01T00:00:00Z and is missing since 1970-01-01T00:01:00Z, for 1m and more';
    const annotations = { summary: '{{ $labels.instance }}: {{ $labels.__explanation__ }}' };
    const results = await run([detectorRule(heartbeat, { annotations })], [1, 0, 0]);
    expect(results[2]?.changes[0]?.alert.annotations).toEqual({ explanation: told, summary: `a: ${told}` });
    const own = await run([detectorRule(heartbeat, { annotations: { explanation: 'ours' } })], [1, 0, 0]);
    expect(own[2]?.changes[0]?.alert.annotations).toEqual({ explanation: 'ours' });
    expect(results[2]?.changes[0]?.alert.labels.json).toBe('{"alertname":"Found","instance":"a"}');
  });

  it('says that nothing changed while nothing does, so that nothing is written', async () => {
    const results = await run([detectorRule(heartbeat)], [1, 1, 1, 0]);
    expect(results.map(({ difference }) => difference)).toEqual(['values', 'none', 'none', 'values']);
  });

  it('that fails keeps what it remembers and its alerts, and stops no other', async () => {
    const source = createMemorySource();
    for (const instance of ['a', 'b']) source.append(seriesOf({ __name__: 'up', instance }), [{ ts: 0, value: 1 }]);
    const stuck: Pattern = { form: 'stuck', condition: { name: 'up', expr: 'up' }, forMs: minute, while: undefined };
    const broken = detectorRule(stuck, { name: 'Broken', detector: { kind: 'pattern', by: [], pattern: stuck } });
    const memory = { form: 'before', rows: [] };
    const states: RuleState[] = [{ kind: 'detector', name: 'Broken', labels: {}, alerts: [], series: [], error: '', memory }];
    const group = {
      ...{ name: 'g', intervalMs: minute, queryOffsetMs: undefined, limit: 0, labels: {} },
      rules: [broken, alertRule({ name: 'Up', expr: 'up == 1' })],
    };
    const deps = { query: queryOver(source), render: rendererOver(source), append() {} };
    const result = await evaluateGroup(deps, { tenant: 't', group, states, atMs: 0 });
    expect(result.states[0]?.error).toContain('up: several series have the labels {}');
    expect(result.states[0]?.memory).toBe(memory);
    expect(result.changes.map(({ alert }) => alert.labels.json)).toEqual([
      '{"alertname":"Up","instance":"a"}',
      '{"alertname":"Up","instance":"b"}',
    ]);
  });

  it('that is gone from the group ends its alerts', async () => {
    const [, , fired] = await run([detectorRule(heartbeat)], [1, 0, 0]);
    const group = { name: 'g', intervalMs: minute, queryOffsetMs: undefined, limit: 0, labels: {}, rules: [] };
    const source = createMemorySource();
    const deps = { query: queryOver(source), render: rendererOver(source), append() {} };
    const { changes } = await evaluateGroup(deps, { tenant: 't', group, states: fired?.states ?? [], atMs: 3 * minute });
    expect(changes.map(({ kind }) => kind)).toEqual(['resolved']);
  });
});
