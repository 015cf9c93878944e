import { createHash } from 'node:crypto';
import { isResolved } from '#alerts/routing/flush.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Alert, LabelSet } from '#model/alert.ts';
import type { Cluster, HistoryEntry, Incident, IncidentChange, IncidentState, Member } from './incident.ts';
import { INCIDENT_NAME } from './incident-alert.ts';
import { learnStarts, NOTHING_LEARNED } from './learned.ts';
import { linkAlerts } from './link-alerts.ts';
import { rankCauses } from './rank-causes.ts';
import type { IncidentSettings } from './settings.ts';

export const NO_INCIDENTS: IncidentState = { alerts: new Map(), clusters: [], learned: NOTHING_LEARNED };

/** Entries of a history about alerts that came and went; what opens, merges and closes it is always told. */
const MAX_HISTORY = 500;

export interface CorrelateInput {
  readonly state: IncidentState;
  /** Every alert that there is, by fingerprint; one that is not there is over. */
  readonly alerts: ReadonlyMap<string, Alert>;
  readonly settings: IncidentSettings;
  readonly nowMs: number;
}

export interface Correlated {
  /** The same object as before where nothing has changed. */
  readonly state: IncidentState;
  readonly changes: readonly IncidentChange[];
  /** Open incidents that are other than before, new ones among them. */
  readonly changed: readonly Incident[];
  /** When something may change without an alert that changes. */
  readonly nextMs: number | undefined;
}

/**
 * Takes alerts as they are now into clusters, and clusters of enough alerts into incidents. Pure, and the same whatever the order of the alerts.
 * An alert is in one cluster from when it first fires until the cluster is over.
 */
export function correlate({ state, alerts, settings, nowMs }: CorrelateInput): Correlated {
  const held = new Map(state.alerts);
  const turned = updateMembers(held, alerts, nowMs);
  const fresh = findFresh(held, alerts, nowMs);
  for (const member of fresh) held.set(member.fingerprint, member);
  const membersOf = ({ members }: Cluster) => members.map((fingerprint) => held.get(fingerprint) as Member);
  const linked = fresh.length > 0 ? linkAlerts({ clusters: state.clusters.map(membersOf), fresh, learned: state.learned, settings }) : [];
  const learned = learnStarts(state.learned, fresh, settings.windowMs, nowMs);
  const context: Context = { held, learned, settings, nowMs, changes: [] };
  const touched = new Set(linked.flatMap((each) => each.clusters));
  const joined = linked.map(({ clusters, fresh: own }) =>
    joinClusters(
      context,
      clusters.map((i) => state.clusters[i] as Cluster),
      own,
    ),
  );
  const rest = state.clusters.filter((_, i) => !touched.has(i));
  const clusters = [...rest, ...joined].flatMap((cluster) => settle(context, cluster, turned));
  const before = new Map(state.clusters.map(({ incident }) => [incident?.id, incident]));
  const changed = clusters.flatMap(({ incident }) => (incident && before.get(incident.id) !== incident ? [incident] : []));
  const isSame = fresh.length === 0 && turned.size === 0 && learned === state.learned && clusters.length === state.clusters.length;
  return {
    state: isSame ? state : { alerts: held, clusters, learned },
    changes: context.changes,
    changed,
    nextMs: findNext(clusters, held, alerts, settings),
  };
}

interface Context {
  readonly held: Map<string, Member>;
  readonly learned: IncidentState['learned'];
  readonly settings: IncidentSettings;
  readonly nowMs: number;
  readonly changes: IncidentChange[];
}

/** Members that have ended since, or fire again; by fingerprint. */
function updateMembers(held: Map<string, Member>, alerts: ReadonlyMap<string, Alert>, nowMs: number): ReadonlySet<string> {
  const turned = new Set<string>();
  for (const [fingerprint, member] of held) {
    const alert = alerts.get(fingerprint);
    const fires = alert !== undefined && !isResolved(alert, nowMs);
    if (fires === (member.endedAtMs === undefined)) continue;
    const endedAtMs = fires ? undefined : Math.max(member.startsAtMs, Math.min(nowMs, alert?.endsAtMs ?? nowMs));
    held.set(fingerprint, { ...member, endedAtMs });
    turned.add(fingerprint);
  }
  return turned;
}

function findFresh(held: ReadonlyMap<string, Member>, alerts: ReadonlyMap<string, Alert>, nowMs: number): Member[] {
  const fresh: Member[] = [];
  for (const [fingerprint, alert] of alerts) {
    if (held.has(fingerprint) || isResolved(alert, nowMs) || alert.labels.alertname === INCIDENT_NAME) continue;
    fresh.push({ fingerprint, labels: alert.labels, startsAtMs: alert.startsAtMs });
  }
  return fresh;
}

