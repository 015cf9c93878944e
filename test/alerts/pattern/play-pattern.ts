import type { DetectorMemory } from '#alerts/detectors/detector.ts';
import { observePattern } from '#alerts/pattern/observe-pattern.ts';
import type { Pattern } from '#alerts/pattern/pattern.ts';
import { seriesFromLabels } from '#model/series.ts';
import type { InstantSample } from '#ports/query.ts';

export const minute = 60_000;

/** A condition that `play` looks up by its name. */
export function condition(name: string) {
  return { name, expr: name };
}

/** What one evaluation found: `i=a 3` for each label set, in order. */
export interface Played {
  readonly found: readonly string[];
  readonly explanations: readonly string[];
  readonly memory: DetectorMemory;
}

type Values = Readonly<Record<string, number>>;

/** A series of each condition by its label `i`, one evaluation a minute: `{A: {a: 1}}`. Memories go through JSON between evaluations. */
export async function play(
  pattern: Pattern,
  evaluations: readonly Readonly<Record<string, Values>>[],
  by?: readonly string[],
): Promise<Played[]> {
  const played: Played[] = [];
  let memory: DetectorMemory | undefined;
  for (const [i, conditions] of evaluations.entries()) {
    const ask = async (expr: string) => Object.entries(conditions[expr] ?? {}).map(toSample);
    const observed = await observePattern({ ask }, { detector: { kind: 'pattern', by, pattern }, memory, atMs: i * minute });
    memory = JSON.parse(JSON.stringify(observed.memory)) as DetectorMemory;
    played.push({
      found: observed.vector.map(({ series, value }) => `${series.json} ${value}`).sort(),
      explanations: observed.vector.map(({ explanation }) => explanation ?? ''),
      memory: observed.memory,
    });
  }
  return played;
}

function toSample([i, value]: [string, number]): InstantSample {
  return { series: seriesFromLabels([{ name: '__name__', value: 'm' }, ...(i === '' ? [] : [{ name: 'i', value: i }])]), value };
}

/** One label set in a string, a column an evaluation: for each condition a line of values, `.` where it does not hold. */
export async function playLines(pattern: Pattern, lines: Readonly<Record<string, string>>): Promise<{ found: string; last: string }> {
  const width = Math.max(...Object.values(lines).map((line) => line.length));
  const evaluations = Array.from({ length: width }, (_, i) =>
    Object.fromEntries(
      Object.entries(lines).flatMap(([name, line]): [string, Values][] => {
        const letter = line[i] ?? '.';
        return letter === '.' ? [] : [[name, { '': Number(letter) }]];
      }),
    ),
  );
  const played = await play(pattern, evaluations);
  const explanations = played.flatMap((each) => each.explanations);
  return { found: played.map(({ found }) => (found.length > 0 ? 'F' : '.')).join(''), last: explanations.at(-1) ?? '' };
}
