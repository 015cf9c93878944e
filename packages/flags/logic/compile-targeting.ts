import { OpsError } from '#core/errors.ts';
import { comparesText, inCidr, lowerCase, readNumber, readTime, regexMatch } from './additions.ts';
import { basicOperations } from './basic-operations.ts';
import type { Compiled, Operation, Run } from './compiled.ts';
import { MAX_TOTAL_WEIGHT, type Share, splitFractionally } from './fractional.ts';
import { semVer } from './sem-ver.ts';
import { splitAsUnleash, unleashField, unleashRollout, unleashStickiness } from './unleash-operations.ts';
import { readName, readPath } from './values.ts';

/** Rules that others refer to by `$ref`. */
export type Evaluators = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 64;
/** Nodes of one flag, references written out. */
const MAX_NODES = 20_000;

const operations = new Map<string, Operation>(
  Object.entries({
    ...basicOperations,
    starts_with: comparesText((text, prefix) => text.startsWith(prefix)),
    ends_with: comparesText((text, suffix) => text.endsWith(suffix)),
    sem_ver: semVer,
    lower_case: lowerCase,
    number: readNumber,
    time_ms: readTime,
    regex_match: regexMatch,
    in_cidr: inCidr,
    unleash_field: unleashField,
    unleash_stickiness: unleashStickiness,
    unleash_rollout: unleashRollout,
  }),
);

type Special = (compiler: Compiler, args: unknown, place: Place) => Compiled;

const specials = new Map<string, Special>([
  ['var', compileVar],
  ['missing', compileMissing],
  ['missing_some', compileMissingSome],
  ['fractional', compileFractional],
  ['unleash_split', compileUnleashSplit],
  ['$ref', compileReference],
]);

interface Place {
  readonly path: string;
  readonly depth: number;
}

interface Compiler {
  readonly evaluators: Evaluators;
  /** Those that were met, and those that are being compiled. */
  readonly known: Map<string, Compiled | 'open'>;
}

/**
 * Compiles targeting in JsonLogic with flagd's additions and ours. `input` with the place of what is wrong: an operation that there is not, too
 * many or too few arguments, a reference to nothing or to itself, more than 64 levels or 20,000 nodes.
 */
export function compileTargeting(targeting: unknown, evaluators: Evaluators, path: string): Compiled {
  const compiled = compile({ evaluators, known: new Map() }, targeting, { path, depth: 0 });
  if (compiled.size > MAX_NODES) throw refusal(path, `has more than ${MAX_NODES} nodes, with what it refers to`);
  if (compiled.depth > MAX_DEPTH) throw refusal(path, `has more than ${MAX_DEPTH} levels, with what it refers to`);
  return compiled;
}

function refusal(path: string, why: string): OpsError {
  return new OpsError('input', `${path}: ${why}`);
}

function compile(compiler: Compiler, rule: unknown, place: Place): Compiled {
  if (place.depth > MAX_DEPTH) throw refusal(place.path, `has more than ${MAX_DEPTH} levels`);
  if (Array.isArray(rule)) return compileList(compiler, rule, place);
  if (typeof rule !== 'object' || rule === null) return literal(rule ?? null);
  const names = Object.keys(rule);
  if (names.length === 0) return literal(rule);
  const [name] = names as [string];
  if (names.length > 1) throw refusal(place.path, `has several operations: ${names.slice(0, 5).join(', ')}; a rule has one`);
  const args = (rule as Record<string, unknown>)[name];
  const inner = { path: `${place.path}.${name}`, depth: place.depth + 1 };
  const special = specials.get(name);
  if (special) return special(compiler, args, inner);
  const operation = operations.get(name);
  if (!operation) throw refusal(place.path, `${JSON.stringify(name.slice(0, 60))} is no operation; there are ${operationNames()}`);
  return compileOperation(compiler, operation, args, inner);
}

function operationNames(): string {
  return [...operations.keys(), ...specials.keys()].filter((name) => name !== '$ref').join(' ');
}

function literal(value: unknown): Compiled {
  return { run: () => value, size: 1, depth: 1, constant: { value } };
}

