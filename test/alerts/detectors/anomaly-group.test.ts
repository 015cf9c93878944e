import { describe, expect, it } from 'vitest';
import type { GroupResult } from '#alerts/rules/evaluate-group.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { makeNoise } from '#test/alerts/anomaly/made-series.ts';
import { minute, queryOver, seriesOf } from '#test/alerts/rules/make-rule.ts';
import { anomalyRule, day, evaluateOnce, evaluateSpan, makeWave, sourceOf, step } from './anomaly-world.ts';

const learnedDays = 5;
const now = learnedDays * day;
let learned: Promise<readonly RuleState[]> | undefined;

/** The states after five days of the wave. */
function learn(): Promise<readonly RuleState[]> {
  learned ??= evaluateSpan(sourceOf({ a: makeWave(now) }), anomalyRule(), { to: now }).then((results) => {
    expect(changesOf(results)).toEqual([]);
    return results.at(-1)?.states ?? [];
  });
  return learned;
}

/** Evaluations after those days, over samples that go on some other way. */
async function goOn(count: number, change: Parameters<typeof makeWave>[1], rule = anomalyRule()) {
  const source = sourceOf({ a: makeWave(now + count, change) });
  return { source, results: await evaluateSpan(source, rule, { from: now, to: now + count, states: await learn() }) };
}

function changesOf(results: readonly GroupResult[]): [number, string][] {
  return results.flatMap(({ changes }, i) => changes.map(({ kind }): [number, string] => [i, kind]));
}

function explanationsOf(results: readonly GroupResult[]): string[] {
  const fired = results.flatMap(({ changes }) => changes.filter(({ kind }) => kind === 'firing'));
  return fired.map(({ alert }) => alert.annotations.explanation as string);
}

describe('an anomaly of a series that was learned', () => {
  const cases: readonly [string, Parameters<typeof makeWave>[1], number, RegExp][] = [
    [
      'a spike',
      (i, usual) => (i === now + 20 ? usual + 90 : usual),
      20,
      /^2\d\d(\.\d+)? where .* is expected \(score 0\.9\d+\): .*spike: /,
    ],
    ['a value beyond all', (i, usual) => (i === now + 20 ? 400 : usual), 20, /new-extreme: 400 is above all that is remembered/],
    ['a new level', (i, usual) => (i >= now + 20 ? usual + 60 : usual), 20, /seasonal: .* is usual at this hour of the day/],
    ['a flat line', (i, usual) => (i >= now + 20 ? 100 : usual), 20, /100 where .* is expected/],
    [
      'infinity',
      (i, usual) => (i === now + 20 ? Number.POSITIVE_INFINITY : usual),
      20,
      /^Infinity \(score 0\.999\): new-extreme: it is \+Inf/,
    ],
  ];
  it.each(cases)('fires at once and says why: %s', async (_, change, at, expected) => {
    const { results } = await goOn(30, change);
    expect(changesOf(results).slice(0, 1)).toEqual([[at, 'firing']]);
    expect(explanationsOf(results)[0]).toMatch(expected);
  });

  it('fires for a level that no single value shows', async () => {
    const values = makeNoise(3, 400).map((noise, i) => (i >= 300 ? 100 + 2 + noise : 100 + noise));
    const results = await evaluateSpan(sourceOf({ a: values }), anomalyRule({ reasons: ['level-shift'] }), { to: 400 });
    expect(explanationsOf(results)).toHaveLength(1);
    expect(explanationsOf(results)[0]).toMatch(/level-shift: the mean of the last 48 samples is 10\d\.\d after (99|100)/);
  });

  it('fires when samples are missing for longer than the interval that was learned, until they come again', async () => {
    // The wave is as high at 44 as it was at 28, the last before the gap, after which five mean intervals are at 33.
    const { results } = await goOn(60, (i, usual) => (i > now + 28 && i < now + 44 ? undefined : usual));
    expect(changesOf(results)).toEqual([
      [33, 'firing'],
      [44, 'resolved'],
    ]);
    expect(explanationsOf(results)[0]).toBe(
      'missing-data: no sample since one was due at 1970-01-06T04:50:00Z; the last was at 1970-01-06T04:40:00Z',
    );
    expect(results[33]?.states[0]?.alerts[0]?.value).toBe((5 * step) / 1_000);
  });

  const ways: readonly [string, Parameters<typeof anomalyRule>[0], number | undefined][] = [
    ['after the time that is told', { missing_after: 2 * step }, 11],
    ['after three of the intervals that are expected', { expected_interval: 2 * step }, 15],
    ['not where that is no reason to alert', { reasons: ['spike'] }, undefined],
  ];
  it.each(ways)('fires when samples are missing: %s', async (_, written, at) => {
    const { results } = await goOn(20, (i, usual) => (i >= now + 10 ? undefined : usual), anomalyRule(written));
    expect(changesOf(results)).toEqual(at === undefined ? [] : [[at, 'firing']]);
  });

  it('takes NaN for a sample that is missing', async () => {
    const { results } = await goOn(20, (i, usual) => (i >= now + 10 ? Number.NaN : usual));
    expect(changesOf(results)).toEqual([[14, 'firing']]);
  });

  it('fires on for a while where the rule says so, and is then told as resolved', async () => {
    const rule = anomalyRule({}, { keepFiringForMs: 5 * step });
    const { results } = await goOn(20, (i, usual) => (i === now + 5 ? 400 : usual), rule);
    // The way back at 6 is a jump as large, and part of it; five steps are counted from 7 on.
    expect(changesOf(results)).toEqual([
      [5, 'firing'],
      [12, 'resolved'],
    ]);
  });

  it('is told only for the reasons that count, and what does not count mutes nothing', async () => {
    const change = (i: number, usual: number) => (i === now + 5 ? 400 : i >= now + 10 ? 100 : usual);
    const { results } = await goOn(40, change, anomalyRule({ reasons: ['flat-line'], score: 0.632 }));
    expect(explanationsOf(results)).toHaveLength(1);
    expect(explanationsOf(results)[0]).toMatch(/\): flat-line: 100 for 25 samples, in a series where 3\.183 % repeat the one before$/);
  });
});

