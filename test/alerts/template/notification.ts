import type { NotificationData } from '#alerts/template/notification-data.ts';

/** A notification of three alerts in a group, one of them resolved, with everything in it that escaping and sorting have to do with. */
export const notification: NotificationData = {
  receiver: 'team <X>',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'HighLatency', instance: 'web-1.example.com:9090', job: 'web', severity: 'critical', zone: 'a' },
      annotations: { summary: 'Latency is "high" & rising', runbook: 'https://example.com/r?x=1&y=2', value: '1234567.5' },
      startsAtMs: Date.UTC(2026, 2, 29, 0, 30, 15, 123),
      endsAtMs: undefined,
      generatorUrl: 'http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
      fingerprint: '0123456789abcdef',
    },
    {
      status: 'firing',
      labels: { alertname: 'HighLatency', instance: 'web-2.example.com:9090', job: 'web', severity: 'warning', zone: 'b' },
      annotations: { summary: "It's <b>slow</b>", runbook: 'https://example.com/r?x=1&y=2', value: '0.5' },
      startsAtMs: Date.UTC(2026, 2, 29, 1, 0, 0),
      endsAtMs: undefined,
      generatorUrl: 'javascript:alert(1)',
      fingerprint: 'fedcba9876543210',
    },
    {
      status: 'resolved',
      labels: { alertname: 'HighLatency', instance: 'web-3.example.com:9090', job: 'web', severity: 'warning', zone: 'ü' },
      annotations: { summary: 'Ganz schön langsam 🐢', runbook: 'https://example.com/r?x=1&y=2', value: '-3' },
      startsAtMs: Date.UTC(2025, 11, 31, 23, 59, 59),
      endsAtMs: Date.UTC(2026, 0, 1, 0, 0, 1),
      generatorUrl: '',
      fingerprint: '00000000000000ff',
    },
  ],
  groupLabels: { alertname: 'HighLatency' },
  commonLabels: { alertname: 'HighLatency', job: 'web' },
  commonAnnotations: { runbook: 'https://example.com/r?x=1&y=2' },
  externalUrl: 'http://alerts.example.com',
};

const zero = '0001-01-01T00:00:00Z';
const iso = (timeMs: number | undefined) => (timeMs === undefined ? zero : new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z'));

/** The same as Alertmanager's own JSON, for its command line. */
export function notificationJson(data: NotificationData): object {
  return {
    ...data,
    externalURL: data.externalUrl,
    alerts: data.alerts.map((alert) => ({
      ...alert,
      generatorURL: alert.generatorUrl,
      startsAt: iso(alert.startsAtMs),
      endsAt: iso(alert.endsAtMs),
    })),
  };
}
