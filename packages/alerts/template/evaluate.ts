import { quoteGo } from '#alerts/go-quote.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';
import { builtins } from './builtins.ts';
import { createDuration } from './go-duration.ts';
import { createList, createStringMap, type GoFunction, indirect, isAssignable, isTrue, typeName, type Value } from './go-values.ts';
import { type Command, describeNode, type Operand, type Pipe, type Variable } from './nodes.ts';
import { failAt, type State } from './state.ts';
import { limitError } from './template-errors.ts';

/** Stands for the value of the pipeline so far where there is none; a missing value is one. */
const none = Symbol('none');
type Final = Value | typeof none;

/** Deepest nesting of blocks, parentheses and templates together. */
const MAX_DEPTH = 400;

/** Runs what may hold itself, within the depth that a stack can take. */
export function descend<T>(state: State, run: () => T): T {
  if (++state.depth.nodes > MAX_DEPTH) throw limitError('', `execution is nested more than ${MAX_DEPTH} deep`);
  const result = run();
  state.depth.nodes--;
  return result;
}

/** The value of a pipeline; what it declares is pushed on the variables, which the caller drops. */
export function evaluatePipe(state: State, dot: Value, pipe: Pipe): Value {
  state.node = pipe;
  let value: Final = none;
  for (const command of pipe.commands) {
    state.context.charge(1);
    value = evaluateCommand(state, dot, command, value);
    if (value === null) value = undefined;
  }
  for (const { path } of pipe.declares) {
    if (pipe.assigns) setVariable(state, path[0] as string, value as Value);
    else state.variables.push({ name: path[0] as string, value: value as Value });
  }
  return value as Value;
}

function evaluateCommand(state: State, dot: Value, { args }: Command, final: Final): Value {
  const first = args[0] as Operand;
  switch (first.kind) {
    case 'field':
      return evaluateField(state, dot, first, args, final);
    case 'chain':
      return evaluateChain(state, dot, first, args, final);
    case 'function':
      return evaluateFunction(state, dot, first, args, final);
    case 'pipe':
      refuseArguments(state, args, final);
      return descend(state, () => evaluatePipe(state, dot, first));
    case 'variable':
      return evaluateVariable(state, dot, first, args, final);
  }
  state.node = first;
  refuseArguments(state, args, final);
  if (first.kind === 'nil') throw failAt(state, 'nil is not a command');
  return evaluateConstant(state, dot, first);
}

function refuseArguments(state: State, args: readonly Operand[], final: Final): void {
  if (args.length <= 1 && final === none) return;
  throw failAt(state, `can't give argument to non-function ${describeNode(args[0] as Operand)}`);
}

/** A dot or literal where nothing asks for a type. */
function evaluateConstant(state: State, dot: Value, operand: Operand): Value {
  state.node = operand;
  switch (operand.kind) {
    case 'dot':
      return dot;
    case 'bool':
    case 'string':
      return operand.value;
    case 'number':
      if (operand.value === undefined) throw failAt(state, `${operand.source} overflows int`);
      return operand.value;
  }
  throw failAt(state, `can't handle assignment of ${describeNode(operand)} to empty interface argument`);
}

// Variables, fields, methods

function findVariable(state: State, name: string): { value: Value } {
  for (let i = state.variables.length - 1; i >= 0; i--) {
    const variable = state.variables[i];
    if (variable?.name === name) return variable;
  }
  throw failAt(state, `undefined variable: ${name}`);
}

/** Gives a declared variable another value. */
export function setVariable(state: State, name: string, value: Value): void {
  findVariable(state, name).value = value;
}

function evaluateVariable(state: State, dot: Value, variable: Variable, args: readonly Operand[] | undefined, final: Final): Value {
  state.node = variable;
  const { value } = findVariable(state, variable.path[0] as string);
  if (variable.path.length > 1) return walkPath(state, dot, value, variable, variable.path.slice(1), args, final);
  refuseArguments(state, args ?? [], final);
  return value;
}

