import { OpsError } from '#core/errors.ts';
import type { CallContext, FunctionTable, Value } from './go-values.ts';
import type { Command, Node, Operand, Pipe, Tree } from './nodes.ts';
import { describePlace } from './template-errors.ts';

/** What a rendering writes into: text as it stands in the template, and values that it prints. */
export interface Output {
  readonly writeText: (text: string) => void;
  /** `escaper` is the last function of the pipeline, if it is one that escapes. */
  readonly printValue: (value: Value, escaper: string | undefined) => void;
}

/** Where the interpreter is: one of these for each template that is being executed. */
export interface State {
  readonly tree: Tree;
  readonly trees: ReadonlyMap<string, Tree>;
  readonly functions: FunctionTable;
  readonly context: CallContext;
  readonly output: Output;
  readonly variables: { readonly name: string; value: Value }[];
  /** What is being evaluated, for messages. */
  node: Node | Operand | Pipe | Command | undefined;
  /** Nested blocks, pipelines and templates at this moment. */
  readonly depth: { nodes: number; templates: number };
}

/** The error of what is being evaluated, in Go's words and with its place. */
export function failAt(state: State, message: string, cause?: OpsError): OpsError {
  const { kind = 'input', hint, retryAfterMs } = cause ?? {};
  return new OpsError(kind, describePlace(state.tree, state.node, message), { cause, hint, retryAfterMs });
}
