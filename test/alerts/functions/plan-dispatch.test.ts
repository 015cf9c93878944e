import { describe, expect, it } from 'vitest';
import { type AlertBook, EMPTY_BOOK } from '#alerts/dispatch/book.ts';
import { type PlannedDelivery, planDispatch } from '#alerts/dispatch/plan-dispatch.ts';
import { compileRouting } from '#alerts/dispatch/routing.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import type { Silence } from '#alerts/routing/silence.ts';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { START } from './world.ts';

const second = 1_000;

const BASE = `
route:
  receiver: a
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
receivers:
  - name: a
    webhook_configs: [{url: 'http://a.test/'}]
  - name: b
    webhook_configs: [{url: 'http://b.test/'}, {url: 'http://b.test/2', send_resolved: false}]
`;

/** What happens at a second after the start. */
interface Event {
  readonly at: number;
  /** Labels of alerts that are told to fire, `name/instance`. */
  readonly fire?: readonly string[];
  readonly resolve?: readonly string[];
  readonly config?: string;
  readonly silences?: readonly Silence[];
  /** Fires until then unless it is told again. */
  readonly timeoutAt?: number;
}

interface Case {
  readonly name: string;
  readonly events: readonly Event[];
  /** `second receiver/integration reason: +firing -resolved` */
  readonly told: readonly string[];
}

const silence: Silence = {
  id: 's',
  matcherSets: [[{ name: 'alertname', op: '=', value: 'Down' }]],
  startsAtMs: START,
  endsAtMs: START + 400 * second,
  updatedAtMs: START,
  createdBy: 'me',
  comment: 'known',
};
const route = (more: string) => BASE.replace('  repeat_interval: 1h\n', `  repeat_interval: 1h\n${more}`);

