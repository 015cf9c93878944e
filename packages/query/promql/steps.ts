import type { TimeModifiers } from './ast.ts';

/** The evaluation times of a query or subquery: `times[i] = startMs + i * stepMs`. */
export interface Steps {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 where there is one time only. */
  readonly stepMs: number;
  readonly count: number;
  readonly times: Float64Array;
}

/** How many times there are from `startMs` to at most `endMs`. */
export function countSteps(startMs: number, endMs: number, stepMs: number): number {
  if (endMs < startMs) return 0;
  return stepMs === 0 ? 1 : Math.floor((endMs - startMs) / stepMs) + 1;
}

/** The times from `startMs` to at most `endMs`; `stepMs` 0 means `startMs` alone, and no time at all where the end comes before the start. */
export function makeSteps(startMs: number, endMs: number, stepMs: number): Steps {
  const count = countSteps(startMs, endMs, stepMs);
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[i] = startMs + i * stepMs;
  return { startMs, endMs: count > 0 ? (times[count - 1] as number) : endMs, stepMs, count, times };
}

/** The time that each step of a selector or subquery looks at, after `@` and `offset`. */
export function lookupTimes(steps: Steps, modifiers: TimeModifiers): Float64Array {
  const { at, offsetMs } = modifiers;
  if (at === undefined && offsetMs === 0) return steps.times;
  const times = new Float64Array(steps.count);
  if (at !== undefined) return times.fill(fixedTime(at) - offsetMs);
  for (let i = 0; i < times.length; i++) times[i] = (steps.times[i] as number) - offsetMs;
  return times;
}

/** `@ start()` and `@ end()` have become numbers by the time anything is evaluated. */
export function fixedTime(at: number | 'start' | 'end'): number {
  if (typeof at !== 'number') throw new TypeError(`@ ${at}() was not resolved before evaluation`);
  return at;
}
