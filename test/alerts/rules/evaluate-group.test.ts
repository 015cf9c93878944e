import { describe, expect, it } from 'vitest';
import { evaluateGroup, type GroupResult } from '#alerts/rules/evaluate-group.ts';
import { planEvaluations } from '#alerts/rules/plan-evaluations.ts';
import type { Rule, RuleGroup } from '#alerts/rules/rule.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { OpsError } from '#core/errors.ts';
import { createMemorySource, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import type { Query } from '#ports/query.ts';
import { createOverlaySource } from '#storage/overlay-source.ts';
import { alertRule, minute, queryOver, recordingRule, render, seriesOf } from './make-rule.ts';

function groupOf(rules: readonly Rule[], more: Partial<RuleGroup> = {}): RuleGroup {
  return { name: 'g', intervalMs: minute, queryOffsetMs: undefined, limit: 0, labels: {}, rules, ...more };
}

/** A source where `up` of a and b goes down and up again, a sample a minute. */
function makeSource(): MemorySource {
  const source = createMemorySource();
  for (const [instance, values] of Object.entries({ a: [1, 0, 0, 0, 1, 1], b: [1, 1, 0, 0, 0, 0] })) {
    source.append(
      seriesOf({ __name__: 'up', instance }),
      values.map((value, i) => ({ ts: i * minute, value })),
    );
  }
  return source;
}

/** Evaluates over what is stored, with the group's own samples over it until all of them are there; then stores them. */
async function evaluateAt(source: MemorySource, group: RuleGroup, states: GroupResult['states'], atMs: number, query?: Query) {
  const overlay = createOverlaySource(source);
  const append: Parameters<typeof evaluateGroup>[0]['append'] = (samples, ts) => {
    for (const { series, value, stale } of samples) overlay.append(series, [{ ts, value, stale }]);
  };
  const result = await evaluateGroup({ query: query ?? queryOver(overlay.source), render, append }, { tenant: 't', group, states, atMs });
  for (const { series, value, stale } of result.samples) source.append(series, [{ ts: result.samplesAtMs, value, stale }]);
  return result;
}

async function ask(source: MemorySource, expr: string, atMs: number): Promise<string[]> {
  const { samples } = await queryOver(source).instant({ tenant: 't', expr, atMs });
  return samples.map(({ series, value }) => `${series.metric}${series.json} ${value}`).sort();
}

describe('a group', () => {
  it('shows each rule what the rules before it gave in the same evaluation, though nothing of it is stored', async () => {
    const source = makeSource();
    const rules = [
      recordingRule('down', 'sum(1 - up)'),
      recordingRule('twice', 'down * 2'),
      alertRule({ name: 'Many', expr: 'twice > 2' }),
      recordingRule('alerts', 'count(ALERTS)'),
    ];
    const { samples, changes } = await evaluateAt(source, groupOf(rules), [], 2 * minute);
    expect(samples.map(({ series, value }) => `${series.metric} ${value}`)).toEqual([
      'down 2',
      'twice 4',
      'ALERTS 1',
      `ALERTS_FOR_STATE 120`,
      'alerts 1',
    ]);
    expect(changes.map(({ kind }) => kind)).toEqual(['firing']);
  });

  it('marks series stale that a recording gives no more, so that nobody sees them for the time of a lookback', async () => {
    const source = makeSource();
    const group = groupOf([recordingRule('is_down', 'up == 0', { from: 'rule' })]);
    let { states } = await evaluateAt(source, group, [], 3 * minute);
    expect(await ask(source, 'is_down', 3 * minute)).toEqual([
      'is_down{"from":"rule","instance":"a"} 0',
      'is_down{"from":"rule","instance":"b"} 0',
    ]);
    ({ states } = await evaluateAt(source, group, states, 4 * minute));
    expect(await ask(source, 'is_down', 4 * minute)).toEqual(['is_down{"from":"rule","instance":"b"} 0']);
    expect(states[0]?.series).toHaveLength(1);
  });

  it('goes on past a rule that fails, and says which did', async () => {
    const rules = [
      recordingRule('bad', 'up + on() up'),
      recordingRule('matrix', 'up[5m]'),
      recordingRule('same', 'up', { instance: 'x' }),
      recordingRule('good', 'count(up)'),
    ];
    const { samples, states, errors, difference } = await evaluateAt(makeSource(), groupOf(rules), [], minute);
    expect(samples.map(({ series, value }) => `${series.metric} ${value}`)).toEqual(['good 2']);
    expect(states.map(({ error }) => error)).toEqual([
      expect.stringContaining('many-to-many matching not allowed'),
      'rule result is not a vector or scalar',
      'vector contains metrics with the same labelset after applying rule labels',
      '',
    ]);
    expect([errors.map(({ kind }) => kind), difference]).toEqual([['conflict', 'input'], 'alerts']);
  });

  it('holds a recording to the limit of its group', async () => {
    const { states, samples } = await evaluateAt(makeSource(), groupOf([recordingRule('r', 'up')], { limit: 1 }), [], minute);
    expect([states[0]?.error, samples]).toEqual(['exceeded limit of 1 with 2 series', []]);
  });

  it('refuses what an earlier rule wrote otherwise for the same series, and nothing else', async () => {
    const rules = [recordingRule('r', 'vector(1)'), recordingRule('r', 'up * 0 + 2 or vector(3)'), recordingRule('r', 'vector(1)')];
    const { states, samples } = await evaluateAt(makeSource(), groupOf(rules), [], minute);
    expect(states.map(({ error }) => error)).toEqual(['', 'duplicate sample for timestamp', '']);
    expect(samples.map(({ value }) => value)).toEqual([1, 2, 2, 1]);
  });

  it('says so when data cannot be had, and stops only where it is told to', async () => {
    const query: Query = {
      check: () => ({ type: 'vector', text: '', metrics: [] }),
      instant: () => Promise.reject(new OpsError('unavailable', 'no storage')),
    };
    const { errors, states } = await evaluateAt(makeSource(), groupOf([recordingRule('r', 'up')]), [], minute, query);
    expect([errors.map(({ kind }) => kind), states[0]?.error]).toEqual([['unavailable'], 'no storage']);
    const input = { tenant: 't', group: groupOf([recordingRule('r', 'up')]), states: [], atMs: 0, signal: AbortSignal.abort() };
    await expect(evaluateGroup({ query, render, append: () => undefined }, input)).rejects.toThrow('no storage');
  });

  it('looks back by its query offset, and writes there; for counts in its own time', async () => {
    const group = groupOf([alertRule({ forMs: minute }), recordingRule('seen', 'timestamp(up)')], { queryOffsetMs: minute });
    const first = await evaluateAt(makeSource(), group, [], 2 * minute);
    expect([first.samplesAtMs, first.states[0]?.alerts.map(({ activeAtMs }) => activeAtMs)]).toEqual([minute, [2 * minute]]);
    expect(first.samples.filter(({ series }) => series.metric === 'seen').map(({ value }) => value)).toEqual([60, 60]);
  });

  it('keeps the alerts of a rule whose expression changed, and ends those of a rule that is gone', async () => {
    const source = makeSource();
    const rules = [alertRule(), alertRule({ name: 'Other' }), recordingRule('kept', 'up')];
    const first = await evaluateAt(source, groupOf(rules), [], 2 * minute);
    const changed = groupOf([recordingRule('kept', 'up'), alertRule({ expr: 'up < 1', annotations: { a: 'b' } })]);
    const second = await evaluateAt(source, changed, first.states, 3 * minute);
    expect(second.states[1]?.alerts.map(({ activeAtMs, annotations }) => [activeAtMs, annotations])).toEqual([
      [2 * minute, { a: 'b' }],
      [2 * minute, { a: 'b' }],
    ]);
    expect(second.changes.map(({ kind, alert }) => `${kind} ${alert.labels.json}`)).toEqual([
      'resolved {"alertname":"Other","instance":"a"}',
      'resolved {"alertname":"Other","instance":"b"}',
    ]);
    expect(await ask(source, 'ALERTS{alertname="Other"}', 3 * minute)).toEqual([]);
    expect(await ask(source, 'count(ALERTS)', 3 * minute)).toEqual(['{} 2']);
  });

  it('comes to the same whether it catches up at once or goes step by step, its state packed in between', async () => {
    const rules = [
      recordingRule('down', 'sum(1 - up)'),
      alertRule({ forMs: minute, keepFiringForMs: minute }),
      recordingRule('before', 'down offset 1m'),
    ];
    const outcome = async (nowTimes: readonly number[]) => {
      const source = makeSource();
      const changes: string[] = [];
      let bytes = encodeRuleState([]);
      let lastMs: number | undefined = 0;
      for (const nowMs of nowTimes) {
        let states = decodeRuleState(bytes);
        for (const atMs of planEvaluations({ intervalMs: minute, lastMs, nowMs, maxCatchUp: 100 }).timesMs) {
          const result = await evaluateAt(source, groupOf(rules), states, atMs);
          states = [...result.states];
          changes.push(...result.changes.map(({ kind, alert }) => `${atMs} ${kind} ${alert.labels.json}`));
          lastMs = atMs;
        }
        bytes = encodeRuleState(states);
      }
      const series = await ask(source, '{__name__=~"down|before|ALERTS.*"}', 8 * minute);
      return { changes, series, states: decodeRuleState(bytes) };
    };
    const atOnce = await outcome([8 * minute]);
    expect(atOnce.changes.length).toBeGreaterThan(3);
    expect(await outcome([1, 2, 3, 4, 5, 6, 7, 8].map((i) => i * minute + 17))).toEqual(atOnce);
    expect(await outcome([3 * minute, 8 * minute + 59_999])).toEqual(atOnce);
  });
});
