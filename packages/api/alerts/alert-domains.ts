import type { Routing } from '#alerts/dispatch/routing.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import type { RuleGroups } from '#alerts/ruler/ruler-groups.ts';
import type { SourcedSlo } from '#alerts/slo/sourced-slo.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Query } from '#ports/query.ts';
import type { Table } from '#ports/table.ts';

/** What the routes of alerting are made of; whatever takes a tenant's name gives only what is that tenant's. */
export interface AlertDomains {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  readonly routing: (tenant: string) => Promise<Routing>;
  /** Everything that is evaluated: files, SLOs, and what was written by API. */
  readonly ruleGroups: (tenant: string) => Promise<RuleGroups>;
  /** Of them, what comes from the configuration folder. */
  readonly fileGroups: (tenant: string) => Promise<readonly SourcedGroup[]>;
  readonly slos: (tenant: string) => Promise<readonly SourcedSlo[]>;
  readonly openQuery: (tenant: string) => Query;
  /** Has what was posted dispatched at once; lost, that costs a minute. */
  readonly announce: (tenant: string) => Promise<void>;
  /** Most alerts of outside senders; see postAlerts. */
  readonly maxAlerts?: number | undefined;
  /** When this process began, for `uptime`. */
  readonly startedAtMs: number;
}
