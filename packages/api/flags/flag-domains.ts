import type { Clock } from '#core/time.ts';
import type { RateLimit } from '#flags/rate-limit.ts';
import type { FileFlags, ReadFlags } from '#flags/store/flag-view.ts';
import type { FlagUsage } from '#flags/store/usage.ts';
import type { Table } from '#ports/table.ts';

/** What the routes of flags are made of; whatever takes a tenant's name gives only what is that tenant's. */
export interface FlagDomains {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Everything that a tenant has, of files and written by API, as it is now. */
  readonly readFlags: ReadFlags;
  /** Of it, what comes from the configuration folder. */
  readonly fileFlags: (tenant: string) => Promise<FileFlags>;
  readonly flagUsage: FlagUsage;
  /** Requests for evaluations that are let through. */
  readonly evaluationLimit: RateLimit;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
