import { quoteGo } from '#alerts/go-quote.ts';
import { descend, evaluatePipe, setVariable } from './evaluate.ts';
import { formatValue, sortedEntries } from './go-format.ts';
import type { CallContext } from './go-values.ts';
import { indirect, isTrue, type Value } from './go-values.ts';
import type { Branch, Node, Pipe } from './nodes.ts';
import type { Template } from './parse.ts';
import { failAt, type Output, type State } from './state.ts';
import { limitError } from './template-errors.ts';

/** Deepest chain of templates that call templates. */
const MAX_TEMPLATES = 100;

type Jump = 'break' | 'continue' | undefined;

/** Runs a template on data, once: `input` with Go's words and place where it goes wrong, `limit` where it does too much. */
export function executeTemplate({ name, set }: Template, data: Value, context: CallContext, output: Output, depth?: State['depth']): void {
  const tree = set.trees.get(name);
  const state: State = {
    tree: tree ?? { name, parseName: name, text: '', root: [] },
    trees: set.trees,
    functions: set.functions,
    context,
    output,
    variables: [{ name: '$', value: data }],
    node: undefined,
    depth: depth ?? { nodes: 0, templates: 0 },
  };
  if (!tree) throw failAt(state, `${quoteGo(name)} is an incomplete or empty template`);
  walkList(state, data, tree.root);
}

function walkList(state: State, dot: Value, list: readonly Node[]): Jump {
  for (const node of list) {
    const jump = walk(state, dot, node);
    if (jump) return jump;
  }
  return undefined;
}

function walk(state: State, dot: Value, node: Node): Jump {
  state.context.charge(1);
  state.node = node;
  switch (node.kind) {
    case 'text':
      state.output.writeText(node.text);
      return undefined;
    case 'action': {
      const value = evaluatePipe(state, dot, node.pipe);
      if (node.pipe.declares.length > 0) return undefined;
      state.node = node;
      state.output.printValue(value, escaperOf(node.pipe));
      return undefined;
    }
    case 'template':
      callTemplate(state, dot, node.name, node.pipe);
      return undefined;
    case 'range':
      return descend(state, () => walkRange(state, dot, node));
    case 'if':
    case 'with':
      return descend(state, () => walkBranch(state, dot, node));
    default:
      return node.kind;
  }
}

/** `html` or `urlquery` where a pipeline ends with it. */
function escaperOf({ commands }: Pipe): string | undefined {
  const first = commands.at(-1)?.args[0];
  return first?.kind === 'function' && (first.name === 'html' || first.name === 'urlquery') ? first.name : undefined;
}

function walkBranch(state: State, dot: Value, { kind, pipe, list, otherwise }: Branch): Jump {
  const mark = state.variables.length;
  const value = evaluatePipe(state, dot, pipe);
  let jump: Jump;
  if (isTrue(value)) jump = walkList(state, kind === 'with' ? value : dot, list);
  else if (otherwise) jump = walkList(state, dot, otherwise);
  state.variables.length = mark;
  return jump;
}

function walkRange(state: State, dot: Value, range: Branch): Jump {
  const mark = state.variables.length;
  const value = indirect(evaluatePipe(state, dot, range.pipe));
  const inner = state.variables.length;
  let ran = false;
  for (const [index, item] of iterate(state, value, range.pipe)) {
    ran = true;
    state.context.charge(1);
    setLoopVariables(state, range.pipe, index, item);
    const jump = walkList(state, item, range.list);
    state.variables.length = inner;
    if (jump === 'break') break;
  }
  const jump = ran || !range.otherwise ? undefined : walkList(state, dot, range.otherwise);
  state.variables.length = mark;
  return jump;
}

function* iterate(state: State, value: Value, pipe: Pipe): Iterable<[Value, Value]> {
  if (value === undefined || value === null) return;
  if (typeof value === 'object' && value.kind === 'list') {
    for (let i = 0; i < value.items.length; i++) yield [BigInt(i), value.items[i]];
  } else if (typeof value === 'object' && value.kind === 'map') {
    state.context.charge(value.entries.size);
    yield* sortedEntries(value);
  } else if (typeof value === 'bigint') {
    if (pipe.declares.length > 1) throw failAt(state, `can't use ${value} to iterate over more than one variable`);
    for (let i = 0n; i < value; i++) yield [undefined, i];
  } else {
    throw failAt(state, `range can't iterate over ${formatValue(value, state.context.charge)}`);
  }
}

/** `$item :=`, or `$index, $item :=`; with `=` they were declared outside the loop. */
function setLoopVariables(state: State, { declares, assigns }: Pipe, index: Value, item: Value): void {
  const names = declares.map(({ path }) => path[0] as string);
  const values = declares.length > 1 ? [index, item] : [item];
  if (assigns) {
    names.forEach((name, i) => {
      setVariable(state, name, values[i]);
    });
    return;
  }
  const from = state.variables.length - names.length;
  names.forEach((_, i) => {
    (state.variables[from + i] as { value: Value }).value = values[i];
  });
}

/** `{{template "name" pipeline}}`: a template of the set, which sees none of the variables here. */
function callTemplate(state: State, dot: Value, name: string, pipe: Pipe | undefined): void {
  const tree = state.trees.get(name);
  if (!tree) throw failAt(state, `template ${quoteGo(name)} not defined`);
  if (state.depth.templates >= MAX_TEMPLATES) {
    const message = `exceeded maximum template depth (${MAX_TEMPLATES})`;
    throw failAt(state, message, limitError('', message));
  }
  const data = pipe ? evaluatePipe(state, dot, pipe) : undefined;
  state.depth.templates++;
  descend(state, () => walkList({ ...state, tree, variables: [{ name: '$', value: data }], node: undefined }, data, tree.root));
  state.depth.templates--;
}