const cases: readonly Case[] = [
  {
    name: 'a group is told first when group_wait is over',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 29 }, { at: 30 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1'],
  },
  {
    name: 'alerts that come within group_wait are told together',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 10, fire: ['Down/2'] }, { at: 30 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1 +Down/2'],
  },
  {
    name: 'an alert that has fired for longer than group_wait when it is first heard of is told at once',
    events: [{ at: 100, fire: ['Old/1'] }],
    told: ['100 a/webhook_configs/0 first-notification: +Old/1'],
  },
  {
    name: 'a new alert of a group that was told waits for group_interval',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 60, fire: ['Down/2'] }, { at: 329 }, { at: 330 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1', '330 a/webhook_configs/0 new-alerts-in-group: +Down/1 +Down/2'],
  },
  {
    name: 'nothing new is told again only after repeat_interval',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 330 }, { at: 3_600 }, { at: 3_640 }, { at: 3_901 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1', '3901 a/webhook_configs/0 repeat-interval-elapsed: +Down/1'],
  },
  {
    name: 'what is resolved is told, and then the group is gone',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 60, resolve: ['Down/1'] }, { at: 330 }, { at: 700 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1', '330 a/webhook_configs/0 all-alerts-resolved: -Down/1'],
  },
  {
    name: 'one of two that is resolved is told with the one that fires',
    events: [{ at: 0, fire: ['Down/1', 'Down/2'] }, { at: 30 }, { at: 60, resolve: ['Down/1'] }, { at: 330 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1 +Down/2', '330 a/webhook_configs/0 new-resolved-alerts: -Down/1 +Down/2'],
  },
  {
    name: 'what is over before group_wait is never told',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 10, resolve: ['Down/1'] }, { at: 30 }],
    told: [],
  },
  {
    name: 'what fires again after it was told as resolved is told as new',
    events: [
      { at: 0, fire: ['Down/1'] },
      { at: 30 },
      { at: 60, resolve: ['Down/1'] },
      { at: 330 },
      { at: 400, fire: ['Down/1'] },
      { at: 430 },
    ],
    told: [
      '30 a/webhook_configs/0 first-notification: +Down/1',
      '330 a/webhook_configs/0 all-alerts-resolved: -Down/1',
      '430 a/webhook_configs/0 first-notification: +Down/1',
    ],
  },
  {
    name: 'what is silenced is told once the silence is over',
    events: [{ at: 0, fire: ['Down/1'], silences: [silence] }, { at: 30 }, { at: 330 }, { at: 630 }],
    told: ['630 a/webhook_configs/0 first-notification: +Down/1'],
  },
  {
    name: 'what is inhibited is told once its source is over',
    events: [
      {
        at: 0,
        fire: ['Down/1', 'Slow/1'],
        config: `${BASE}inhibit_rules: [{source_matchers: ['alertname="Down"'], target_matchers: ['alertname="Slow"'], equal: [instance]}]\n`,
      },
      { at: 30 },
      { at: 60, resolve: ['Down/1'] },
      { at: 330 },
    ],
    told: [
      '30 a/webhook_configs/0 first-notification: +Down/1',
      '330 a/webhook_configs/0 all-alerts-resolved: -Down/1',
      '330 a/webhook_configs/0 first-notification: +Slow/1',
    ],
  },
  {
    name: 'a muted time holds back, and the next flush outside of it tells',
    events: [
      {
        at: 0,
        fire: ['Down/1'],
        config: `${route('  routes: [{mute_time_intervals: [noon]}]\n')}time_intervals: [{name: noon, time_intervals: [{times: [{start_time: '12:00', end_time: '12:06'}]}]}]\n`,
      },
      { at: 30 },
      { at: 330 },
      { at: 630 },
    ],
    told: ['630 a/webhook_configs/0 first-notification: +Down/1'],
  },
  {
    name: 'a route that continues tells both receivers, and each integration of them',
    events: [
      { at: 0, fire: ['Down/1'], config: route('  routes: [{receiver: b, continue: true}, {receiver: a}]\n') },
      { at: 30 },
      { at: 60, resolve: ['Down/1'] },
      { at: 330 },
    ],
    told: [
      '30 b/webhook_configs/0 first-notification: +Down/1',
      '30 b/webhook_configs/1 first-notification: +Down/1',
      '30 a/webhook_configs/0 first-notification: +Down/1',
      '330 b/webhook_configs/0 all-alerts-resolved: -Down/1',
      '330 b/webhook_configs/1 all-alerts-resolved: -Down/1',
      '330 a/webhook_configs/0 all-alerts-resolved: -Down/1',
    ],
  },
  {
    name: 'a configuration that changes elsewhere tells nothing twice',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 60, config: `${BASE}# a remark\n` }, { at: 330 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1'],
  },
  {
    name: 'a route that moves to another place in the tree tells nothing twice',
    events: [
      { at: 0, fire: ['Down/1'], config: route('  routes: [{receiver: a, matchers: [alertname="Down"]}]\n') },
      { at: 30 },
      { at: 60, config: route('  routes: [{receiver: b, matchers: [alertname="Slow"]}, {receiver: a, matchers: [alertname="Down"]}]\n') },
      { at: 330 },
    ],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1'],
  },
  {
    name: 'a receiver that an alert is routed to anew is told',
    events: [{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 60, config: BASE.replace('receiver: a', 'receiver: b') }, { at: 90 }],
    told: [
      '30 a/webhook_configs/0 first-notification: +Down/1',
      '60 b/webhook_configs/0 first-notification: +Down/1',
      '60 b/webhook_configs/1 first-notification: +Down/1',
    ],
  },
  {
    name: "a sender's alert that is not told again in time is resolved",
    events: [{ at: 0, fire: ['Down/1'], timeoutAt: 200 }, { at: 30 }, { at: 330 }],
    told: ['30 a/webhook_configs/0 first-notification: +Down/1', '330 a/webhook_configs/0 all-alerts-resolved: -Down/1'],
  },
  {
    name: 'a group that a clock a day ahead has put off is looked at when the clock is right again',
    events: [
      { at: 0, fire: ['Down/1'] },
      { at: 30 },
      { at: 60, fire: ['Down/2'] },
      { at: 86_400 },
      { at: 90, resolve: ['Down/1'] },
      { at: 400 },
    ],
    told: [
      '30 a/webhook_configs/0 first-notification: +Down/1',
      '86400 a/webhook_configs/0 new-alerts-in-group: +Down/1 +Down/2',
      '90 a/webhook_configs/0 new-resolved-alerts: -Down/1 +Down/2',
    ],
  },
];

