import { describe, expect, it } from 'vitest';
import { alertsChanged, findChanges } from '#alerts/dispatch/alert-changes.ts';
import type { AlertBook } from '#alerts/dispatch/book.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { AlertsChanged } from '#model/events.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');

function alert(name: string, more: Partial<ReceivedAlert> = {}): ReceivedAlert {
  const times = { startsAtMs: nowMs - 60_000, endsAtMs: Number.POSITIVE_INFINITY, updatedAtMs: nowMs };
  return { labels: { alertname: name }, annotations: {}, generatorUrl: '', ...times, ...more };
}

function book(...alerts: readonly ReceivedAlert[]): AlertBook {
  return { configId: '', groups: [], alerts: new Map(alerts.map((each) => [fingerprintLabels(each.labels), each])) };
}

const firing = alert('A');
const ended = alert('A', { endsAtMs: nowMs - 1_000 });
const timedOut = alert('A', { endsAtMs: nowMs - 1_000, updatedAtMs: nowMs - 300_000, endIsTimeout: true });

describe('findChanges', () => {
  it.each([
    ['one that is new', book(), book(firing), [], ['firing']],
    ['one that fires on', book(firing), book(firing), [firing], []],
    ['one that its sender ended', book(firing), book(ended), [ended], ['resolved']],
    ['one that ended and left the book at once', book(firing), book(), [ended], ['resolved']],
    ['one whose end is known already', book(ended), book(), [], []],
    ['one that ended and fires again', book(ended), book(firing), [firing], ['firing']],
    ['one that nobody tells any more, while its group still holds it', book(timedOut), book(timedOut), [], []],
    ['one that nobody tells any more, when it leaves the book', book(timedOut), book(), [], ['resolved']],
    ['nothing at all', book(), book(), [], []],
  ])('of %s', (_, before, after, told, expected) => {
    const changes = findChanges(before, after, told, nowMs);
    expect(changes.map(({ status }) => status)).toEqual(expected);
    for (const { status, alert: told } of changes) expect(told.endsAtMs <= nowMs).toBe(status === 'resolved');
  });
});

describe('alertsChanged', () => {
  it('is as its schema says, whatever happened', () => {
    const steps = findChanges(book(alert('B')), book(firing), [], nowMs);
    const { detail } = alertsChanged('id', 'team-a', steps, nowMs);
    expect(AlertsChanged.parse(detail)).toMatchObject({ tenant: 'team-a', firing: 1, resolved: 1, truncatedAlerts: 0 });
    expect((detail as AlertsChanged).alerts.map(({ status, labels }) => [status, labels.alertname])).toEqual([
      ['firing', 'A'],
      ['resolved', 'B'],
    ]);
  });

  it('has of a storm as many as fit, and counts all', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => alert(`A${i}`));
    const { detail } = alertsChanged('id', 'team-a', findChanges(book(), book(...many), many, nowMs), nowMs);
    const { firing: count, alerts, truncatedAlerts } = detail as AlertsChanged;
    expect(count).toBe(5_000);
    expect(alerts.length + truncatedAlerts).toBe(5_000);
    expect(alerts.length).toBeGreaterThan(100);
    expect(JSON.stringify(detail).length).toBeLessThan(100_000);
  });
});
