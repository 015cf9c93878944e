/** What a process outside is really set to run with. */
export interface RunningVariables {
  /** Values by name. They may hold secrets: never logged, kept or told, but for their hashes. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * What AWS knows of what configurations name: whether secrets are where they are said to be, and what functions run with. Values of secrets are
 * never read. Errors: `denied`, `unavailable` (retryable).
 */
export interface RunningConfiguration {
  /** Whether there is something at `secretsmanager:NAME[#KEY]` or `ssm:/PATH`. */
  hasSecret(reference: string): Promise<boolean>;
  /** Environment variables of a Lambda function, by name or ARN, with an alias behind a colon or not; undefined where there is none. */
  variablesOf(functionName: string): Promise<RunningVariables | undefined>;
}