type Field = Extract<Operand, { kind: 'field' }>;
type Chain = Extract<Operand, { kind: 'chain' }>;
type Call = Extract<Operand, { kind: 'function' }>;

function evaluateField(state: State, dot: Value, field: Field, args: readonly Operand[] | undefined, final: Final): Value {
  state.node = field;
  return walkPath(state, dot, dot, field, field.path, args, final);
}

function evaluateChain(state: State, dot: Value, chain: Chain, args: readonly Operand[] | undefined, final: Final): Value {
  state.node = chain;
  if (chain.of.kind === 'nil') throw failAt(state, `indirection through explicit nil in ${describeNode(chain)}`);
  return walkPath(state, dot, evaluateArgument(state, dot, 'value', chain.of), chain, chain.path, args, final);
}

/** `.X.Y.Z`, the last of which may take arguments. */
function walkPath(
  state: State,
  dot: Value,
  from: Value,
  node: Operand,
  path: readonly string[],
  args: readonly Operand[] | undefined,
  final: Final,
): Value {
  let receiver = from;
  const last = path.length - 1;
  for (let i = 0; i < last; i++) receiver = readField(state, dot, path[i] as string, node, undefined, none, receiver);
  return readField(state, dot, path[last] as string, node, args, final, receiver);
}

function readField(
  state: State,
  dot: Value,
  name: string,
  node: Operand,
  args: readonly Operand[] | undefined,
  final: Final,
  receiver: Value,
): Value {
  const target = indirect(receiver);
  if (target === undefined || target === null) return undefined;
  if (typeof target !== 'object') throw failAt(state, `can't evaluate field ${name} in type ${typeName(receiver)}`);
  const { methods } = target.type;
  if (methods && Object.hasOwn(methods, name)) {
    return callFunction(state, dot, methods[name] as GoFunction, node, name, args, final, target);
  }
  const hasArguments = (args !== undefined && args.length > 1) || final !== none;
  if (target.kind === 'struct' && Object.hasOwn(target.fields, name)) {
    if (hasArguments) throw failAt(state, `${name} has arguments but cannot be invoked as function`);
    return target.fields[name];
  }
  if (target.kind === 'map') {
    if (hasArguments) throw failAt(state, `${name} is not a method but has arguments`);
    return target.entries.has(name) ? target.entries.get(name) : target.zero;
  }
  throw failAt(state, `can't evaluate field ${name} in type ${typeName(receiver)}`);
}

// Calls

function evaluateFunction(state: State, dot: Value, call: Call, args: readonly Operand[] | undefined, final: Final): Value {
  state.node = call;
  const { name } = call;
  const own = Object.hasOwn(state.functions, name) ? state.functions[name] : undefined;
  const fn = own ?? builtins[name];
  if (!fn) throw failAt(state, `${quoteGo(name)} is not a defined function`);
  if (!own && (name === 'and' || name === 'or')) return evaluateLogic(state, dot, name, args?.slice(1) ?? [], final);
  return callFunction(state, dot, fn, call, name, args, final, undefined);
}

/** `and` and `or`: the first argument that decides, and none after it is evaluated. */
function evaluateLogic(state: State, dot: Value, name: 'and' | 'or', args: readonly Operand[], final: Final): Value {
  if (args.length === 0 && final === none) throw failAt(state, `wrong number of args for ${name}: want at least 1 got 0`);
  let value: Value;
  for (const arg of args) {
    value = evaluateArgument(state, dot, 'value', arg);
    if (isTrue(value) === (name === 'or')) return value;
  }
  return final === none ? value : final;
}

