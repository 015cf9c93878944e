import type { Alert, LabelSet } from '#model/alert.ts';
import type { Incident } from './incident.ts';

/** Name of the alerts that incidents are; such an alert is no part of an incident. */
export const INCIDENT_NAME = 'Incident';

/** The label by which an incident's alert, and while it is open its members, are known to inhibition. */
export const INCIDENT_LABEL = 'incident';

/** An incident as an alert. Its labels stay the same for as long as its severity does; a higher one makes it another alert. */
export function toIncidentAlert(incident: Incident, more: LabelSet, atMs: number, url: string): Alert {
  const { id, labels, severity, title, causes, alerts, firing, openedAtMs, closedAtMs } = incident;
  const own: LabelSet = severity === '' ? {} : { severity };
  const counts = `${alerts} ${alerts === 1 ? 'alert' : 'alerts'} so far, ${firing} of them firing.`;
  return {
    labels: { ...labels, ...own, ...more, alertname: INCIDENT_NAME, [INCIDENT_LABEL]: id },
    annotations: { summary: title, description: causes[0] ? `${counts} Probable cause: ${causes[0].sentence}.` : counts },
    startsAtMs: openedAtMs,
    endsAtMs: closedAtMs ?? Number.POSITIVE_INFINITY,
    updatedAtMs: atMs,
    generatorUrl: url,
  };
}
