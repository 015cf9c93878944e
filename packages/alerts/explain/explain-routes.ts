import { type Delivery, laneOf, readDelivery } from '#alerts/deliver/delivery.ts';
import { listTold, type ToldEntry } from '#alerts/deliver/told-log.ts';
import type { AlertView } from '#alerts/dispatch/alert-view.ts';
import type { BookGroup } from '#alerts/dispatch/book.ts';
import { groupKey, groupLabels } from '#alerts/routing/group.ts';
import { formatLabels } from '#alerts/routing/labels.ts';
import type { NotificationEntry } from '#alerts/routing/notification.ts';
import { type Route, routeAlert } from '#alerts/routing/route-tree.ts';
import { findTimeMuting } from '#alerts/routing/time-interval.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Table } from '#ports/table.ts';
import { type DueExplained, type IntegrationExplained, isoTime, type RouteExplained } from './explanation.ts';

/** Tries of a lane that are shown. */
const TRIES = 20;

/** The routes that an alert takes, and what is due on them. */
export interface RoutesExplained {
  readonly routes: readonly RouteExplained[];
  readonly next: readonly DueExplained[];
}

/** Explains each route that an alert takes: its group, and what each integration of its receiver was told. */
export async function explainRoutes(
  table: Table,
  tenant: string,
  view: AlertView,
  alert: { readonly fingerprint: string; readonly labels: LabelSet },
): Promise<RoutesExplained> {
  const taken = routeAlert(view.routing.tree, alert.labels).map((route) => placeOn(tenant, view, route, alert));
  const routes: RouteExplained[] = [];
  const next: DueExplained[] = [];
  for (const place of taken) {
    const integrations: IntegrationExplained[] = [];
    for (const { id, lane } of place.lanes) {
      const tries = await listTold(table, tenant, lane, TRIES);
      integrations.push(explainIntegration(id, place.group?.told[id], alert.fingerprint, tries, await readDelivery(table, tenant, lane)));
    }
    routes.push(explainRoute(place, integrations));
    next.push(...dueOn(place, alert.fingerprint, integrations));
  }
  return { routes, next };
}

interface Place {
  readonly route: Route;
  readonly labels: LabelSet;
  readonly key: string;
  readonly mutedBy: readonly string[];
  /** The group, where the book has this alert in it. */
  readonly group: BookGroup | undefined;
  readonly lanes: readonly { readonly id: string; readonly lane: string }[];
}

function placeOn(tenant: string, view: AlertView, route: Route, alert: { fingerprint: string; labels: LabelSet }): Place {
  const { routing, nowMs, book } = view;
  const { receiver } = route.options;
  const labels = groupLabels(alert.labels, route.options);
  const key = groupKey(route, labels);
  const group = book.configId === routing.configId ? book.groups.find((each) => each.routeId === route.id && each.key === key) : undefined;
  const integrations = routing.integrations.get(receiver) ?? [];
  const lanes = integrations.map(({ id }) => ({ id, lane: laneOf(tenant, { receiver, integration: id, groupKey: key }) }));
  return { route, labels, key, mutedBy: findTimeMuting(route.options, routing.timeIntervals, nowMs).by, group, lanes };
}

function explainRoute({ route, labels, key, mutedBy, group }: Place, integrations: readonly IntegrationExplained[]): RouteExplained {
  const { receiver } = route.options;
  const muted = mutedBy.length > 0 ? ` It is muted now by the time intervals ${mutedBy.join(', ')}.` : '';
  const nobody = integrations.length === 0 ? ' Nobody is behind that receiver.' : '';
  return {
    path: route.id,
    receiver,
    groupKey: key,
    groupLabels: labels,
    mutedBy,
    nextLookAt: group ? isoTime(group.nextFlushMs) : null,
    integrations,
    sentence: `It takes the route ${route.id} to the receiver ${JSON.stringify(receiver)}, in the group ${formatLabels(labels)}.${muted}${nobody}`,
  };
}

function explainIntegration(
  integration: string,
  entry: NotificationEntry | undefined,
  fingerprint: string,
  tries: readonly ToldEntry[],
  pending: Delivery | undefined,
): IntegrationExplained {
  const as = entry && (entry.firing.includes(fingerprint) ? 'firing' : entry.resolved.includes(fingerprint) ? 'resolved' : 'not told');
  return {
    integration,
    told: entry && as ? { as, decidedAt: isoTime(entry.sentAtMs) } : null,
    tries: tries.map(({ atMs, ...entryOf }) => ({ at: isoTime(atMs), ...entryOf })),
    nextTryAt: pending ? isoTime(pending.dueAtMs) : null,
    sentence: sayTold(integration, entry, as, tries[0], pending),
  };
}

function sayTold(
  integration: string,
  entry: NotificationEntry | undefined,
  as: string | undefined,
  last: ToldEntry | undefined,
  pending: Delivery | undefined,
): string {
  if (!entry) return `${integration} knows nothing of this group${last ? `, but was told of it before, at ${isoTime(last.atMs)}` : ''}.`;
  const decided = as === 'not told' ? 'the group without this alert' : `this alert as ${as}`;
  const decision = `At ${isoTime(entry.sentAtMs)} it was decided to tell ${integration} of ${decided}`;
  if (!last || last.atMs < entry.sentAtMs) return `${decision}, which is on its way.`;
  const at = isoTime(last.atMs);
  if (last.outcome === 'sent') return `${decision}, which was sent at ${at}.`;
  if (last.outcome === 'gave up') return `${decision}, which was given up at ${at} after ${last.attempts} tries: ${last.reason}`;
  const again = pending ? `, and is tried again at ${isoTime(pending.dueAtMs)}` : '';
  return `${decision}, which failed at ${at} (try ${last.attempts})${again}: ${last.reason}`;
}

function dueOn({ route, group }: Place, fingerprint: string, integrations: readonly IntegrationExplained[]): DueExplained[] {
  const tries = integrations.flatMap(({ integration, nextTryAt }) =>
    nextTryAt === null ? [] : [{ at: nextTryAt, sentence: `${route.options.receiver}/${integration} is tried again at ${nextTryAt}.` }],
  );
  if (!group) return tries;
  const at = isoTime(group.nextFlushMs);
  const look = { at, sentence: `The group is looked at again at ${at}: whoever does not know how it stands by then is told.` };
  const repeats = Object.entries(group.told)
    .filter(([, { firing }]) => firing.includes(fingerprint))
    .map(([integration, { sentAtMs }]) => {
      const repeatAt = isoTime(sentAtMs + route.options.repeatIntervalMs);
      return { at: repeatAt, sentence: `${route.options.receiver}/${integration} is told again after ${repeatAt}, if it still fires.` };
    });
  return [...tries, look, ...repeats];
}
