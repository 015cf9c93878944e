import type { Environment } from './environment.ts';

/** A compiled expression: closures all the way, no code is generated. */
export type Run = (env: Environment) => unknown;

/** An expression with what is known of it beforehand. */
export interface Compiled {
  readonly run: Run;
  /** Nodes, those of references included each time: what one run costs at most, but for lists. */
  readonly size: number;
  /** Levels, those of references included. */
  readonly depth: number;
  /** Set where the value is the same whatever the context. */
  readonly constant?: { readonly value: unknown } | undefined;
}

/** How an operation is made of its arguments. */
export interface Operation {
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  readonly build: (args: readonly Compiled[], refuse: (why: string) => never) => Run;
}
