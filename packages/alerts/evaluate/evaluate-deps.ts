import type { InboxDeps } from '#alerts/dispatch/inbox.ts';
import type { RenderTemplate } from '#alerts/rules/expand-alert.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Query } from '#ports/query.ts';
import type { Table } from '#ports/table.ts';
import type { SourcedGroup } from './group-pointer.ts';

/** The query engine over a tenant's samples as they are now, and over what the evaluation itself gives. */
export interface EvaluationView {
  readonly query: Query;
  readonly append: (samples: readonly RuleSample[], tMs: number) => void;
  readonly render: RenderTemplate;
}

/** What evaluating needs of the world. */
export interface EvaluateDeps extends InboxDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly groups: (tenant: string) => Promise<readonly SourcedGroup[]>;
  readonly openView: (tenant: string) => EvaluationView;
  /** Through ingest; durable when it resolves, and the same samples again are the same samples. */
  readonly write: (tenant: string, samples: readonly RuleSample[], atMs: number) => Promise<void>;
  /** Where the expression of a rule is shown. */
  readonly generatorUrl: (expr: string) => string;
  /** How long the call may still take, where that is bounded. */
  readonly remainingMs?: (() => number) | undefined;
}

/** One evaluation of one group. */
export interface EvaluationReport {
  readonly tenant: string;
  readonly namespace: string;
  readonly group: string;
  readonly at: string;
  readonly samples: number;
  readonly changes: number;
  readonly errors: readonly string[];
  /** Somebody else evaluated it first. */
  readonly conflict?: boolean | undefined;
}

export interface EvaluateResult {
  readonly evaluations: readonly EvaluationReport[];
  /** Evaluations that were left out because too many were due. */
  readonly skipped: number;
}
