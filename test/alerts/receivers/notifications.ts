import type { CreateRenderer } from '#alerts/receivers/composing.ts';
import type { Notification, NotifiedAlert } from '#alerts/receivers/notification.ts';

const START_MS = Date.UTC(2026, 2, 1, 12, 0, 0, 250);

/** An alert with what tests do not care about. */
export function alertOf(labels: Record<string, string>, given: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    labels,
    annotations: { summary: `${labels.instance ?? 'it'} is down` },
    startsAtMs: START_MS,
    endsAtMs: START_MS + 3_600_000,
    updatedAtMs: START_MS,
    generatorUrl: 'http://prometheus.test/graph?g0.expr=up&g0.tab=1',
    fingerprint: fingerprintOf(labels),
    ...given,
  };
}

/** A notification of two firing alerts with what tests do not care about. */
export function notificationOf(given: Partial<Notification> = {}): Notification {
  return {
    tenant: 'main',
    receiver: 'ops',
    groupKey: '{}:{alertname="Down"}',
    groupLabels: { alertname: 'Down' },
    alerts: [alertOf({ alertname: 'Down', instance: 'a', job: 'node' }), alertOf({ alertname: 'Down', instance: 'b', job: 'node' })],
    externalUrl: 'http://quarterdeck.test/alertmanager',
    atMs: START_MS + 60_000,
    idempotencyKey: 'main/ops/1',
    ...given,
  };
}

/** All its alerts resolved. */
export function resolved(notification: Notification): Notification {
  return { ...notification, alerts: notification.alerts.map((alert) => ({ ...alert, endsAtMs: notification.atMs - 1_000 })) };
}

/** Prometheus' fingerprint of a label set, by its definition: FNV-1a of 64 bits over names and values, each ended by 0xff. */
function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  let hash = 0xcbf29ce484222325n;
  const add = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  };
  for (const name of Object.keys(labels).sort()) {
    for (const text of [name, labels[name]!]) {
      for (const byte of Buffer.from(text)) add(byte);
      add(0xff);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

/** Templates in which `{{ status }}` and `{{ alerts }}` are replaced. */
export const createRenderer: CreateRenderer = ({ status, alerts }) => ({
  text: async (text) => text.replaceAll('{{ status }}', status).replaceAll('{{ alerts }}', String(alerts.length)),
  html: async (text) => text.replaceAll('{{ status }}', `<b>${status}</b>`),
});