function compileAll(compiler: Compiler, args: readonly unknown[], { path, depth }: Place): Compiled[] {
  return args.map((arg, i) => compile(compiler, arg, { path: `${path}[${i}]`, depth: depth + 1 }));
}

/** Of a node over these parts; a reference counts each time. */
function measure(parts: readonly Compiled[]): { readonly size: number; readonly depth: number } {
  let [size, depth] = [1, 0];
  for (const part of parts) {
    size += part.size;
    depth = Math.max(depth, part.depth);
  }
  return { size, depth: depth + 1 };
}

function compileList(compiler: Compiler, list: readonly unknown[], place: Place): Compiled {
  const parts = compileAll(compiler, list, place);
  const measured = measure(parts);
  if (parts.every(({ constant }) => constant)) {
    const value = parts.map(({ constant }) => constant?.value);
    return { run: () => value, ...measured, constant: { value } };
  }
  return { run: (env) => parts.map(({ run }) => run(env)), ...measured };
}

function compileOperation(compiler: Compiler, operation: Operation, args: unknown, place: Place): Compiled {
  const list = Array.isArray(args) ? args : [args];
  const [least, most] = operation.arity;
  if (list.length < least || list.length > most) {
    const takes = most === Number.POSITIVE_INFINITY ? `at least ${least}` : least === most ? `${least}` : `${least} to ${most}`;
    throw refusal(place.path, `takes ${takes} argument${most === 1 ? '' : 's'}; got ${list.length}`);
  }
  const parts = compileAll(compiler, list, place);
  const run = operation.build(parts, (why) => {
    throw refusal(place.path, why);
  });
  return { run, ...measure(parts) };
}

function compileVar(_compiler: Compiler, args: unknown, place: Place): Compiled {
  const [name, fallback = null] = Array.isArray(args) ? args : [args];
  if (Array.isArray(args) && (args.length < 1 || args.length > 2))
    throw refusal(place.path, 'takes a name and, if need be, what stands for it');
  if (typeof fallback === 'object' && fallback !== null) throw refusal(place.path, 'what stands for a missing value is a literal');
  return { run: readVariable(name, fallback, place), size: 1, depth: 1 };
}

function readVariable(name: unknown, fallback: unknown, { path }: Place): Run {
  if (name === '' || name === null || name === undefined) return (env) => env.data ?? fallback;
  if (typeof name !== 'string' && typeof name !== 'number') throw refusal(path, 'takes the name of a value of the context');
  if (name === '$flagd.flagKey') return (env) => env.flagKey;
  if (name === '$flagd.timestamp') return (env) => Math.floor(env.nowMs / 1_000);
  if (String(name).startsWith('$flagd.')) throw refusal(path, '$flagd has flagKey and timestamp');
  const steps = String(name).split('.');
  if (steps.length === 1) return (env) => readName(env.data, steps[0] as string) ?? fallback;
  if (fallback === null) return (env) => readPath(env.data, steps);
  return (env) => readPath(env.data, steps) ?? fallback;
}

const isMissing = (value: unknown) => value === null || value === '';

function namesIn(list: unknown, place: Place): string[] {
  const names = Array.isArray(list) ? list : [list];
  if (!names.every((name) => typeof name === 'string')) throw refusal(place.path, 'takes names of values of the context');
  return names;
}

function compileMissing(_compiler: Compiler, args: unknown, place: Place): Compiled {
  const paths = namesIn(args, place).map((name) => [name, name.split('.')] as const);
  const run: Run = (env) => paths.filter(([, path]) => isMissing(readPath(env.data, path))).map(([name]) => name);
  return { run, size: 1 + paths.length, depth: 1 };
}

function compileMissingSome(compiler: Compiler, args: unknown, place: Place): Compiled {
  const [need, list] = Array.isArray(args) ? args : [];
  if (typeof need !== 'number' || !Array.isArray(list)) throw refusal(place.path, 'takes a number and a list of names');
  const missing = compileMissing(compiler, list, place);
  const run: Run = (env) => {
    const names = missing.run(env) as readonly string[];
    return list.length - names.length >= need ? [] : names;
  };
  return { run, size: missing.size, depth: 1 };
}

