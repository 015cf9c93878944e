import type { Operation, Run } from './compiled.ts';
import { type Environment, spend } from './environment.ts';
import { finite, isAtMost, isLess, isTruthy, looselyEqual, strictlyEqual, toNumber, toText } from './values.ts';

const MANY = Number.POSITIVE_INFINITY;
const MAX_TEXT = 65_536;
const MAX_LIST = 10_000;

type Binary = (a: unknown, b: unknown) => unknown;

function binary(operate: Binary): Operation {
  return {
    arity: [2, 2],
    build: ([left, right]) => {
      const a = left!.run;
      const b = right!.run;
      if (right!.constant) {
        const { value } = right!.constant;
        return (env) => operate(a(env), value);
      }
      return (env) => operate(a(env), b(env));
    },
  };
}

/** `<` and `<=` with three arguments ask whether the second is between the others. */
function ordered(holds: (a: unknown, b: unknown) => boolean): Operation {
  return {
    arity: [2, 3],
    build: ([first, second, third]) => {
      const [a, b, c] = [first!.run, second!.run, third?.run];
      if (!c) return (env) => holds(a(env), b(env));
      return (env) => {
        const middle = b(env);
        return holds(a(env), middle) && holds(middle, c(env));
      };
    },
  };
}

function folding(start: number, operate: (total: number, value: number) => number): Operation {
  return {
    arity: [1, MANY],
    build: (args) => (env) => {
      let total = start;
      for (const { run } of args) total = operate(total, toNumber(run(env)));
      return finite(total);
    },
  };
}

const unary = (operate: (value: unknown) => unknown): Operation => ({
  arity: [0, MANY],
  build: ([arg]) => {
    const run = arg?.run ?? (() => null);
    return (env) => operate(run(env));
  },
});

/** `{"if": [c1, v1, c2, v2, ..., else]}`; one argument alone is given back, and an else that is left out is null. */
const branch: Operation = {
  arity: [1, MANY],
  build: (args) => {
    const runs = args.map(({ run }) => run);
    return (env) => {
      let i = 0;
      for (; i + 1 < runs.length; i += 2) if (isTruthy(runs[i]!(env))) return runs[i + 1]!(env);
      return i < runs.length ? runs[i]!(env) : null;
    };
  },
};

function logical(stopsAt: boolean): Operation {
  return {
    arity: [1, MANY],
    build: (args) => {
      const runs = args.map(({ run }) => run);
      return (env) => {
        let value: unknown = null;
        for (let i = 0; i < runs.length; i++) {
          value = runs[i]!(env);
          if (isTruthy(value) === stopsAt) return value;
        }
        return value;
      };
    },
  };
}

const includes: Operation = {
  arity: [2, 2],
  build: ([needle, haystack]) => {
    const find = needle!.run;
    const values = haystack!.constant?.value;
    if (Array.isArray(values)) {
      const set = new Set(values.filter((value) => typeof value !== 'object' || value === null));
      return (env) => set.has(find(env));
    }
    const among = haystack!.run;
    return (env) => isIn(env, find(env), among(env));
  },
};

function isIn(env: Environment, needle: unknown, haystack: unknown): boolean {
  if (typeof haystack === 'string') {
    spend(env, haystack.length >> 6);
    return (typeof needle === 'string' || typeof needle === 'number') && haystack.includes(String(needle));
  }
  if (!Array.isArray(haystack)) return false;
  spend(env, haystack.length >> 3);
  return haystack.some((value) => strictlyEqual(value, needle));
}

const concatenate: Operation = {
  arity: [1, MANY],
  build: (args) => {
    const runs = args.map(({ run }) => run);
    return (env) => {
      let text = '';
      for (const run of runs) text += toText(run(env));
      if (text.length > MAX_TEXT) spend(env, MANY);
      return text;
    };
  },
};

const merge: Operation = {
  arity: [1, MANY],
  build: (args) => (env) => {
    const list = args.flatMap(({ run }) => run(env) as unknown[]);
    spend(env, list.length > MAX_LIST ? MANY : list.length >> 3);
    return list;
  },
};

