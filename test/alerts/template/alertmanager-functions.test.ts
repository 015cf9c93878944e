import { describe, expect, it } from 'vitest';
import { alertmanagerFunctions } from '#alerts/template/alertmanager-functions.ts';
import { createTime, parseRfc3339 } from '#alerts/template/go-time.ts';
import type { Value } from '#alerts/template/go-values.ts';
import { type NotificationData, notificationValue } from '#alerts/template/notification-data.ts';
import { json, outcome, texts } from './render-case.ts';

const empty: NotificationData = {
  receiver: 'team',
  status: 'firing',
  alerts: [],
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalUrl: '',
};
const alert = { labels: {}, annotations: {}, startsAtMs: 0, endsAtMs: undefined, generatorUrl: '', fingerprint: '' };
const statuses = notificationValue({
  ...empty,
  alerts: [
    { ...alert, status: 'firing' },
    { ...alert, status: 'resolved' },
  ],
});
const routed = (routeLabels: Record<string, string>) => notificationValue({ ...empty, groupLabels: { key1: 'key1', x: 'v' }, routeLabels });
const nowMs = Date.UTC(2026, 6, 1, 12, 0, 0);
const moment = (text: string) => parseRfc3339(text) as Value;
const alertJson = (status: string) =>
  `{"status":"${status}","labels":{},"annotations":{},"startsAt":"1970-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":""}`;

