/** A share that begins at a time, and may end at one (ISO 8601): while it holds, it stands before `percentage`. */
export interface PlannedShare {
  readonly from: string;
  readonly until?: string | undefined;
  readonly percentage: number;
}

/** How far a flag's rollout is. */
export interface RolloutState {
  /** What those get who are in. */
  readonly variant: string;
  /** Of people, 0 to 100, with up to three digits after the point; 0 where the flag has no rollout yet. */
  readonly percentage: number;
  /** Planned shares, in their order: the last that holds counts. */
  readonly steps: readonly PlannedShare[];
  /** Of the flag: raised by every change of it, whoever makes it. 0 for a flag of a file that was never touched. */
  readonly version: number;
  /** The release that drives it, if one does. */
  readonly boundTo: string | undefined;
  /** Turned off for everybody: nobody gets `variant`, whatever the percentage. */
  readonly isKilled: boolean;
}

/** How a percentage is set, and by whom. */
export interface RolloutChange {
  /** `conflict` unless the flag is at this version; left out, whatever it is at. */
  readonly expectedVersion?: number | undefined;
  /** Who it is, for the audit: a person, or `release ID`. */
  readonly by: string;
  readonly reason: string;
  /** A release's id: it drives the rollout from now on. `null`: none does any more. Left out: this is a change by hand. */
  readonly boundTo?: string | null | undefined;
  /** Planned shares to put in place; none where it is left out, since those that there were would overrule the percentage. */
  readonly steps?: readonly PlannedShare[] | undefined;
  /** What those get who are in, where the flag does not say or is to say otherwise. */
  readonly variant?: string | undefined;
  /** Even though another release drives it. */
  readonly isForced?: boolean | undefined;
}

/**
 * The rollouts of flags, as releases drive them. Every method may fail with `unavailable` (retryable: it may or may not have taken effect),
 * `missing` (no such flag) and `input` (the flag cannot have a rollout: say which variant).
 */
export interface Rollouts {
  /** What holds now, read from the table. */
  read(tenant: string, flag: string): Promise<RolloutState>;
  /**
   * Sets the percentage and gives what holds then; the next evaluation anywhere sees it. Setting what is set already is no error and changes
   * nothing, whatever version was expected. `conflict` where the flag is at another version, or bound to another release than `boundTo` and
   * not forced; the words say which.
   */
  set(tenant: string, flag: string, percentage: number, change: RolloutChange): Promise<RolloutState>;
}
