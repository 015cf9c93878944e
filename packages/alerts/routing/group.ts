import { compareUtf8 } from '#core/text.ts';
import type { Alert, LabelSet } from '#model/alert.ts';
import { compareSortedLabels, formatLabels, sortLabels } from './labels.ts';
import { type Route, routeAlert } from './route-tree.ts';

/** Alerts of one route that are told together. */
export interface AlertGroup<A extends Pick<Alert, 'labels'> = Alert> {
  /** The route's key and the group's labels; what deliveries are known by, together with the receiver. */
  readonly key: string;
  readonly route: Route;
  readonly labels: LabelSet;
  /** By job, instance and then all labels. */
  readonly alerts: readonly A[];
}

/** The labels that an alert's group has on a route: those named that the alert has, or all. */
export function groupLabels(labels: LabelSet, { groupBy, groupByAll }: Pick<Route['options'], 'groupBy' | 'groupByAll'>): LabelSet {
  if (groupByAll) return labels;
  const own = groupBy.filter((name) => Object.hasOwn(labels, name));
  return Object.fromEntries(own.map((name) => [name, labels[name] as string]));
}

/** The key of a group: `{}/{team="a"}:{alertname="Down"}`. */
export function groupKey(route: Route, labels: LabelSet): string {
  return `${route.key}:${formatLabels(labels)}`;
}

interface OpenGroup<A> {
  readonly route: Route;
  readonly labels: LabelSet;
  readonly alerts: A[];
}

/** Every alert in a group of each route that it takes; groups by their labels, then their receiver. Alerts are taken as distinct. */
export function groupAlerts<A extends Pick<Alert, 'labels'>>(tree: Route, alerts: Iterable<A>): AlertGroup<A>[] {
  const open = new Map<Route, Map<string, OpenGroup<A>>>();
  for (const alert of alerts) {
    for (const route of routeAlert(tree, alert.labels)) {
      const groups = open.get(route) ?? new Map<string, OpenGroup<A>>();
      open.set(route, groups);
      const place = placeInRoute(alert.labels, route);
      const group = groups.get(place);
      if (group) group.alerts.push(alert);
      else groups.set(place, { route, labels: groupLabels(alert.labels, route.options), alerts: [alert] });
    }
  }
  return [...open.values()]
    .flatMap((groups) => [...groups.values()].map(closeGroup))
    .sort(compareGroups)
    .map(({ group }) => group);
}

/** Equal for exactly those label sets that share a group of the route. */
function placeInRoute(labels: LabelSet, { options }: Route): string {
  if (options.groupByAll) return JSON.stringify(sortLabels(labels));
  let place = '';
  for (const name of options.groupBy) {
    const value = Object.hasOwn(labels, name) ? (labels[name] as string) : undefined;
    place += value === undefined ? '-' : `${value.length}:${value}`;
  }
  return place;
}

function closeGroup<A extends Pick<Alert, 'labels'>>({ route, labels, alerts }: OpenGroup<A>) {
  const group: AlertGroup<A> = { key: groupKey(route, labels), route, labels, alerts: sortAlerts(alerts) };
  return { group, sorted: sortLabels(labels) };
}

type ClosedGroup<A extends Pick<Alert, 'labels'>> = ReturnType<typeof closeGroup<A>>;

function compareGroups<A extends Pick<Alert, 'labels'>>(a: ClosedGroup<A>, b: ClosedGroup<A>): number {
  return (
    compareSortedLabels(a.sorted, b.sorted) ||
    compareUtf8(a.group.route.options.receiver, b.group.route.options.receiver) ||
    compareUtf8(a.group.route.id, b.group.route.id)
  );
}

/** Alerts in the order in which they are told: by job, by instance (those without one last), then by all labels. */
export function sortAlerts<A extends Pick<Alert, 'labels'>>(alerts: readonly A[]): A[] {
  const keyed: KeyedAlert<A>[] = alerts.map((alert) => ({ alert, job: own(alert, 'job'), instance: own(alert, 'instance') }));
  return keyed.sort(compareKeyed).map(({ alert }) => alert);
}

/** In a storm nearly all differ by their instance: all labels are sorted only of those that do not. */
interface KeyedAlert<A> {
  readonly alert: A;
  readonly job: string | undefined;
  readonly instance: string | undefined;
  sorted?: ReturnType<typeof sortLabels>;
}

function compareKeyed<A extends Pick<Alert, 'labels'>>(a: KeyedAlert<A>, b: KeyedAlert<A>): number {
  const first = compareOptional(a.job, b.job) || compareOptional(a.instance, b.instance);
  if (first !== 0) return first;
  a.sorted ??= sortLabels(a.alert.labels);
  b.sorted ??= sortLabels(b.alert.labels);
  return compareSortedLabels(a.sorted, b.sorted);
}

function own({ labels }: Pick<Alert, 'labels'>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

function compareOptional(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  return b === undefined ? -1 : compareUtf8(a, b);
}
