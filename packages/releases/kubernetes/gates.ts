/** Where a rollout stands when it asks to go on, in Flagger's words. */
export type GateStage = 'confirm-rollout' | 'pre-rollout' | 'confirm-traffic-increase' | 'confirm-promotion';

export interface GateQuestion {
  readonly tenant: string;
  readonly application: string;
  readonly environment: string;
  readonly stage: GateStage;
}

/** Open or shut, and why, a sentence each. */
export interface GateAnswer {
  readonly isOpen: boolean;
  readonly reasons: readonly string[];
}

/**
 * Asks the gates of an application whether a rollout may go on in an environment. `missing` for an application or environment that is not
 * configured; `unavailable` where a gate cannot be asked, which opens none.
 */
export type AskGates = (question: GateQuestion) => Promise<GateAnswer>;
