import { describe, expect, it } from 'vitest';
import { isResolved, planFlush } from '#alerts/routing/flush.ts';
import { mergeAlerts, type ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { planNotification } from '#alerts/routing/notification.ts';
import { querySilences, sortSilences } from '#alerts/routing/query-silences.ts';
import type { Silence } from '#alerts/routing/silence.ts';
import { containingIntervals, containsTime, findTimeMuting } from '#alerts/routing/time-interval.ts';
import { isTimeZone, zonedTime } from '#alerts/routing/zone-time.ts';

/** Start, end and update; NOW is 100. */
type Times = readonly [startsAtMs: number, endsAtMs: number, updatedAtMs: number, endIsTimeout?: true];
const NOW = 100;

function alert([startsAtMs, endsAtMs, updatedAtMs, endIsTimeout]: Times): ReceivedAlert {
  return {
    labels: { a: 'b' },
    annotations: { at: String(updatedAtMs) },
    startsAtMs,
    endsAtMs,
    updatedAtMs,
    generatorUrl: '',
    endIsTimeout,
  };
}

describe('an alert that is told again', () => {
  it.each<[string, Times | undefined, Times, Times]>([
    ['is new where nothing is held', undefined, [10, 200, 20], [10, 200, 20]],
    ['keeps its earliest start', [10, 200, 20], [15, 210, 30], [10, 210, 30]],
    ['starts anew after it had ended', [10, 50, 20], [60, 200, 70], [60, 200, 70]],
    ['ends where the later update says so', [10, 200, 20], [10, 90, 30], [10, 90, 30]],
    ['keeps an end that somebody told and that is later, while it fires', [10, 300, 20], [20, 200, 30], [10, 300, 30]],
    ['gives up a later end that was only a guess', [10, 300, 20, true], [20, 200, 30], [10, 200, 30]],
    ['has the later of two ends that are over', [10, 95, 20], [20, 90, 30], [10, 95, 30]],
    ['is that of the later update, whichever comes first', [10, 200, 40], [15, 190, 30], [10, 200, 40]],
  ])('%s', (_, held, told, expected) => {
    expect(mergeAlerts(held && alert(held), alert(told), NOW)).toEqual(alert(expected));
    const merged = alert(expected);
    expect(mergeAlerts(merged, merged, NOW)).toEqual(merged);
  });
});

describe('a flush', () => {
  it('carries all alerts in order, and an alert ends with its last moment', () => {
    const named = (instance: string, endsAtMs: number) => ({ ...alert([1, endsAtMs, 1]), labels: { job: 'j', instance } });
    const flush = planFlush([named('c', 101), named('b', 100), named('a', 99), { ...alert([1, 200, 1]) }], NOW);
    expect(flush.alerts.map(({ labels, endsAtMs }) => [(labels as { instance?: string }).instance, endsAtMs])).toEqual([
      ['a', 99],
      ['b', 100],
      ['c', Number.POSITIVE_INFINITY],
      [undefined, Number.POSITIVE_INFINITY],
    ]);
    expect(flush.resolved).toHaveLength(2);
    expect([isResolved({ endsAtMs: 100 }, NOW), isResolved({ endsAtMs: 101 }, NOW)]).toEqual([true, false]);
  });
});

describe('a notification', () => {
  const entry = { firing: ['1', '2'], resolved: ['3'], sentAtMs: 50 };
  it.each([
    ['first-notification', undefined, ['1'], [], 0],
    ['nothing-new', undefined, [], ['1'], 0],
    ['first-notification', { ...entry, firing: [] }, ['1'], [], 0],
    ['new-alerts-in-group', entry, ['1', '4'], [], 0],
    ['all-alerts-resolved', entry, [], ['1', '2'], 0],
    ['new-resolved-alerts', entry, ['1'], ['2', '3'], 0],
    ['nothing-new', entry, ['1'], ['3'], 50],
    ['repeat-interval-elapsed', entry, ['1'], ['3'], 49],
  ] as const)('says why: %s', (reason, last, firing, resolved, repeatIntervalMs) => {
    const plan = planNotification(last, firing, resolved, { repeatIntervalMs, sendResolved: true }, NOW);
    expect(plan).toEqual({ notify: reason !== 'nothing-new', reason });
  });
});

describe('time intervals', () => {
  const intervals = new Map([
    ['nights', [{ times: [[0, 360]] as const }, { times: [[1_320, 1_440]] as const }]],
    ['never', [{ weekdays: [] }]],
    ['always', [{}]],
  ]);
  const at = (time: string) => Date.parse(`2026-03-29T${time}Z`);

  it('hold a route back within its mute times, and outside of its active ones', () => {
    const find = (mute: string[], active: string[], time: string) =>
      findTimeMuting({ muteTimeIntervals: mute, activeTimeIntervals: active }, intervals, at(time));
    expect(find(['nights'], [], '23:00')).toEqual({ muted: true, by: ['nights'] });
    expect(find(['nights'], [], '06:00')).toEqual({ muted: false, by: [] });
    expect(find([], ['nights', 'never'], '12:00')).toEqual({ muted: true, by: ['nights', 'never'] });
    expect(find([], ['nights', 'never'], '05:59:59')).toEqual({ muted: false, by: [] });
    expect(find(['always'], ['always'], '12:00')).toEqual({ muted: true, by: ['always'] });
    expect(() => containingIntervals(intervals, ['lost'], at('12:00'))).toThrow("time interval lost doesn't exist in config");
  });

  it('follow a zone through its changes of the clock', () => {
    const berlin = (iso: string) => zonedTime(Date.parse(iso), 'Europe/Berlin').minuteOfDay / 60;
    expect([berlin('2026-03-29T00:59:00Z'), berlin('2026-03-29T01:00:00Z')]).toEqual([1 + 59 / 60, 3]);
    expect([berlin('2026-10-25T00:30:00Z'), berlin('2026-10-25T01:30:00Z')]).toEqual([2.5, 2.5]);
    expect(zonedTime(Date.parse('2026-12-31T20:00:00Z'), 'Asia/Tokyo')).toEqual({
      year: 2027,
      month: 1,
      day: 1,
      weekday: 5,
      minuteOfDay: 300,
    });
    expect(zonedTime(Date.parse('2024-02-29T23:59:59.999Z'))).toEqual({ year: 2024, month: 2, day: 29, weekday: 4, minuteOfDay: 1_439 });
    expect(['Europe/Berlin', 'UTC', '', 'Local', 'Nowhere/City', '+02:00'].map(isTimeZone)).toEqual([true, true, true, true, false, false]);
  });

  it('cut days off at the end of the month', () => {
    const contains = (days: readonly [number, number], date: string) =>
      containsTime({ daysOfMonth: [days] }, Date.parse(`${date}T12:00:00Z`));
    expect([contains([28, 31], '2026-02-28'), contains([29, 31], '2026-02-28'), contains([-31, -30], '2026-02-01')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([contains([1, -1], '2026-02-28'), contains([-1, -1], '2024-02-29'), contains([-2, -1], '2026-04-29')]).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('lists of silences', () => {
  const silence = (id: string, startsAtMs: number, endsAtMs: number, value = 'b'): Silence => ({
    id,
    matcherSets: [[{ name: 'a', op: '=', value }]],
    startsAtMs,
    endsAtMs,
    updatedAtMs: 1,
    createdBy: 'c',
    comment: '',
  });
  const all = [
    silence('old', 1, 50),
    silence('late', 200, 300),
    silence('soon', 150, 400),
    silence('long', 1, 900),
    silence('short', 1, 101, 'x'),
    silence('over', 1, 100),
  ];

  it('have those first that matter first', () => {
    expect(sortSilences(all, NOW).map(({ id }) => id)).toEqual(['short', 'long', 'soon', 'late', 'over', 'old']);
  });

  it('are selected by labels and by matchers', () => {
    const records = new Map(all.map((one) => [one.id, one]));
    const found = (query: Parameters<typeof querySilences>[1]) => querySilences(records, query, NOW).map(({ id }) => id);
    expect(found({ labels: { a: 'x' } })).toEqual(['short']);
    expect(found({ filter: [{ name: 'a', op: '=', value: 'x' }] })).toEqual(['short']);
    expect(found({ filter: [{ name: 'a', op: '=~', value: 'x' }] })).toEqual([]);
    expect(found({ filter: [{ name: 'a', op: '=', value: 'b' }], states: ['pending'] })).toEqual(['late', 'soon']);
    expect(found({ ids: ['soon', 'lost', 'old'] })).toEqual(['soon', 'old']);
  });
});
