import type { Scope } from './auth.ts';

/** One path as documented: what it takes and answers. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly summary: string;
  readonly scope: Scope | 'open';
  /** Query (or form) parameters; `!` marks one that is required. */
  readonly parameters?: readonly string[] | undefined;
  /** Content types of the body. */
  readonly body?: readonly string[] | undefined;
  /** Answers beside the errors that all share. */
  readonly answers: Readonly<Record<string, string>>;
}