describe('the band of an anomaly detector', () => {
  it('is there as series, which the engine can compare with the values', async () => {
    const { source } = await goOn(30, (i, usual) => (i === now + 20 ? 400 : usual));
    const ask = async (expr: string, i: number) => {
      const { samples } = await queryOver(source).instant({ tenant: 't', expr, atMs: (now + i) * step });
      return samples.map(({ series, value }) => [series.json, value]);
    };
    expect(await ask('load > on(host) Odd:anomaly_high', 20)).toEqual([['{"host":"a"}', 400]]);
    expect(await ask('load > on(host) Odd:anomaly_high or load < on(host) Odd:anomaly_low', 19)).toEqual([]);
    expect(await ask('Odd:anomaly_score > 0.9', 20)).toEqual([['{"host":"a"}', expect.closeTo(1, 3)]]);
    expect(await ask('Odd:anomaly_score', 19)).toEqual([['{"host":"a"}', 0]]);
  });

  it('has no ends before the series is known, and goes stale with it', async () => {
    const source = sourceOf({ a: makeWave(110) });
    const results = await evaluateSpan(source, anomalyRule({ record: 'odd' }), { to: 112 });
    const written = results.map(({ samples }) =>
      samples.map(({ series, stale }) => `${series.metric}${series.json}${stale ? ' stale' : ''}`),
    );
    expect(written[99]).toEqual(['odd:anomaly_score{"host":"a"}']);
    expect(written[101]).toEqual(['odd:anomaly_score{"host":"a"}', 'odd:anomaly_low{"host":"a"}', 'odd:anomaly_high{"host":"a"}']);
    expect(written[110]).toEqual(written[101]?.map((name) => `${name} stale`));
    expect(written[111]).toEqual([]);
  });

  it('goes stale when the detector is gone from its group', async () => {
    const { results, source } = await goOn(1, undefined);
    const gone = await evaluateOnce(source, anomalyRule({}, { name: 'Other' }), results[0]?.states ?? [], now + 1);
    expect(gone.samples.map(({ series, stale }) => [series.metric, stale])).toEqual(
      ['score', 'low', 'high'].map((end) => [`Odd:anomaly_${end}`, true]),
    );
  });
});

