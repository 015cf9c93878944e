import type { Clock } from '#core/time.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import type { Table } from '#ports/table.ts';

/** What the routes of configurations are made of. */
export interface ConfigurationDomains {
  readonly table: Table;
  readonly now: Clock;
  /** Sends what is in the outbox; what it does not, a schedule will. */
  readonly publish: () => Promise<unknown>;
  /** Where AWS can be asked. */
  readonly running?: RunningConfiguration | undefined;
}