function compileReference({ evaluators, known, ...rest }: Compiler, name: unknown, place: Place): Compiled {
  if (typeof name !== 'string' || !Object.hasOwn(evaluators, name)) {
    throw refusal(place.path, `${JSON.stringify(name)?.slice(0, 80)} is not among the $evaluators`);
  }
  const found = known.get(name);
  if (found === 'open') throw refusal(place.path, `${JSON.stringify(name)} refers to itself`);
  if (found) return found;
  known.set(name, 'open');
  const compiled = compile({ evaluators, known, ...rest }, evaluators[name], { path: `$evaluators.${name}`, depth: place.depth });
  known.set(name, compiled);
  return compiled;
}

function compileFractional(compiler: Compiler, args: unknown, place: Place): Compiled {
  if (!Array.isArray(args) || args.length === 0) throw refusal(place.path, 'takes a list of shares, such as ["red", 25]');
  const hasKey = !Array.isArray(args[0]);
  if (hasKey && (typeof args[0] !== 'object' || args[0] === null))
    throw refusal(`${place.path}[0]`, 'what people are told apart by is a rule');
  const bucketBy = hasKey ? compile(compiler, args[0], { path: `${place.path}[0]`, depth: place.depth + 1 }) : undefined;
  const first = hasKey ? 1 : 0;
  if (args.length === first) throw refusal(place.path, 'has no shares');
  const parts: Compiled[] = bucketBy ? [bucketBy] : [];
  const shares = args.slice(first).map((share, i): Share => {
    const path = `${place.path}[${i + first}]`;
    const [variant, weight] = compileShare(compiler, share, { path, depth: place.depth + 1 }, true);
    parts.push(variant, ...(weight ? [weight] : []));
    return { variant: variant.run, weight };
  });
  const total = shares.reduce((sum, { weight }) => sum + (weight ? Number(weight.constant?.value ?? 0) : 1), 0);
  if (total > MAX_TOTAL_WEIGHT) throw refusal(place.path, `the weights come to more than ${MAX_TOTAL_WEIGHT}`);
  return { run: splitFractionally(bucketBy?.run, shares), ...measure(parts) };
}

function compileShare(compiler: Compiler, share: unknown, place: Place, mayCompute: boolean): [Compiled, Compiled | undefined] {
  if (!Array.isArray(share) || share.length < 1 || share.length > 2)
    throw refusal(place.path, 'a share is a list of a variant and its weight');
  const [variant, weight] = compileAll(compiler, share, place) as [Compiled, Compiled | undefined];
  if (weight === undefined || (mayCompute && !weight.constant)) return [variant, weight];
  const value = weight.constant?.value;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOTAL_WEIGHT) return [variant, weight];
  throw refusal(
    `${place.path}[1]`,
    `a weight is a whole number from 0 to ${MAX_TOTAL_WEIGHT}; got ${JSON.stringify(share[1])?.slice(0, 60)}`,
  );
}

function compileUnleashSplit(compiler: Compiler, args: unknown, place: Place): Compiled {
  if (!Array.isArray(args) || args.length < 3) throw refusal(place.path, 'takes a group, an id, and shares such as ["red", 25]');
  const [group, id] = compileAll(compiler, args.slice(0, 2), place) as [Compiled, Compiled];
  const parts = [group, id];
  const shares = args.slice(2).map((share, i) => {
    const [variant, weight] = compileShare(compiler, share, { path: `${place.path}[${i + 2}]`, depth: place.depth + 1 }, false);
    parts.push(variant);
    return { variant: variant.run, weight: weight ? Number(weight.constant?.value) : 1 };
  });
  if (shares.reduce((sum, { weight }) => sum + weight, 0) > MAX_TOTAL_WEIGHT) throw refusal(place.path, 'the weights come to too much');
  return { run: splitAsUnleash(group, id, shares), ...measure(parts) };
}
