/** One command of `quarterdeck`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /** Runs with the arguments after the command's name; the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}