describe('what an anomaly detector remembers', () => {
  it('makes no difference by being packed and unpacked', async () => {
    const values = makeWave(day, (i, usual) => (i === 120 ? 300 : i > 125 && i < 135 ? undefined : usual));
    const packed = await evaluateSpan(sourceOf({ a: values, b: makeWave(day) }), anomalyRule(), { to: day });
    const kept = await evaluateSpan(sourceOf({ a: values, b: makeWave(day) }), anomalyRule(), { to: day, between: (states) => states });
    expect(changesOf(packed).length).toBeGreaterThan(2);
    for (const [i, { samples, changes }] of packed.entries())
      expect({ samples, changes }).toEqual({ samples: kept[i]?.samples, changes: kept[i]?.changes });
  });

  it('comes to the same bytes for two evaluators, and changes nothing when a time comes again', async () => {
    const source = sourceOf({ a: makeWave(now + 1, (i, usual) => (i === now ? 400 : usual)) });
    const states = await learn();
    const before = encodeRuleState(states);
    const [one, other] = [await evaluateOnce(source, anomalyRule(), states, now), await evaluateOnce(source, anomalyRule(), states, now)];
    expect(other).toEqual(one);
    expect(encodeRuleState(other.states)).toEqual(encodeRuleState(one.states));
    expect(encodeRuleState(states)).toEqual(before);
    const again = await evaluateOnce(source, anomalyRule(), one.states, now);
    expect({ ...again, difference: 'values', changes: [] }).toEqual({ ...one, difference: 'values', changes: [] });
    expect(again.changes).toEqual([]);
    expect(again.states[0]?.memory).toBe(one.states[0]?.memory);
    const late = await evaluateOnce(source, anomalyRule(), one.states, now - 1);
    expect(late.states[0]?.memory).toBe(one.states[0]?.memory);
  });

  it('is at most 4 KB a series', async () => {
    const values = makeWave(8 * 24);
    const source = createMemorySource();
    source.append(
      seriesOf({ __name__: 'load' }),
      values.map((value = 0, i) => ({ ts: i * 60 * minute, value })),
    );
    let states: readonly RuleState[] = [];
    for (const i of values.keys()) ({ states } = await evaluateOnce(source, anomalyRule(), states, (i * 60 * minute) / step));
    const bytes = states[0]?.memory?.packed?.states[0]?.length;
    expect(bytes).toBe(2_936); // every hour of the week is learned: there is no more
    expect(bytes).toBeLessThanOrEqual(4_096);
  });

  it('is learned anew under another expression, and goes on under other settings', async () => {
    const source = sourceOf({ a: makeWave(now + 1) });
    const rename = await evaluateOnce(source, anomalyRule({ expr: 'load + 0' }), await learn(), now);
    expect(rename.samples.filter(({ stale }) => !stale).map(({ series }) => series.metric)).toEqual(['Odd:anomaly_score']);
    const stricter = await evaluateOnce(source, anomalyRule({ score: 0.99, missing_after: step }), await learn(), now);
    expect(stricter.samples).toHaveLength(3);
  });
});

describe('the bounds of an anomaly detector', () => {
  const hosts = (names: string, values: (name: string) => readonly (number | undefined)[]) =>
    sourceOf(Object.fromEntries([...names].map((name) => [name, values(name)])));
  const rowsOf = (result: GroupResult | undefined) => result?.states[0]?.memory?.rows.map(([labels]) => JSON.parse(labels).host).join('');

  it('refuse more series than it may learn, with what it knew kept', async () => {
    const source = hosts('abc', (name) => (name === 'c' ? [undefined, 1] : [1, 1]));
    const [first, second] = await evaluateSpan(source, anomalyRule({ max_series: 2 }), { to: 2 });
    expect(first?.errors).toEqual([]);
    expect(second?.errors.map(({ kind, message, hint }) => [kind, message, hint])).toEqual([
      ['limit', 'the expression gives 3 series; the detector learns at most 2', 'Aggregate the expression, or raise max_series.'],
    ]);
    expect(second?.states[0]?.memory).toEqual(first?.states[0]?.memory);
  });

  it('make room for new series by forgetting those that went first', async () => {
    const lives: Record<string, [number, number]> = { a: [0, 2], b: [0, 1], c: [2, 4], d: [3, 4] };
    const source = hosts('abcd', (name) =>
      Array.from({ length: 4 }, (_, i) => (i >= (lives[name]?.[0] ?? 0) && i < (lives[name]?.[1] ?? 0) ? 1 : undefined)),
    );
    const results = await evaluateSpan(source, anomalyRule({ max_series: 2 }), { to: 4 });
    expect(results.map(rowsOf)).toEqual(['ab', 'ab', 'ac', 'cd']);
  });

  it('forget a series that is gone for long enough, which ends its alert', async () => {
    const rule = anomalyRule({ missing_after: 2 * step, forget_after: 4 * step });
    const results = await evaluateSpan(sourceOf({ a: [1] }), rule, { to: 6 });
    expect(changesOf(results)).toEqual([
      [2, 'firing'],
      [4, 'resolved'],
    ]);
    expect(results.map(rowsOf)).toEqual(['a', 'a', 'a', 'a', '', '']);
  });

  it('refuse series that only their names tell apart', async () => {
    const source = sourceOf({ a: [1] });
    source.append(seriesOf({ __name__: 'other', host: 'a' }), [{ ts: 0, value: 1 }]);
    const [result] = await evaluateSpan(source, anomalyRule({ expr: '{__name__=~"load|other"}' }), { to: 1 });
    expect(result?.errors[0]?.message).toBe('several series have the labels {"host":"a"} at 1970-01-01T00:00:00.000Z');
  });
});
