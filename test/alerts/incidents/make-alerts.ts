import { type Correlated, correlate, NO_INCIDENTS } from '#alerts/incidents/correlate.ts';
import type { Incident, IncidentState } from '#alerts/incidents/incident.ts';
import { decodeIncidents, encodeIncidents } from '#alerts/incidents/incident-codec.ts';
import { DEFAULT_SETTINGS, type IncidentSettings } from '#alerts/incidents/settings.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { Alert, LabelSet } from '#model/alert.ts';

export const minute = 60_000;

/** An alert that fires from a minute on. */
export function alertOf(labels: LabelSet, startMinute = 0, endMinute = Number.POSITIVE_INFINITY): Alert {
  const times = { startsAtMs: startMinute * minute, endsAtMs: endMinute * minute, updatedAtMs: startMinute * minute };
  return { labels, annotations: {}, generatorUrl: '', ...times };
}

export function byFingerprint(alerts: Iterable<Alert>): Map<string, Alert> {
  return new Map([...alerts].map((alert) => [fingerprintLabels(alert.labels), alert]));
}

export interface Run {
  readonly state: IncidentState;
  readonly steps: readonly Correlated[];
}

/** Correlates at each time what there is of the alerts then; the state is packed and unpacked between. */
export function runAt(
  minutes: readonly number[],
  alerts: readonly Alert[],
  more: Partial<IncidentSettings> = {},
  from = NO_INCIDENTS,
): Run {
  let state = from;
  const steps: Correlated[] = [];
  for (const at of minutes) {
    const nowMs = at * minute;
    const there = byFingerprint(alerts.filter(({ startsAtMs }) => startsAtMs <= nowMs));
    const step = correlate({ state, alerts: there, settings: { ...DEFAULT_SETTINGS, ...more }, nowMs });
    steps.push(step);
    state = decodeIncidents(encodeIncidents({ state: step.state, pending: [] })).state;
  }
  return { state, steps };
}

/** The open incidents, each as the names of its alerts in order. */
export function openIncidents({ alerts, clusters }: IncidentState): string[] {
  return clusters
    .filter(({ incident }) => incident)
    .map(({ members }) => nameMembers({ alerts }, members))
    .sort();
}

/** Every cluster as the fingerprints of its alerts in order: equal for equal partitions. */
export function partitionOf({ clusters }: IncidentState): string[] {
  return clusters.map(({ members }) => [...members].sort().join()).sort();
}

function nameMembers({ alerts }: Pick<IncidentState, 'alerts'>, members: readonly string[]): string {
  return members
    .map((fingerprint) => alerts.get(fingerprint)?.labels.alertname ?? '')
    .sort()
    .join('+');
}

export function kindsOf({ history }: Incident): string {
  return history.map(({ kind }) => kind).join();
}