/** What Alertmanager's own tests expect, and Go's documentation of the functions that they leave out. */
const cases: readonly { text: string; data?: Value; gives: string }[] = [
  { text: '{{ " a b c " | trimSpace }}', gives: 'a b c' },
  { text: '{{ if match "^a" "abc"}}abc{{ end }}', gives: 'abc' },
  { text: '{{ . | join "," }}', data: texts('a', 'b', 'c'), gives: 'a,b,c' },
  { text: '{{ "search?q=test%20foo" | urlUnescape }}', gives: 'search?q=test foo' },
  { text: '{{ "a+b%2Bc" | urlUnescape }}', gives: 'a b+c' },
  {
    text: '{{ "%zz" | urlUnescape }}',
    gives: 'error: template: test:1:11: executing "test" at <urlUnescape>: error calling urlUnescape: invalid URL escape "%zz"',
  },
  { text: '{{ "aa bb CC dD" | title }}', gives: 'Aa Bb Cc Dd' },
  { text: '{{ "it\'s a foo_bar-baz" | title }}', gives: "It's A Foo_bar-Baz" },
  {
    text: '{{ "test" | toJson }} {{ 42 | toJson }} {{ true | toJson }} {{ toJson 1.5 }} {{ toJson 1e21 }}',
    gives: '"test" 42 true 1.5 1e+21',
  },
  { text: '{{ . | toJson }}', data: json({ number: 123, key: 'value' }), gives: '{"key":"value","number":123}' },
  { text: '{{ . | toJson }}', data: texts('a', 'b', 'c'), gives: '["a","b","c"]' },
  { text: '{{ toJson "<&>\\u2028" }}', gives: '"\\u003c\\u0026\\u003e\\u2028"' },
  { text: '{{ .Alerts | toJson }}', data: statuses, gives: `[${alertJson('firing')},${alertJson('resolved')}]` },
  { text: '{{ .Alerts.Firing | toJson }}', data: statuses, gives: `[${alertJson('firing')}]` },
  { text: '{{ .GroupLabels | toJson }}', data: routed({}), gives: '{"key1":"key1","x":"v"}' },
  {
    text: '{{ "test" | base64encode }} {{ "flush>>" | base64encode }} {{ "dGVzdA==" | base64decode }}',
    gives: 'dGVzdA== Zmx1c2g-Pg== test',
  },
  {
    text: '{{ "not-valid-base64!" | base64decode }}',
    gives:
      'error: template: test:1:25: executing "test" at <base64decode>: error calling base64decode: illegal base64 data at input byte 16',
  },
  { text: '{{- $test := dict -}}{{ $test }}', gives: 'map[]' },
  { text: '{{- $test := dict "c" 3 "a" 1 "b" 2 -}}{{ $test }}', gives: 'map[a:1 b:2 c:3]' },
  {
    text: '{{ dict "a" }}',
    gives: 'error: template: test:1:3: executing "test" at <dict "a">: error calling dict: dict requires an even number of arguments',
  },
  {
    text: '{{ dict 1 "value" }}',
    gives: 'error: template: test:1:3: executing "test" at <dict 1 "value">: error calling dict: dict keys must be strings',
  },
  { text: '{{- $test := list -}}{{ $test }}', gives: '[]' },
  { text: '{{- $test := list "a" "b" -}}{{ $test = append $test "c" "d" -}}{{ $test }}', gives: '[a b c d]' },
  {
    text: '{{- $l := list -}}{{ range .Alerts }}{{ $m := dict "status" .Status "labels" .Labels }}{{ $l = append $l $m }}{{ end }}{{ toJson $l }}',
    data: statuses,
    gives: '[{"labels":{},"status":"firing"},{"labels":{},"status":"resolved"}]',
  },
  {
    text: 'Simple: {{ routeLabels "a" }} - Templated: {{ routeLabels "b" }} - Recursive: {{ routeLabels "c" }} [{{ routeLabels "none" }}]',
    data: routed({ a: 'rl1', b: '{{ .GroupLabels.key1 }}', c: '{{ routeLabels "b" }} recursive' }),
    gives: 'Simple: rl1 - Templated: key1 - Recursive: key1 recursive []',
  },
  {
    text: '{{ routeLabels "a" }}',
    data: routed({ a: '{{ routeLabels "b" }}', b: '{{ routeLabels "a" }}' }),
    gives:
      'error: template: test:1:3: executing "test" at <routeLabels "a">: error calling routeLabels: template: :1:3: executing "" at <routeLabels "b">: error calling routeLabels: template: :1:3: executing "" at <routeLabels "a">: error calling routeLabels: route label cycle detected: a -> b -> a',
  },
  { text: '{{ . | date "2006-01-02 15:04 MST" }}', data: createTime(0n), gives: '1970-01-01 00:00 UTC' },
  {
    text: '{{ . | tz "Europe/Paris" | date "2006-01-02 15:04:05 -0700 MST" }}',
    data: moment('2026-07-01T10:00:00Z'),
    gives: '2026-07-01 12:00:00 +0200 CEST',
  },
  { text: '{{ . | tz "America/New_York" | date "15:04 MST" }}', data: moment('2026-01-01T10:00:00Z'), gives: '05:00 EST' },
  { text: '{{ . | tz "Asia/Tokyo" | date "15:04 MST" }}', data: moment('2026-01-01T10:00:00Z'), gives: '19:00 JST' },
  { text: '{{ . | tz "Asia/Kathmandu" | date "15:04 -07:00 MST" }}', data: moment('2026-01-01T10:00:00Z'), gives: '15:45 +05:45 +0545' },
  {
    text: '{{ . | tz "Mars/Olympus" }}',
    data: createTime(0n),
    gives: 'error: template: test:1:7: executing "test" at <tz "Mars/Olympus">: error calling tz: unknown time zone Mars/Olympus',
  },
  { text: '{{ since . }} {{ since . | humanizeDuration }}', data: moment('2026-07-01T10:30:00Z'), gives: '1h30m0s 1h 30m 0s' },
  { text: '{{ now.Year }} {{ now | date "15:04" }}', gives: '2026 12:00' },
  {
    text: '{{ toDate "2006-01-02" "2026-03-04" }} {{ (toDate "2006-01-02" "nonsense").IsZero }}',
    gives: '2026-03-04 00:00:00 +0000 UTC true',
  },
  { text: '{{ (mustToDate "02 Jan 06 3:04 PM -0700" "04 Mar 26 1:05 PM +0100").Unix }}', gives: '1772625900' },
  {
    text: '{{ mustToDate "2006-01-02" "2026-02-30" }}',
    gives:
      'error: template: test:1:3: executing "test" at <mustToDate "2006-01-02" "2026-02-30">: error calling mustToDate: parsing time "2026-02-30" as "2006-01-02": cannot parse "2026-02-30" as "2006-01-02"',
  },
  { text: '{{ humanizeDuration 3661 }} {{ humanizeDuration "0.25" }}', gives: '1h 1m 1s 250ms' },
];

describe("Alertmanager's template functions", () => {
  it.each(cases)('$text', async ({ text, data, gives }) => {
    expect(await outcome(text, alertmanagerFunctions, data, { nowMs })).toBe(gives);
  });
});
