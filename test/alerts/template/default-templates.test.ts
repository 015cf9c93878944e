import { describe, expect, it } from 'vitest';
import type { NotificationData } from '#alerts/template/notification-data.ts';
import { createNotificationRenderer, parseTemplateFiles } from '#alerts/template/notification-template.ts';
import { notification } from './notification.ts';

const set = parseTemplateFiles([]);
const resolved: NotificationData = {
  ...notification,
  status: 'resolved',
  alerts: notification.alerts.filter(({ status }) => status === 'resolved'),
};

function render(name: string, data: NotificationData, mode: 'text' | 'html' = 'text'): Promise<string> {
  const dot = name.startsWith('__text_alert_list') || name === 'pagerduty.default.instances' ? '.Alerts' : '.';
  return createNotificationRenderer(set, data, { nowMs: 0 })[mode](`{{ template "${name}" ${dot} }}`);
}

const subjects: readonly { what: string; data: NotificationData; gives: string }[] = [
  { what: 'firing alerts and further common labels', data: notification, gives: '[FIRING:2] HighLatency (web)' },
  { what: 'resolved alerts', data: resolved, gives: '[RESOLVED] HighLatency (web)' },
  { what: 'no further labels', data: { ...notification, commonLabels: notification.groupLabels }, gives: '[FIRING:2] HighLatency ' },
  {
    what: 'several group labels, the name of the alert first',
    data: { ...notification, groupLabels: { a: 'x', alertname: 'Down' }, commonLabels: { a: 'x', alertname: 'Down', b: 'y', c: 'z' } },
    gives: '[FIRING:2] Down x (y z)',
  },
  { what: 'no group', data: { ...notification, groupLabels: {}, commonLabels: {} }, gives: '[FIRING:2]  ' },
];

describe('the default templates', () => {
  it.each(subjects)('have the subject that people know, for $what', async ({ data, gives }) => {
    expect(await render('__subject', data)).toBe(gives);
  });

  it('list every alert with its labels, annotations and source', async () => {
    expect(await render('__text_alert_list', resolved)).toBe(
      [
        'Labels:',
        ' - alertname = HighLatency',
        ' - instance = web-3.example.com:9090',
        ' - job = web',
        ' - severity = warning',
        ' - zone = ü',
        'Annotations:',
        ' - runbook = https://example.com/r?x=1&y=2',
        ' - summary = Ganz schön langsam 🐢',
        ' - value = -3',
        'Source: ',
        '',
      ].join('\n'),
    );
  });

  it('give each service its texts', async () => {
    const link = 'http://alerts.example.com/#/alerts?receiver=team+%3CX%3E';
    const expected = {
      'slack.default.color': 'danger',
      'slack.default.username': 'Alertmanager',
      'slack.default.fallback': `[FIRING:2] HighLatency (web) | ${link}`,
      'slack.default.text': '',
      'pagerduty.default.clientURL': link,
      'jira.default.priority': 'High',
      'opsgenie.default.source': link,
      'msteams.default.title': '[FIRING:2] HighLatency (web)',
    };
    const given = await Promise.all(Object.keys(expected).map(async (name) => [name, await render(name, notification)]));
    expect(Object.fromEntries(given)).toEqual(expected);
    expect(await render('slack.default.color', resolved)).toBe('good');
    expect(await render('jira.default.priority', resolved)).toBe('Medium');
    expect(await render('msteamsv2.default.text', notification)).toMatch(/^# Alerts Firing:\n\nLabels:\n {2}- alertname = HighLatency\n/);
  });

  it('can all be rendered, on any data', async () => {
    const nothing: NotificationData = { ...notification, alerts: [], groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
    for (const name of set.trees.keys()) {
      if (name.startsWith('__email_alert') || name === '__jira_priority') continue; // of one alert, of a list
      for (const data of [notification, resolved, nothing]) expect(await render(name, data)).toBeTypeOf('string');
    }
  });

  it('tell of a storm in one mail', async () => {
    const [one] = notification.alerts as [NotificationData['alerts'][number]];
    const alerts = Array.from({ length: 5_000 }, (_, i) => ({
      ...one,
      labels: { ...one.labels, pod: `p${i}`, node: `n${i}`, cluster: 'c' },
    }));
    const mail = await render('email.default.html', { ...notification, alerts }, 'html');
    expect(mail).toContain('[5000] Firing');
    expect(mail).toContain('pod = p4999');
  });

  it('make a mail in which nothing of an alert is markup', async () => {
    const mail = await render('email.default.html', notification, 'html');
    expect(mail).toContain('<title>[FIRING:2] HighLatency (web)</title>');
    expect(mail).toContain('It&#39;s &lt;b&gt;slow&lt;/b&gt;');
    expect(mail).toContain('3 alerts for alertname=HighLatency');
    expect(mail).not.toContain('javascript:');
    expect(mail).toContain('href="http://prometheus:9090/graph?g0.expr=up&#43;%3D%3D&#43;0&amp;g0.tab=1"');
  });
});

describe("a configuration's template files", () => {
  it('define names anew, and what calls them gives the new', async () => {
    const files = [
      { name: 'a.tmpl', text: '{{ define "slack.default.title" }}first{{ end }}{{ define "mine" }}{{ .Status }}{{ end }}' },
      { name: 'b.tmpl', text: '{{ define "slack.default.title" }}{{ template "mine" . }}!{{ end }}{{ define "mine" }} {{ end }}' },
    ];
    const renderer = createNotificationRenderer(parseTemplateFiles(files), notification, { nowMs: 0 });
    expect(await renderer.text('{{ template "slack.default.fallback" . }}')).toMatch(/^firing! \| http/);
    expect(await renderer.text('{{ define "mine" }}own{{ end }}{{ template "mine" . }}')).toBe('own');
    expect(await renderer.text('{{ template "a.tmpl" . }}|')).toBe('|');
  });

  it('are refused by name and line', () => {
    const parse = (text: string) => () => parseTemplateFiles([{ name: 'team.tmpl', text }]);
    expect(parse('\n{{ define "x" }}')).toThrow('template: team.tmpl:2: unexpected EOF');
    expect(parse('{{ define "x" }}1{{ end }}{{ define "x" }}2{{ end }}')).toThrow('multiple definition of template "x"');
  });
});
