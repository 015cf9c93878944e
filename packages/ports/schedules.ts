/** When a function runs: EventBridge Scheduler's own forms, in UTC. `rate(1 minute)`, `cron(0 2 * * ? *)`, `at(2026-11-23T10:00:00)`. */
export interface Schedule {
  /** Unique; letters, digits, dashes. */
  readonly name: string;
  /** Function name: its path in functions/ with dashes. */
  readonly function: string;
  readonly expression: string;
  /** What the function is handed, beside `at`. */
  readonly input?: Readonly<Record<string, unknown>> | undefined;
}

/** Schedules made at run time (the standing ones are data in functions/schedules.ts). */
export interface Schedules {
  /** Creates or replaces by name. `input` if the expression is malformed. */
  put(schedule: Schedule): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(name: string): Promise<void>;
  list(): Promise<readonly Schedule[]>;
}