function callFunction(
  state: State,
  dot: Value,
  fn: GoFunction,
  node: Operand,
  name: string,
  args: readonly Operand[] | undefined,
  final: Final,
  receiver: Value,
): Value {
  const given = args === undefined ? 0 : args.length - 1;
  const count = final === none ? given : given + 1;
  const fixed = fn.params.length;
  if (fn.variadic !== undefined && count < fixed)
    throw failAt(state, `wrong number of args for ${name}: want at least ${fixed} got ${given}`);
  if (fn.variadic === undefined && count !== fixed) throw failAt(state, `wrong number of args for ${name}: want ${fixed} got ${count}`);
  const values: Value[] = [];
  for (let i = 0; i < given; i++) {
    values.push(evaluateArgument(state, dot, fn.params[i] ?? (fn.variadic as string), (args as readonly Operand[])[i + 1] as Operand));
  }
  if (final !== none) values.push(validate(state, final, fn.params[given] ?? (fn.variadic as string)));
  for (const given of values) if (typeof given === 'string') state.context.charge(given.length >> 6);
  const called = args?.length ? commandOf(args) : node;
  state.context.charge(1);
  try {
    return fn.call(values, state.context, receiver);
  } catch (error) {
    if (!isOpsError(error) || error.kind === 'limit') throw error;
    throw failCall(state, receiver === undefined ? called : node, name, error);
  }
}

function commandOf(args: readonly Operand[]): Command {
  return { kind: 'command', pos: (args[0] as Operand).pos, args };
}

function failCall(state: State, node: Operand | Command, name: string, error: OpsError): OpsError {
  state.node = node;
  return failAt(state, `error calling ${name}: ${error.message}`, error);
}

/** What types a nil may stand for. */
function canBeNil(type: string): boolean {
  return type === 'any' || type === 'value' || /^(?:\*|\[\]|map\[)/.test(type) || type === 'template.queryResult';
}

function zeroOf(type: string): Value {
  if (type === 'any') return null;
  if (type === 'template.queryResult' || type.startsWith('[]')) return createList({ name: type, underlying: type }, []);
  if (type.startsWith('map[')) return createStringMap({ name: type, underlying: type }, {});
  return type === 'value' ? undefined : null;
}

/** A value as an argument of a type, or the message that it is none. */
function validate(state: State, value: Value, type: string): Value {
  if (value === undefined || value === null) {
    if (canBeNil(type)) return zeroOf(type);
    throw failAt(state, `invalid value; expected ${type}`);
  }
  if (isAssignable(value, type)) return value;
  if (typeof value === 'object' && value.kind === 'pointer' && isAssignable(value.to, type)) return value.to;
  throw failAt(state, `wrong type for value; expected ${type}; got ${typeName(value)}`);
}

function evaluateArgument(state: State, dot: Value, type: string, node: Operand): Value {
  state.node = node;
  switch (node.kind) {
    case 'dot':
      return validate(state, dot, type);
    case 'nil':
      if (canBeNil(type)) return zeroOf(type);
      throw failAt(state, `cannot assign nil to ${type}`);
    case 'field':
      return validate(state, evaluateField(state, dot, node, undefined, none), type);
    case 'variable':
      return validate(state, evaluateVariable(state, dot, node, undefined, none), type);
    case 'pipe': {
      const value = descend(state, () => evaluatePipe(state, dot, node));
      return validate(state, value, type);
    }
    case 'function':
      return validate(state, evaluateFunction(state, dot, node, undefined, none), type);
    case 'chain':
      return validate(state, evaluateChain(state, dot, node, undefined, none), type);
  }
  return evaluateLiteral(state, dot, type, node);
}

/** A literal takes the type that is asked for, as Go's constants do. */
function evaluateLiteral(state: State, dot: Value, type: string, node: Operand): Value {
  if (type === 'any' || type === 'value') return evaluateConstant(state, dot, node);
  if (type === 'string') {
    if (node.kind === 'string') return node.value;
    throw failAt(state, `expected string; found ${describeNode(node)}`);
  }
  if (type === 'float64') {
    if (node.kind === 'number') return node.asFloat;
    throw failAt(state, `expected float; found ${describeNode(node)}`);
  }
  if (type === 'int' || type === 'time.Duration') {
    if (node.kind !== 'number' || node.asInt === undefined) throw failAt(state, `expected integer; found ${describeNode(node)}`);
    return type === 'int' ? node.asInt : createDuration(node.asInt);
  }
  throw failAt(state, `can't handle ${describeNode(node)} for arg of type ${type}`);
}
