import type { SampleSource, SelectInput, SelectResult } from './sample-source.ts';

/** Samples that are kept at most; two numbers each. */
const MAX_SAMPLES = 4_000_000;

/**
 * The source as it is when each selection is first made: of a thousand rules, many ask for the same series over the same time. Lives as long
 * as one evaluation. What was asked for longest ago is forgotten first; a selection that failed is made again.
 */
export function selectOnce(source: SampleSource, maxSamples = MAX_SAMPLES): SampleSource {
  const answers = new Map<string, Promise<SelectResult>>();
  const sizes = new Map<string, number>();
  let kept = 0;
  const forget = (key: string) => {
    answers.delete(key);
    kept -= sizes.get(key) ?? 0;
    sizes.delete(key);
  };
  const keep = (key: string, { read }: SelectResult) => {
    sizes.set(key, read.samples);
    kept += read.samples;
    for (const oldest of sizes.keys()) if (kept > maxSamples) forget(oldest);
  };
  return {
    ...source,
    select(input) {
      const key = keyOf(input);
      const known = answers.get(key);
      if (known) return known;
      const answer = source.select(input);
      answers.set(key, answer);
      answer.then(
        (result) => keep(key, result),
        () => forget(key),
      );
      return answer;
    },
  };
}

function keyOf({ tenant, matchers, startMs, endMs, rangeMs, stepMs, func, limits }: SelectInput): string {
  const tests = matchers.map(({ name, op, value }) => [name, op, value]);
  const { maxSeries, maxSamples, maxBytes } = limits;
  return JSON.stringify([tenant, tests, startMs, endMs, rangeMs, stepMs, func, maxSeries, maxSamples, maxBytes]);
}