/** One cluster of several, and of alerts that are new to it. */
function joinClusters(context: Context, clusters: readonly Cluster[], fresh: readonly Member[]): Cluster {
  const members = [...clusters.flatMap((cluster) => cluster.members), ...fresh.map(({ fingerprint }) => fingerprint)];
  const incidents = clusters.flatMap((cluster) => (cluster.incident ? [cluster] : [])).sort((a, b) => compareUtf8(idOf(a), idOf(b)));
  const [first, ...others] = incidents;
  if (!first?.incident) {
    if (members.length < context.settings.minAlerts) return { members };
    return { members, incident: openIncident(context, members) };
  }
  let incident = first.incident;
  for (const other of others) incident = mergeIncident(context, incident, other.incident as Incident, other.members.length);
  const known = incidents.reduce((sum, cluster) => sum + cluster.members.length, 0);
  const joined = members.length - known;
  const text = `${joined} more ${joined === 1 ? 'alert' : 'alerts'}`;
  if (joined > 0) incident = note(incident, { atMs: context.nowMs, kind: 'joined', text, alerts: joined });
  return { members, incident: describe(context, incident, members, true) };
}

function idOf({ incident }: Cluster): string {
  return incident?.id ?? '';
}

function openIncident(context: Context, members: readonly string[]): Incident {
  const { held, nowMs } = context;
  const all = members.map((fingerprint) => held.get(fingerprint) as Member);
  const startedAtMs = all.reduce((least, { startsAtMs }) => Math.min(least, startsAtMs), Number.POSITIVE_INFINITY);
  const bare: Incident = {
    id: incidentId(all, nowMs),
    status: 'open',
    title: '',
    severity: '',
    labels: commonLabels(all),
    openedAtMs: nowMs,
    startedAtMs,
    alerts: 0,
    firing: 0,
    names: {},
    causes: [],
    history: [],
  };
  const described = describe(context, bare, members, true);
  const text = `opened with ${members.length} alerts: ${described.title}`;
  const incident = note({ ...described, history: [] }, { atMs: nowMs, kind: 'opened', text, alerts: members.length });
  context.changes.push({ kind: 'opened', incident });
  return incident;
}

/** The time and, since several may open at once, the first alert. */
function incidentId(members: readonly Member[], nowMs: number): string {
  const [first] = members.map(({ fingerprint }) => fingerprint).sort(compareUtf8);
  const hash = createHash('sha256').update(`${first}/${nowMs}`).digest('hex').slice(0, 8);
  return `${Math.max(0, nowMs).toString(36).padStart(9, '0')}-${hash}`;
}

function commonLabels(members: readonly Member[]): LabelSet {
  const [first, ...rest] = members;
  const own = Object.entries(first?.labels ?? {}).filter(([name]) => name !== 'alertname' && name !== 'severity');
  return Object.fromEntries(own.filter(([name, value]) => rest.every(({ labels }) => labels[name] === value)));
}

function mergeIncident(context: Context, into: Incident, from: Incident, alerts: number): Incident {
  const { nowMs: atMs, changes } = context;
  const gone = note(
    { ...from, status: 'merged', closedAtMs: atMs, mergedInto: into.id },
    { atMs, kind: 'merged', text: `went into ${into.id}`, alerts, incident: into.id },
  );
  const text = `took in ${from.id} with ${alerts} alerts: ${from.title}`;
  const incident = note(into, { atMs, kind: 'merged', text, alerts, incident: from.id });
  changes.push({ kind: 'merged', incident, from: gone });
  return incident;
}

/** Appends; entries are never changed. */
function note(incident: Incident, entry: HistoryEntry): Incident {
  const isMinor = entry.kind === 'joined' || entry.kind === 'ended' || entry.kind === 'fired-again';
  if (isMinor && incident.history.length >= MAX_HISTORY) return incident;
  return { ...incident, history: [...incident.history, entry] };
}

/** What an incident's members make of it now; its causes are weighed again where there are more of them. */
function describe(
  { held, learned, settings, nowMs }: Context,
  incident: Incident,
  fingerprints: readonly string[],
  isMore: boolean,
): Incident {
  const members = fingerprints.map((fingerprint) => held.get(fingerprint) as Member);
  const firing = members.filter(({ endedAtMs }) => endedAtMs === undefined).length;
  if (!isMore) return { ...incident, firing };
  const names = new Map<string, number>();
  let startedAtMs = incident.startedAtMs;
  let severity = incident.severity;
  for (const { labels, startsAtMs } of members) {
    const { alertname = '' } = labels;
    names.set(alertname, (names.get(alertname) ?? 0) + 1);
    startedAtMs = Math.min(startedAtMs, startsAtMs);
    severity = higher(settings, severity, labels.severity ?? '');
  }
  const causes = rankCauses({ members, learned, settings });
  const described = {
    ...incident,
    alerts: members.length,
    firing,
    names: Object.fromEntries(names),
    startedAtMs,
    severity,
    causes,
    title: titleOf(causes, members.length, names.size),
  };
  if (severity === incident.severity || incident.severity === '') return described;
  return note(described, { atMs: nowMs, kind: 'severity', text: `severity rose from ${incident.severity} to ${severity}`, alerts: 0 });
}

