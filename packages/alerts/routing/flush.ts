import type { Alert } from '#model/alert.ts';
import { sortAlerts } from './group.ts';
import type { RouteOptions } from './route-tree.ts';

/** What one flush of a group carries. */
export interface Flush<A extends Alert = Alert> {
  /** All alerts of the group in order, the resolved ones among them; a firing one has no end. */
  readonly alerts: readonly A[];
  /** Of them, those that leave the group once the flush was told, unless they fired again meanwhile. */
  readonly resolved: readonly A[];
}

/** When a new group is told first: after `group_wait`, or now if its alert has been firing for longer than that. */
export function firstFlushMs(options: Pick<RouteOptions, 'groupWaitMs'>, alert: Pick<Alert, 'startsAtMs'>, nowMs: number): number {
  return alert.startsAtMs + options.groupWaitMs < nowMs ? nowMs : nowMs + options.groupWaitMs;
}

/** When a group is looked at again after a flush, whether that told anything or not. */
export function nextFlushMs(options: Pick<RouteOptions, 'groupIntervalMs'>, flushedAtMs: number): number {
  return flushedAtMs + options.groupIntervalMs;
}

/** True from its end on. */
export function isResolved(alert: Pick<Alert, 'endsAtMs'>, nowMs: number): boolean {
  return alert.endsAtMs <= nowMs;
}

/** What a flush at `nowMs` carries: an alert that fires now fires for the whole of it, however long sending takes. */
export function planFlush<A extends Alert>(alerts: readonly A[], nowMs: number): Flush<A> {
  const all = sortAlerts(alerts).map((alert) => (isResolved(alert, nowMs) ? alert : { ...alert, endsAtMs: Number.POSITIVE_INFINITY }));
  return { alerts: all, resolved: all.filter((alert) => isResolved(alert, nowMs)) };
}
