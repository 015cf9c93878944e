import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';

/** Alerts that belong together because somebody says so. */
export interface DeclaredCorrelation {
  readonly name: string;
  /** Which alerts it is about; none for all. */
  readonly matchers: readonly Matcher[];
  /** They have to have these, with equal values. */
  readonly labels: readonly string[];
  readonly windowMs: number;
}

/** How a tenant's alerts become incidents. */
export interface IncidentSettings {
  /** Most time between the starts of two alerts that belong together. */
  readonly windowMs: number;
  /** Most time between the first and the last start of one incident. */
  readonly spanMs: number;
  /** An incident is over once nothing of it has fired for this long. */
  readonly resolveAfterMs: number;
  /** Fewer are no incident. */
  readonly minAlerts: number;
  /** Alerts that differ in one of these never belong together. */
  readonly groupLabels: readonly string[];
  /** Labels that say nothing about what belongs together. */
  readonly ignoreLabels: readonly string[];
  /** Weight of what two alerts share, in bits, from which on they belong together. */
  readonly linkBits: number;
  readonly declared: readonly DeclaredCorrelation[];
  /** The value of label `label` names what an alert depends on, by its label `of`. */
  readonly upstream: readonly { readonly label: string; readonly of: string }[];
  /** From the highest on. */
  readonly severities: readonly string[];
  /** Incidents are alerts too, with these labels beside their own; undefined: they are not. */
  readonly alertLabels: LabelSet | undefined;
}

/** What holds where nothing is configured. */
export const DEFAULT_SETTINGS: IncidentSettings = {
  windowMs: 5 * 60_000,
  spanMs: 4 * 3_600_000,
  resolveAfterMs: 5 * 60_000,
  minAlerts: 2,
  groupLabels: [],
  ignoreLabels: ['severity', 'prometheus', 'prometheus_replica', 'replica', 'monitor'],
  linkBits: 1,
  declared: [],
  upstream: [
    { label: 'depends_on', of: 'service' },
    { label: 'upstream', of: 'service' },
  ],
  severities: ['critical', 'page', 'high', 'error', 'major', 'warning', 'minor', 'low', 'info', 'none'],
  alertLabels: undefined,
};
