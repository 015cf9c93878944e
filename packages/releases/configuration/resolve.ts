import { mapConcurrent } from '#core/batch.ts';
import { BASE, type ConfigDocument, type Expectation, type Value } from './document.ts';

/** A value and the layer that says so. */
export interface ResolvedValue {
  readonly value: Exclude<Value, null>;
  readonly layer: string;
}

/** What an environment's processes are to run with. */
export interface ResolvedConfig {
  readonly env: ReadonlyMap<string, ResolvedValue>;
  readonly files: ReadonlyMap<string, ResolvedValue>;
  readonly expect: ReadonlyMap<string, Expectation>;
  /** Lambda functions that run with it. */
  readonly functions: readonly string[];
}

/** Lays the environment's layer over the base: the upper one's names hold, and null takes a name away. */
export function resolveConfig(base: ConfigDocument, environment: string, upper: ConfigDocument): ResolvedConfig {
  const lay = (field: 'env' | 'files') => {
    const merged = new Map<string, ResolvedValue>();
    const layers = [
      [BASE, base[field]],
      [environment, upper[field]],
    ] as const;
    for (const [layer, values] of layers) {
      for (const [name, value] of Object.entries(values)) {
        if (value === null) merged.delete(name);
        else merged.set(name, { value, layer });
      }
    }
    return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return {
    env: lay('env'),
    files: lay('files'),
    expect: new Map(Object.entries({ ...base.expect, ...upper.expect })),
    functions: [...new Set([...base.functions, ...upper.functions])],
  };
}

/** One sentence for each thing that is wrong with what an environment would run with; none where all is well. */
export function findConfigProblems({ env, expect }: ResolvedConfig): string[] {
  return [...expect].flatMap(([name, expectation]) => {
    const found = env.get(name);
    if (!found) return expectation.required || expectation.secret ? [`${name} is missing`] : [];
    return checkValue(found.value, expectation).map((problem) => `${name} (layer ${found.layer}) ${problem}`);
  });
}

function checkValue(value: Exclude<Value, null>, expectation: Expectation): string[] {
  if (typeof value !== 'string') return []; // what the secret holds is never read
  if (expectation.secret) return ['must be a reference to a secret, and is text'];
  const problem = checkType(value, expectation.type ?? 'text') ?? checkBounds(value, expectation);
  return problem === undefined ? [] : [problem];
}

const types: Readonly<Record<string, RegExp>> = {
  integer: /^[+-]?\d{1,15}$/,
  number: /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/,
  boolean: /^(?:true|false)$/,
  url: /^[a-z][a-z0-9+.-]*:\/\/[^\s]+$/i,
};

function checkType(value: string, type: string): string | undefined {
  return types[type]?.test(value) === false ? `must be of type ${type}; got ${show(value)}` : undefined;
}

function checkBounds(value: string, { oneOf, min, max }: Expectation): string | undefined {
  if (oneOf && !oneOf.includes(value)) return `must be one of ${oneOf.join(', ')}; got ${show(value)}`;
  if (min === undefined && max === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number)) return `must be a number; got ${show(value)}`;
  if (min !== undefined && number < min) return `must be at least ${min}; got ${show(value)}`;
  return max !== undefined && number > max ? `must be at most ${max}; got ${show(value)}` : undefined;
}

function show(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

/** References to secrets that lead nowhere, one sentence each. */
export async function findMissingSecrets(resolved: ResolvedConfig, hasSecret: (reference: string) => Promise<boolean>): Promise<string[]> {
  const references = new Map<string, string>();
  for (const values of [resolved.env, resolved.files]) {
    for (const [name, { value }] of values) if (typeof value !== 'string') references.set(value.secret, name);
  }
  const checked = await mapConcurrent([...references], 4, async ([reference, name]) =>
    (await hasSecret(reference)) ? [] : [`${name} refers to ${reference}, and there is no such secret`],
  );
  return checked.flat();
}
