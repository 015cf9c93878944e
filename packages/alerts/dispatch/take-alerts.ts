import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { isResolved } from '#alerts/routing/flush.ts';
import { mergeAlerts, type ReceivedAlert } from '#alerts/routing/merge-alerts.ts';

/** Takes what was told, in its order, into what is held by fingerprint; gives the fingerprints that it was about. What is over and was never held stays out. */
export function takeAlerts(held: Map<string, ReceivedAlert>, told: readonly ReceivedAlert[], nowMs: number): string[] {
  const changed: string[] = [];
  for (const alert of told) {
    const fingerprint = fingerprintLabels(alert.labels);
    const known = held.get(fingerprint);
    if (known === undefined && isResolved(alert, nowMs)) continue;
    held.set(fingerprint, mergeAlerts(known, alert, nowMs));
    changed.push(fingerprint);
  }
  return changed;
}