/** JsonLogic's: a negative start counts from the end, a negative length leaves as many out there. */
const substring: Operation = {
  arity: [2, 3],
  build: ([source, from, length]) => {
    return (env) => {
      const text = toText(source!.run(env));
      const start = Math.trunc(toNumber(from!.run(env))) || 0;
      const rest = text.slice(start);
      if (!length) return rest;
      const count = Math.trunc(toNumber(length.run(env))) || 0;
      return count < 0 ? rest.slice(0, Math.max(0, rest.length + count)) : rest.slice(0, count);
    };
  },
};

/** Runs `body` with each element as what `var` reads. */
function eachElement(
  list: Run,
  body: Run,
  size: number,
  visit: (value: unknown, element: unknown) => boolean,
): (env: Environment) => number {
  return (env) => {
    const elements = list(env);
    if (!Array.isArray(elements)) return 0;
    const outer = env.data;
    for (const element of elements) {
      spend(env, size);
      env.data = element;
      const goesOn = visit(body(env), element);
      env.data = outer;
      if (!goesOn) break;
    }
    return elements.length;
  };
}

function collecting(keep: (value: unknown, element: unknown, into: unknown[]) => void): Operation {
  return {
    arity: [2, 2],
    build:
      ([list, body]) =>
      (env) => {
        const into: unknown[] = [];
        const visit = (value: unknown, element: unknown) => {
          keep(value, element, into);
          return true;
        };
        eachElement(list!.run, body!.run, body!.size, visit)(env);
        return into;
      },
  };
}

/** Of an empty list `all` and `some` are false and `none` is true. */
function quantified(found: boolean, isFound: boolean, otherwise: (count: number) => boolean): Operation {
  return {
    arity: [2, 2],
    build:
      ([list, body]) =>
      (env) => {
        let met = false;
        const count = eachElement(list!.run, body!.run, body!.size, (value) => {
          met = isTruthy(value) === found;
          return !met;
        })(env);
        return met ? isFound : otherwise(count);
      },
  };
}

const reduce: Operation = {
  arity: [3, 3],
  build: ([list, body, initial]) => {
    return (env) => {
      const elements = list!.run(env);
      let accumulator = initial!.run(env);
      if (!Array.isArray(elements)) return accumulator;
      const outer = env.data;
      for (const current of elements) {
        spend(env, body!.size);
        env.data = { current, accumulator };
        accumulator = body!.run(env);
        env.data = outer;
      }
      return accumulator;
    };
  },
};

/** JsonLogic's operations but for those that read the context, which need the compiler. */
export const basicOperations: Readonly<Record<string, Operation>> = {
  if: branch,
  '==': binary(looselyEqual),
  '!=': binary((a, b) => !looselyEqual(a, b)),
  '===': binary(strictlyEqual),
  '!==': binary((a, b) => !strictlyEqual(a, b)),
  '>': binary((a, b) => isLess(b, a)),
  '>=': binary((a, b) => isAtMost(b, a)),
  '<': ordered(isLess),
  '<=': ordered(isAtMost),
  '!': unary((value) => !isTruthy(value)),
  '!!': unary(isTruthy),
  or: logical(true),
  and: logical(false),
  '+': folding(0, (total, value) => total + value),
  '*': folding(1, (total, value) => total * value),
  '-': {
    arity: [1, 2],
    build: ([a, b]) => (b ? (env) => finite(toNumber(a!.run(env)) - toNumber(b.run(env))) : (env) => finite(-toNumber(a!.run(env)))),
  },
  '/': binary((a, b) => finite(toNumber(a) / toNumber(b))),
  '%': binary((a, b) => finite(toNumber(a) % toNumber(b))),
  max: folding(Number.NEGATIVE_INFINITY, Math.max),
  min: folding(Number.POSITIVE_INFINITY, Math.min),
  in: includes,
  cat: concatenate,
  substr: substring,
  merge,
  map: collecting((value, _element, into) => into.push(value)),
  filter: collecting((value, element, into) => isTruthy(value) && into.push(element)),
  all: quantified(false, false, (count) => count > 0),
  some: quantified(true, true, () => false),
  none: quantified(true, false, () => true),
  reduce,
};