function alertAt(name: string, atMs: number, endsAtMs: number): ReceivedAlert {
  const [alertname, instance] = name.split('/') as [string, string];
  const startsAtMs = alertname === 'Old' ? atMs - HOUR_MS : atMs;
  return { labels: { alertname, instance }, annotations: {}, startsAtMs, endsAtMs, updatedAtMs: atMs, generatorUrl: '' };
}

function describeDelivery({ receiver, integration, reason, atMs, alerts }: PlannedDelivery): string {
  const named = alerts.map(({ labels, endsAtMs }) => `${Number.isFinite(endsAtMs) ? '-' : '+'}${labels.alertname}/${labels.instance}`);
  return `${(atMs - START) / second} ${receiver}/${integration} ${reason}: ${named.join(' ')}`;
}

/** Plays events, and returns the last book with what was told. */
function play(events: readonly Event[]): { told: string[]; book: AlertBook } {
  let book = EMPTY_BOOK;
  let routing = compileRouting(BASE);
  let silences: readonly Silence[] = [];
  const told: string[] = [];
  for (const { at, fire = [], resolve = [], timeoutAt, ...event } of events) {
    const nowMs = START + at * second;
    if (event.config) routing = compileRouting(event.config);
    silences = event.silences ?? silences;
    const until = timeoutAt === undefined ? Number.POSITIVE_INFINITY : START + timeoutAt * second;
    const alerts = [...fire.map((name) => alertAt(name, nowMs, until)), ...resolve.map((name) => alertAt(name, nowMs, nowMs))];
    const plan = planDispatch({ book, told: alerts, routing, silences, nowMs });
    book = plan.book;
    told.push(...plan.deliveries.map(describeDelivery));
  }
  return { told, book };
}

describe('planDispatch', () => {
  it.each(cases)('$name', ({ events, told }) => {
    expect(play(events).told).toEqual(told);
  });

  it('forgets an alert with the last group that it is in', () => {
    const { book } = play([{ at: 0, fire: ['Down/1'] }, { at: 30 }, { at: 60, resolve: ['Down/1'] }, { at: 330 }]);
    expect(book).toMatchObject({ groups: [] });
    expect(book.alerts.size).toBe(0);
  });

  it('is due when the first of its groups is, and never where there is none', () => {
    const routing = compileRouting(BASE);
    const input = { book: EMPTY_BOOK, routing, silences: [], nowMs: START };
    expect(planDispatch({ ...input, told: [alertAt('Down/1', START, Number.POSITIVE_INFINITY)] }).nextMs).toBe(START + 30 * second);
    expect(planDispatch({ ...input, told: [] }).nextMs).toBeUndefined();
  });

  it('plans the same from the same, and leaves its input as it is', () => {
    const routing = compileRouting(BASE);
    const told = [alertAt('Down/1', START, Number.POSITIVE_INFINITY)];
    const { book } = planDispatch({ book: EMPTY_BOOK, routing, silences: [], nowMs: START, told });
    const before = structuredClone(book);
    const input = { book, routing, silences: [], nowMs: START + DAY_MS, told: [] };
    expect(planDispatch(input)).toEqual(planDispatch(input));
    expect(book).toEqual(before);
  });

  it('takes in what a clock ahead has told before what is told after it', () => {
    const routing = compileRouting(BASE);
    const ahead = { ...alertAt('Down/1', START, Number.POSITIVE_INFINITY), updatedAtMs: START + DAY_MS };
    const first = planDispatch({ book: EMPTY_BOOK, routing, silences: [], nowMs: START + DAY_MS, told: [ahead] });
    const over = alertAt('Down/1', START + 60_000, START + 60_000);
    const { book } = planDispatch({ book: first.book, routing, silences: [], nowMs: START + 61_000, told: [over] });
    expect([...book.alerts.values()].map(({ endsAtMs }) => endsAtMs)).toEqual([]);
  });
});