/** The higher severity; one that nobody ordered is below all others. */
function higher({ severities }: IncidentSettings, a: string, b: string): string {
  const rank = (severity: string) =>
    severity === '' ? severities.length + 1 : severities.includes(severity) ? severities.indexOf(severity) : severities.length;
  if (rank(a) !== rank(b)) return rank(a) < rank(b) ? a : b;
  return compareUtf8(a, b) <= 0 ? a : b;
}

function titleOf([cause]: Incident['causes'], count: number, kinds: number): string {
  const name = cause?.labels.alertname ?? '';
  return count === 1 ? name : `${name} and ${count - 1} more ${count === 2 ? 'alert' : 'alerts'}${kinds > 1 ? ` of ${kinds} kinds` : ''}`;
}

/** Notes what ended or fires again in a cluster; one that is over is gone, with its alerts. */
function settle(context: Context, cluster: Cluster, turned: ReadonlySet<string>): Cluster[] {
  const { held, settings, nowMs } = context;
  const own = turned.size === 0 ? [] : cluster.members.filter((fingerprint) => turned.has(fingerprint));
  let { incident } = cluster;
  if (incident && own.length > 0) incident = noteTurned(context, incident, cluster.members, own);
  const lastMs = endOf(cluster.members, held);
  const waitMs = incident ? settings.resolveAfterMs : settings.windowMs;
  if (lastMs === undefined || nowMs - lastMs < waitMs) return [incident === cluster.incident ? cluster : { ...cluster, incident }];
  for (const fingerprint of cluster.members) held.delete(fingerprint);
  if (!incident) return [];
  const entry: HistoryEntry = {
    atMs: nowMs,
    kind: 'resolved',
    text: `resolved: nothing of it fires since ${new Date(lastMs).toISOString()}`,
    alerts: 0,
  };
  context.changes.push({ kind: 'resolved', incident: note({ ...incident, status: 'resolved', closedAtMs: nowMs }, entry) });
  return [];
}

function noteTurned(context: Context, incident: Incident, members: readonly string[], own: readonly string[]): Incident {
  const ended = own.filter((fingerprint) => context.held.get(fingerprint)?.endedAtMs !== undefined).length;
  const again = own.length - ended;
  const now = describe(context, incident, members, false);
  const entry = (kind: 'ended' | 'fired-again', alerts: number): HistoryEntry => {
    const verb = kind === 'ended' ? 'ended' : 'fired again';
    return { atMs: context.nowMs, kind, text: `${alerts} ${alerts === 1 ? 'alert' : 'alerts'} ${verb}; ${now.firing} fire now`, alerts };
  };
  const noted = ended > 0 ? note(now, entry('ended', ended)) : now;
  return again > 0 ? note(noted, entry('fired-again', again)) : noted;
}

/** When the last of these alerts ended; undefined while one fires. */
function endOf(fingerprints: readonly string[], held: ReadonlyMap<string, Member>): number | undefined {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const fingerprint of fingerprints) {
    const endedAtMs = held.get(fingerprint)?.endedAtMs;
    if (endedAtMs === undefined) return undefined;
    lastMs = Math.max(lastMs, endedAtMs);
  }
  return lastMs;
}

function findNext(
  clusters: readonly Cluster[],
  held: ReadonlyMap<string, Member>,
  alerts: ReadonlyMap<string, Alert>,
  { resolveAfterMs, windowMs }: IncidentSettings,
): number | undefined {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { members, incident } of clusters) {
    const lastMs = endOf(members, held);
    if (lastMs !== undefined) nextMs = Math.min(nextMs, lastMs + (incident ? resolveAfterMs : windowMs));
  }
  for (const fingerprint of held.keys()) {
    const endsAtMs = alerts.get(fingerprint)?.endsAtMs;
    if (endsAtMs !== undefined && held.get(fingerprint)?.endedAtMs === undefined) nextMs = Math.min(nextMs, endsAtMs);
  }
  return Number.isFinite(nextMs) ? nextMs : undefined;
}
