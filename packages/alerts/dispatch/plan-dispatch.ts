import { INCIDENT_LABEL } from '#alerts/incidents/incident-alert.ts';
import { firstFlushMs, isResolved, nextFlushMs, planFlush } from '#alerts/routing/flush.ts';
import { groupKey, groupLabels } from '#alerts/routing/group.ts';
import { createInhibitor } from '#alerts/routing/inhibition.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { type NotificationEntry, type NotificationReason, planNotification } from '#alerts/routing/notification.ts';
import { listRoutes, type Route, routeAlert } from '#alerts/routing/route-tree.ts';
import { createSilencer, type Silence } from '#alerts/routing/silence.ts';
import { findTimeMuting } from '#alerts/routing/time-interval.ts';
import type { Alert, LabelSet } from '#model/alert.ts';
import type { AlertBook, BookGroup } from './book.ts';
import type { IntegrationRef, Routing } from './routing.ts';
import { takeAlerts } from './take-alerts.ts';

/** An alert as it goes out. */
export interface ToldAlert extends Alert {
  readonly fingerprint: string;
}

/** What one integration is to be told about one group. */
export interface PlannedDelivery {
  readonly receiver: string;
  /** Its id in the receiver: `slack_configs/0`. */
  readonly integration: string;
  readonly groupKey: string;
  readonly groupLabels: LabelSet;
  readonly alerts: readonly ToldAlert[];
  readonly reason: NotificationReason;
  /** When it was decided. */
  readonly atMs: number;
}

export interface DispatchInput {
  readonly book: AlertBook;
  /** In the order in which they came. */
  readonly told: readonly ReceivedAlert[];
  readonly routing: Routing;
  readonly silences: readonly Silence[];
  /** Open incidents by the fingerprints of their alerts: to inhibition an alert has the label `incident` as well. */
  readonly incidents?: ReadonlyMap<string, string> | undefined;
  readonly nowMs: number;
}

export interface DispatchPlan {
  readonly book: AlertBook;
  readonly deliveries: readonly PlannedDelivery[];
  /** When a group is due next, if there is one. */
  readonly nextMs: number | undefined;
}

/**
 * Takes what was told into the book, and decides who is told what now: routing, grouping, inhibition, silences, time intervals, and
 * what each integration knows already. Pure: the same input gives the same plan, whoever makes it.
 */
export function planDispatch(input: DispatchInput): DispatchPlan {
  const { book, routing, nowMs } = input;
  const alerts = new Map(book.alerts);
  const changed = takeAlerts(alerts, input.told, nowMs);
  const isRerouted = book.configId !== routing.configId;
  const routes = new Map(listRoutes(routing.tree).map((route) => [route.id, route]));
  const groups = openGroups(isRerouted ? [] : book.groups, routes, nowMs);
  const known = isRerouted ? groupsByReceiver(book.groups) : new Map<string, BookGroup>();
  for (const fingerprint of isRerouted ? alerts.keys() : changed) {
    joinGroups(groups, known, routing.tree, fingerprint, alerts.get(fingerprint) as ReceivedAlert, nowMs);
  }
  const deliveries = flushDue({ ...input, alerts, groups, routes });
  const kept = [...groups.values()].filter((group) => group.members.size > 0).map(closeGroup);
  const grouped = new Set(kept.flatMap((group) => group.alerts));
  for (const fingerprint of alerts.keys()) if (!grouped.has(fingerprint)) alerts.delete(fingerprint);
  const nextMs = kept.reduce((least, group) => Math.min(least, group.nextFlushMs), Number.POSITIVE_INFINITY);
  return {
    book: { configId: routing.configId, alerts, groups: kept, taken: book.taken },
    deliveries,
    nextMs: Number.isFinite(nextMs) ? nextMs : undefined,
  };
}

interface OpenGroup extends Omit<BookGroup, 'alerts' | 'nextFlushMs' | 'told'> {
  readonly members: Set<string>;
  nextFlushMs: number;
  told: Record<string, NotificationEntry>;
}

function placeOf(of: string, key: string): string {
  return `${of}\u0000${key}`;
}

/** Times later than any that this clock gives are such as it gave before it went back: those groups are looked at now. */
function openGroups(groups: readonly BookGroup[], routes: ReadonlyMap<string, Route>, nowMs: number): Map<string, OpenGroup> {
  return new Map(
    groups.map(({ alerts, told, ...group }) => {
      const { groupWaitMs, groupIntervalMs } = (routes.get(group.routeId) as Route).options;
      const isAhead = group.nextFlushMs > nowMs + Math.max(groupWaitMs, groupIntervalMs);
      const entries = Object.entries(told).map(([id, entry]) => [id, { ...entry, sentAtMs: Math.min(entry.sentAtMs, nowMs) }]);
      const open = { ...group, nextFlushMs: isAhead ? nowMs : group.nextFlushMs };
      return [placeOf(group.routeId, group.key), { ...open, members: new Set(alerts), told: Object.fromEntries(entries) }];
    }),
  );
}

