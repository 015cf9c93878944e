/** An alert that fires. */
export interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What gates ask of the rest of the house. Each may fail with `unavailable`: what cannot be asked is shut. */
export interface GatePorts {
  /** Alerts of a tenant that fire and have all of these labels, but for those that a silence or another alert holds back. */
  firingAlerts(tenant: string, labels: Readonly<Record<string, string>>): Promise<readonly FiringAlert[]>;
  /** Share of an SLO's error budget that is left, at most 1 and below 0 once it is overspent; undefined where nobody knows. `missing`: there is no such SLO. */
  sloBudget(tenant: string, slo: string): Promise<number | undefined>;
}
