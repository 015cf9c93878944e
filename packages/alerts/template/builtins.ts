import { OpsError } from '#core/errors.ts';
import { compareEqual, compareLess } from './compare.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escapes.ts';
import { formatAll, formatLine, formatText } from './go-format.ts';
import { byteLength, type CallContext, createList, type FunctionTable, indirect, isTrue, typeName, type Value } from './go-values.ts';

function fail(message: string): OpsError {
  return new OpsError('input', message);
}

/** What the escaping functions make of their arguments: print's text, without its nil. */
function joinArguments(args: readonly Value[], context: CallContext): string {
  if (args.length === 1 && typeof args[0] === 'string') return args[0];
  return formatAll(
    args.map((arg) => indirect(arg) ?? '<no value>'),
    context.charge,
  );
}

function escaper(change: (text: string) => string) {
  return (args: readonly Value[], context: CallContext) => {
    const text = joinArguments(args, context);
    context.charge(1 + Math.ceil(text.length / 32));
    return change(text);
  };
}

function readIndex(index: Value, most: number): number {
  const plain = typeof index === 'object' && index !== null && index.kind === 'named' ? index.value : index;
  if (plain === undefined || plain === null) throw fail('cannot index slice/array with nil');
  if (typeof plain !== 'bigint') throw fail(`cannot index slice/array with type ${typeName(index)}`);
  if (plain < 0n || plain > BigInt(most)) throw fail(`index out of range: ${plain}`);
  return Number(plain);
}

function indexOnce(item: Value, index: Value): Value {
  const target = indirect(item);
  if (target === undefined || target === null) throw fail('index of nil pointer');
  if (typeof target === 'string') {
    const bytes = Buffer.from(target);
    const at = readIndex(index, bytes.length);
    if (at === bytes.length) throw fail('reflect: string index out of range');
    return BigInt(bytes[at] as number);
  }
  if (typeof target === 'object' && target.kind === 'list') {
    const at = readIndex(index, target.items.length);
    if (at === target.items.length) throw fail('reflect: slice index out of range');
    return target.items[at];
  }
  if (typeof target === 'object' && target.kind === 'map') {
    if (index === undefined || index === null) throw fail('value is nil; should be of type string');
    if (typeof index !== 'string') throw fail(`value has type ${typeName(index)}; should be string`);
    return target.entries.has(index) ? target.entries.get(index) : target.zero;
  }
  throw fail(`can't index item of type ${typeName(target)}`);
}

function index([item, ...indexes]: readonly Value[]): Value {
  if (item === undefined || item === null) throw fail('index of untyped nil');
  return indexes.reduce(indexOnce, item);
}

function slice([item, ...indexes]: readonly Value[]): Value {
  if (item === undefined || item === null) throw fail('slice of untyped nil');
  if (indexes.length > 3) throw fail(`too many slice indexes: ${indexes.length}`);
  const isList = typeof item === 'object' && item.kind === 'list';
  if (typeof item === 'string' && indexes.length === 3) throw fail('cannot 3-index slice a string');
  if (typeof item !== 'string' && !isList) throw fail(`can't slice item of type ${typeName(item)}`);
  const length = typeof item === 'string' ? byteLength(item) : item.items.length;
  const at = [0, length];
  indexes.forEach((value, i) => {
    at[i] = readIndex(value, length);
  });
  const [from = 0, to = length, most = to] = at;
  if (from > to) throw fail(`invalid slice index: ${from} > ${to}`);
  if (to > most) throw fail(`invalid slice index: ${to} > ${most}`);
  return typeof item === 'string' ? Buffer.from(item).subarray(from, to).toString() : createList(item.type, item.items.slice(from, to));
}

function length([item]: readonly Value[]): Value {
  if (item === undefined || item === null) throw fail('reflect: call of reflect.Value.Type on zero Value');
  const target = indirect(item);
  if (target === undefined || target === null) throw fail('len of nil pointer');
  if (typeof target === 'string') return BigInt(byteLength(target));
  if (typeof target === 'object' && target.kind === 'list') return BigInt(target.items.length);
  if (typeof target === 'object' && target.kind === 'map') return BigInt(target.entries.size);
  if (typeof target === 'object' && target.kind === 'named' && typeof target.value === 'string') return BigInt(byteLength(target.value));
  throw fail(`len of type ${typeName(target)}`);
}

function equalsAny([first, ...others]: readonly Value[], { charge }: CallContext): boolean {
  if (others.length === 0) throw fail('missing argument for comparison');
  return others.some((other) => compareEqual(first, other, charge));
}

const less = (args: readonly Value[]) => compareLess(args[0], args[1]);
const equal = (args: readonly Value[], { charge }: CallContext) => compareEqual(args[0], args[1], charge);
const lessOrEqual = (args: readonly Value[], context: CallContext) => less(args) || equal(args, context);
const unreachable = () => {
  throw new Error('and, or are evaluated where they are called');
};

/** The functions that every template has. `and` and `or` are evaluated by the interpreter, which stops at the first that decides. */
export const builtins: FunctionTable = {
  and: { params: ['value'], variadic: 'value', call: unreachable },
  or: { params: ['value'], variadic: 'value', call: unreachable },
  not: { params: ['value'], call: ([value]) => !isTrue(value) },
  len: { params: ['value'], call: length },
  index: { params: ['value'], variadic: 'value', call: index },
  slice: { params: ['value'], variadic: 'value', call: slice },
  call: {
    params: ['value'],
    variadic: 'value',
    call: ([fn]) => {
      throw fail(fn === undefined || fn === null ? 'call of nil' : `non-function of type ${typeName(fn)}`);
    },
  },
  html: { params: [], variadic: 'any', call: escaper(escapeHtml) },
  js: { params: [], variadic: 'any', call: escaper(escapeJs) },
  urlquery: { params: [], variadic: 'any', call: escaper(escapeQuery) },
  print: { params: [], variadic: 'any', call: (args, { charge }) => formatAll(args, charge) },
  printf: { params: ['string'], variadic: 'any', call: ([format, ...args], { charge }) => formatText(format as string, args, charge) },
  println: { params: [], variadic: 'any', call: (args, { charge }) => formatLine(args, charge) },
  eq: { params: ['value'], variadic: 'value', call: equalsAny },
  ne: { params: ['value', 'value'], call: (args, context) => !equal(args, context) },
  lt: { params: ['value', 'value'], call: less },
  le: { params: ['value', 'value'], call: lessOrEqual },
  gt: { params: ['value', 'value'], call: (args, context) => !lessOrEqual(args, context) },
  ge: { params: ['value', 'value'], call: (args) => !less(args) },
};
