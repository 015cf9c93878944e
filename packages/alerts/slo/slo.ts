import type { LabelSet } from '#model/alert.ts';

/** The dialects of SLO files that are read. */
export type SloDialect = 'prometheus/v1' | 'sloth.slok.dev/v1' | 'openslo/v1alpha';

/** How the share of bad events is measured. Queries have `{{.window}}` where their range is to stand. */
export type Sli =
  | { readonly kind: 'events'; readonly errorQuery: string; readonly totalQuery: string }
  | { readonly kind: 'raw'; readonly errorRatioQuery: string };

/** An alert of one severity; what both have is merged in. */
export interface SloAlert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
}

/** What the plugins of an SLO change about its rules. */
export interface SloChanges {
  /** More labels of `sloth_slo_info`. */
  readonly infoLabels: LabelSet;
  /** Interval of the groups, ms. */
  readonly intervalMs: { readonly sli: number | undefined; readonly metadata: number | undefined; readonly alert: number | undefined };
  /** Errors are weighed by how much of the period's traffic their window has. */
  readonly isDenominatorCorrected: boolean;
}

/** One service level objective. */
export interface Slo {
  readonly dialect: SloDialect;
  /** `service-name`. */
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly description: string;
  /** Percent, above 0 and up to 100. */
  readonly objective: number;
  /** The period that the file asks for; undefined for the default one. */
  readonly periodMs: number | undefined;
  readonly labels: LabelSet;
  readonly sli: Sli;
  /** The name of both alerts; '' where there are none. */
  readonly alertName: string;
  readonly page: SloAlert | undefined;
  readonly ticket: SloAlert | undefined;
  readonly changes: SloChanges;
}
