/** One command of `quarterdeck`. */
export interface Command {
  readonly help: string;
  /** Runs with the arguments after the command's name; the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}
