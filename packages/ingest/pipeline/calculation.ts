import { OpsError } from '#core/errors.ts';

/** Arithmetic over named metrics, ready to be evaluated for one set of values. */
export interface Calculation {
  /** Every metric named, once each, in the order in which they first appear. */
  readonly metrics: readonly string[];
  /** The value for `values[i]` of `metrics[i]`, in IEEE 754 doubles as PromQL computes. */
  evaluate(values: ArrayLike<number>): number;
}

type Node = (values: ArrayLike<number>) => number;

const MAX_CHARS = 4_096;
const MAX_DEPTH = 100;
const token = /[ \t\r\n]*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([a-zA-Z_:][a-zA-Z0-9_:]*)|([-+*/%^()])|$)/y;

interface Reader {
  readonly text: string;
  readonly metrics: Map<string, number>;
  /** The token under the cursor; all undefined at the end. */
  number: string | undefined;
  name: string | undefined;
  sign: string | undefined;
  start: number;
  next: number;
  depth: number;
}

/**
 * Reads `a / b`, `100 * (1 - free / total)`: metric names, numbers, `+ - * / % ^`, unary minus and parentheses, with PromQL's
 * precedence (`^` binds tightest and to the right, then unary minus). `input` naming the column. At least one metric.
 */
export function parseCalculation(text: string): Calculation {
  if (text.length > MAX_CHARS)
    throw new OpsError('input', `an expression has at most ${MAX_CHARS} characters; this one has ${text.length}`);
  const reader: Reader = { text, metrics: new Map(), number: undefined, name: undefined, sign: undefined, start: 0, next: 0, depth: 0 };
  advance(reader);
  const evaluate = parseSum(reader);
  if (!atEnd(reader)) throw unexpected(reader, 'an operator');
  if (reader.metrics.size === 0) throw new OpsError('input', 'an expression names at least one metric');
  return { metrics: [...reader.metrics.keys()], evaluate };
}

function advance(reader: Reader): void {
  token.lastIndex = reader.next;
  const match = token.exec(reader.text);
  if (!match) {
    const column = reader.next + ((/[^ \t\r\n]/.exec(reader.text.slice(reader.next))?.index ?? 0) + 1);
    throw new OpsError(
      'input',
      `column ${column}: ${JSON.stringify(reader.text.slice(column - 1, column))} is no metric name, number or one of + - * / % ^ ( )`,
    );
  }
  [, reader.number, reader.name, reader.sign] = match;
  reader.next = token.lastIndex;
  reader.start = reader.next - (reader.number ?? reader.name ?? reader.sign ?? '').length;
}

function atEnd(reader: Reader): boolean {
  return reader.number === undefined && reader.name === undefined && reader.sign === undefined;
}

function unexpected(reader: Reader, expected: string): OpsError {
  const got = atEnd(reader) ? 'the expression ends' : `there is ${JSON.stringify(reader.number ?? reader.name ?? reader.sign)}`;
  return new OpsError('input', `column ${reader.start + 1}: ${got} where ${expected} should be`);
}

function parseSum(reader: Reader): Node {
  let left = parseProduct(reader);
  while (reader.sign === '+' || reader.sign === '-') left = parseRight(reader, left, parseProduct);
  return left;
}

function parseProduct(reader: Reader): Node {
  let left = parseUnary(reader);
  while (reader.sign === '*' || reader.sign === '/' || reader.sign === '%') left = parseRight(reader, left, parseUnary);
  return left;
}

function parseUnary(reader: Reader): Node {
  if (reader.sign !== '-' && reader.sign !== '+') return parsePower(reader);
  const negative = reader.sign === '-';
  advance(reader);
  const inner = nested(reader, parseUnary);
  return negative ? (values) => -inner(values) : inner;
}

function parsePower(reader: Reader): Node {
  const left = parseAtom(reader);
  return reader.sign === '^' ? parseRight(reader, left, (each) => nested(each, parseUnary)) : left;
}

function parseRight(reader: Reader, left: Node, parse: (reader: Reader) => Node): Node {
  const operator = reader.sign as string;
  advance(reader);
  const right = parse(reader);
  const apply = operators[operator] as (a: number, b: number) => number;
  return (values) => apply(left(values), right(values));
}

function parseAtom(reader: Reader): Node {
  const { number, name, sign } = reader;
  if (sign === '(') {
    advance(reader);
    const inner = nested(reader, parseSum);
    if (reader.sign !== ')') throw unexpected(reader, ')');
    advance(reader);
    return inner;
  }
  if (number === undefined && name === undefined) throw unexpected(reader, 'a metric name or a number');
  advance(reader);
  if (number !== undefined) return () => Number(number);
  const { metrics } = reader;
  if (!metrics.has(name as string)) metrics.set(name as string, metrics.size);
  const index = metrics.get(name as string) as number;
  return (values) => values[index] as number;
}

function nested(reader: Reader, parse: (reader: Reader) => Node): Node {
  if (++reader.depth > MAX_DEPTH)
    throw new OpsError('input', `column ${reader.start + 1}: the expression nests more than ${MAX_DEPTH} deep`);
  const node = parse(reader);
  reader.depth--;
  return node;
}

const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': power,
};

/** C's and Go's pow, which knows 1^NaN = 1 and (-1)^Inf = 1 where JavaScript says NaN. */
function power(base: number, exponent: number): number {
  return base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) ? 1 : base ** exponent;
}
