import type { RouteOptions } from './route-tree.ts';

/** What a receiver was last told of a group: fingerprints of its alerts. */
export interface NotificationEntry {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly sentAtMs: number;
}

/** Why a group is told, or `nothing-new`. */
export type NotificationReason =
  | 'first-notification'
  | 'new-alerts-in-group'
  | 'all-alerts-resolved'
  | 'new-resolved-alerts'
  | 'repeat-interval-elapsed'
  | 'nothing-new';

/** Whether a flush is sent to a receiver. */
export interface NotificationPlan {
  readonly notify: boolean;
  readonly reason: NotificationReason;
}

/**
 * Decides for one receiver, given the entry of the last notification that it got of the group. That everything is resolved is a
 * notification whatever `sendResolved` says: the entry has to be cleared; what is sent then is the receiver's affair.
 */
export function planNotification(
  entry: NotificationEntry | undefined,
  firing: readonly string[],
  resolved: readonly string[],
  options: Pick<RouteOptions, 'repeatIntervalMs'> & { readonly sendResolved: boolean },
  nowMs: number,
): NotificationPlan {
  const reason = findReason(entry, firing, resolved, options, nowMs);
  return { notify: reason !== 'nothing-new', reason };
}

function findReason(
  entry: NotificationEntry | undefined,
  firing: readonly string[],
  resolved: readonly string[],
  options: { readonly repeatIntervalMs: number; readonly sendResolved: boolean },
  nowMs: number,
): NotificationReason {
  if (!entry) return firing.length > 0 ? 'first-notification' : 'nothing-new';
  if (!isSubset(firing, entry.firing)) return entry.firing.length === 0 ? 'first-notification' : 'new-alerts-in-group';
  if (firing.length === 0) return entry.firing.length > 0 ? 'all-alerts-resolved' : 'nothing-new';
  if (options.sendResolved && !isSubset(resolved, entry.resolved)) return 'new-resolved-alerts';
  return entry.sentAtMs < nowMs - options.repeatIntervalMs ? 'repeat-interval-elapsed' : 'nothing-new';
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const known = new Set(whole);
  return part.every((fingerprint) => known.has(fingerprint));
}
