import type { Clock } from '#core/time.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import type { Table } from '#ports/table.ts';
import type { TrafficDriver } from '#ports/traffic.ts';
import type { Analyze } from '#releases/analyze.ts';
import type { Application } from '#releases/application/application.ts';
import type { GatePorts } from '#releases/gates/gate-ports.ts';

/** What storing a release takes. */
export interface StoreDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Where people look at a release; in events. */
  readonly releaseUrl: (id: string) => string;
}

/** What starting one takes. */
export interface StartDeps extends StoreDeps {
  /** What is released, by the configuration. */
  readonly applications: (tenant: string) => Promise<readonly Application[]>;
}

/** What getting releases on takes. */
export interface AdvanceDeps extends StartDeps {
  /** By the type that an application names; undefined where there is none such here. */
  readonly drivers: (type: string) => TrafficDriver | undefined;
  readonly analyze: Analyze;
  readonly outgoing: Outgoing;
  readonly gates: GatePorts;
  /** Gives up waiting for a call that does not return: `unavailable`. The call itself may still take effect. */
  readonly bounded: <T>(call: Promise<T>) => Promise<T>;
  /** How long the whole may still take, where that is bounded. */
  readonly remainingMs?: (() => number) | undefined;
}
