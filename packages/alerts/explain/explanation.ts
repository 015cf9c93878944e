import type { ToldEntry } from '#alerts/deliver/told-log.ts';
import type { JsonMatcher } from '#alerts/routing/matchers.ts';
import type { LabelSet } from '#model/alert.ts';

/** Everything that is known of one alert: each part as data and as one sentence. Times are ISO. */
export interface Explanation {
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  /** `pending`: its rule waits; `active`: it is told; `suppressed`: a silence or an inhibition holds it back; `resolved`: it is over. */
  readonly state: 'pending' | 'active' | 'suppressed' | 'resolved';
  readonly startsAt: string | null;
  /** Null while nobody has said when it ends. */
  readonly endsAt: string | null;
  readonly sentence: string;
  /** Null where an outside sender told of it. */
  readonly rule: RuleExplained | null;
  readonly changes: readonly ChangeExplained[];
  readonly routes: readonly RouteExplained[];
  readonly silences: readonly SilenceExplained[];
  readonly inhibitions: readonly InhibitionExplained[];
  /** What happens next if nothing changes, the soonest first. */
  readonly next: readonly DueExplained[];
}

export interface RuleExplained {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
  readonly expr: string;
  readonly value: string;
  readonly lastEvaluation: string | null;
  readonly lastError: string;
  readonly sentence: string;
}

export interface ChangeExplained {
  readonly what: 'became active' | 'fired' | 'kept firing' | 'resolved' | 'was last told of';
  readonly at: string;
  readonly sentence: string;
}

export interface RouteExplained {
  /** Matchers from the root on, with the places of the routes among their siblings. */
  readonly path: string;
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: LabelSet;
  /** Time intervals that hold the route's notifications back now. */
  readonly mutedBy: readonly string[];
  /** When the group is looked at next; null where it is in no group (any more, or yet). */
  readonly nextLookAt: string | null;
  readonly integrations: readonly IntegrationExplained[];
  readonly sentence: string;
}

export interface IntegrationExplained {
  readonly integration: string;
  /** What was decided last about this alert: it was in the group's last notification as firing, as resolved, or not in it. */
  readonly told: { readonly as: 'firing' | 'resolved' | 'not told'; readonly decidedAt: string } | null;
  readonly tries: readonly (Omit<ToldEntry, 'atMs'> & { readonly at: string })[];
  /** When the next try is due, of a delivery that is under way. */
  readonly nextTryAt: string | null;
  readonly sentence: string;
}

export interface SilenceExplained {
  readonly id: string;
  readonly matchers: readonly JsonMatcher[];
  readonly createdBy: string;
  readonly comment: string;
  readonly endsAt: string;
  readonly sentence: string;
}

export interface InhibitionExplained {
  /** Its place in the configuration, from 0. */
  readonly rule: number;
  readonly equal: readonly string[];
  readonly sourceFingerprint: string;
  readonly sourceLabels: LabelSet;
  readonly sentence: string;
}

export interface DueExplained {
  readonly at: string;
  readonly sentence: string;
}

/** A time as explanations have it. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
