import type { LabelSet } from '#model/alert.ts';
import { IncidentMerged, IncidentOpened, IncidentResolved } from '#model/events.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { Incident, IncidentChange } from './incident.ts';

const SOURCE = 'quarterdeck.alerts';
/** What one event carries at most: an event has 200 KB. */
const MAX_CAUSES = 3;
const MAX_NAMES = 50;
const MAX_CHARS = 500;
const MAX_LABELS = 30;

/** A change as it is told on the bus; the same change has the same id. */
export function toEvent(tenant: string, change: IncidentChange, atMs: number): BusEvent {
  const { incident } = change;
  const at = new Date(atMs).toISOString();
  const common = {
    tenant,
    at,
    incident: incident.id,
    title: shorten(incident.title),
    severity: shorten(incident.severity),
    alerts: incident.alerts,
  };
  if (change.kind === 'merged') {
    const { id: from, alerts: fromAlerts } = change.from;
    const detail = IncidentMerged.parse({ ...common, id: `incident-${incident.id}-merged-${from}`, from, fromAlerts });
    return { source: SOURCE, detailType: 'Incident Merged', detail };
  }
  const more = {
    id: `incident-${incident.id}-${change.kind}`,
    labels: shortenLabels(incident.labels),
    startedAt: new Date(incident.startedAtMs).toISOString(),
    names: mostCommon(incident),
    causes: incident.causes
      .slice(0, MAX_CAUSES)
      .map(({ labels, score, sentence }) => ({ labels: shortenLabels(labels), score, sentence: shorten(sentence) })),
  };
  if (change.kind === 'opened')
    return { source: SOURCE, detailType: 'Incident Opened', detail: IncidentOpened.parse({ ...common, ...more }) };
  const openedAt = new Date(incident.openedAtMs).toISOString();
  return { source: SOURCE, detailType: 'Incident Resolved', detail: IncidentResolved.parse({ ...common, ...more, openedAt }) };
}

function mostCommon({ names }: Incident): Record<string, number> {
  const most = Object.entries(names).sort((a, b) => b[1] - a[1]);
  return Object.fromEntries(most.slice(0, MAX_NAMES).map(([name, count]) => [shorten(name), count]));
}

function shortenLabels(labels: LabelSet): LabelSet {
  return Object.fromEntries(
    Object.entries(labels)
      .slice(0, MAX_LABELS)
      .map(([name, value]) => [shorten(name), shorten(value)]),
  );
}

function shorten(text: string): string {
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS).toWellFormed()}...` : text;
}