function closeGroup({ members, ...group }: OpenGroup): BookGroup {
  return { ...group, alerts: [...members] };
}

/**
 * Under a new configuration every alert is grouped anew. A group of the same key and receiver as one that was there, wherever its route
 * stands now, knows what that told and when it is due, as Alertmanager's notification log does.
 */
function groupsByReceiver(groups: readonly BookGroup[]): Map<string, BookGroup> {
  return new Map(groups.map((group) => [placeOf(group.receiver, group.key), group]));
}

function joinGroups(
  groups: Map<string, OpenGroup>,
  known: ReadonlyMap<string, BookGroup>,
  tree: Route,
  fingerprint: string,
  alert: ReceivedAlert,
  nowMs: number,
): void {
  for (const route of routeAlert(tree, alert.labels)) {
    const labels = groupLabels(alert.labels, route.options);
    const key = groupKey(route, labels);
    const place = placeOf(route.id, key);
    const group = groups.get(place);
    if (group) {
      group.members.add(fingerprint);
      continue;
    }
    const { receiver } = route.options;
    const before = known.get(placeOf(receiver, key));
    const nextFlushMs = before?.nextFlushMs ?? firstFlushMs(route.options, alert, nowMs);
    groups.set(place, {
      ...{ key, routeId: route.id, receiver, labels, nextFlushMs },
      members: new Set([fingerprint]),
      told: { ...before?.told },
    });
  }
}

function withIncident(labels: LabelSet, incident: string | undefined): LabelSet {
  return incident === undefined ? labels : { ...labels, [INCIDENT_LABEL]: incident };
}

interface Flushing extends DispatchInput {
  readonly alerts: Map<string, ReceivedAlert>;
  readonly groups: ReadonlyMap<string, OpenGroup>;
  readonly routes: ReadonlyMap<string, Route>;
}

function flushDue(flushing: Flushing): PlannedDelivery[] {
  const { groups, routes, routing, alerts, silences, incidents, nowMs } = flushing;
  const due = [...groups.values()].filter(({ nextFlushMs: atMs, members }) => atMs <= nowMs && members.size > 0);
  if (due.length === 0) return [];
  const inhibitor = createInhibitor(routing.inhibitRules, alerts.values(), nowMs);
  const silencer = createSilencer(silences, nowMs);
  const isHeld = ({ labels, fingerprint }: ToldAlert) =>
    silencer(labels).length > 0 || inhibitor(withIncident(labels, incidents?.get(fingerprint))) !== undefined;
  return due.flatMap((group) => flushGroup(flushing, group, routes.get(group.routeId) as Route, isHeld));
}

/** What is over leaves the group with the flush that could have told of it, told or held back. */
function flushGroup(
  { routing, alerts, nowMs }: Flushing,
  group: OpenGroup,
  route: Route,
  isHeld: (alert: ToldAlert) => boolean,
): PlannedDelivery[] {
  const members = [...group.members].map((fingerprint) => ({ ...(alerts.get(fingerprint) as ReceivedAlert), fingerprint }));
  const flush = planFlush(members, nowMs);
  group.nextFlushMs = nextFlushMs(route.options, nowMs);
  for (const { fingerprint } of flush.resolved) group.members.delete(fingerprint);
  if (findTimeMuting(route.options, routing.timeIntervals, nowMs).muted) return [];
  const told = flush.alerts.filter((alert) => !isHeld(alert));
  if (told.length === 0) return [];
  const firing = told.filter((alert) => !isResolved(alert, nowMs)).map(({ fingerprint }) => fingerprint);
  const resolved = told.filter((alert) => isResolved(alert, nowMs)).map(({ fingerprint }) => fingerprint);
  const integrations = routing.integrations.get(group.receiver) ?? [];
  return integrations.flatMap((integration) => tellIntegration(group, route, integration, told, firing, resolved, nowMs));
}

function tellIntegration(
  group: OpenGroup,
  route: Route,
  { id, sendResolved }: IntegrationRef,
  alerts: readonly ToldAlert[],
  firing: readonly string[],
  resolved: readonly string[],
  nowMs: number,
): PlannedDelivery[] {
  const { repeatIntervalMs } = route.options;
  const { notify, reason } = planNotification(group.told[id], firing, resolved, { repeatIntervalMs, sendResolved }, nowMs);
  if (!notify) return [];
  group.told[id] = { firing, resolved, sentAtMs: nowMs };
  return [{ receiver: group.receiver, integration: id, groupKey: group.key, groupLabels: group.labels, alerts, reason, atMs: nowMs }];
}
