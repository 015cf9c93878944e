import type { Series } from '#model/series.ts';
import { executionError } from '#query/query-errors.ts';
import { presentAnywhere } from './absent.ts';
import type { VectorMatching } from './ast.ts';
import type { Frame } from './frame.ts';
import { dropLabels, formatLabels, keepLabels, makeSignature } from './labels.ts';

/** Rows on both sides with the same matching labels; "one" is the side that may have one series a step. */
export interface MatchGroup {
  readonly many: number[];
  readonly one: number[];
  /** The row of the "one" side at each step or -1, where there are several rows. */
  byStep: Int32Array | undefined;
}

/**
 * Puts the rows of both sides together by their matching labels; groups that cannot give a result are left out. Fails where
 * two series of the "one" side meet at a step, at the earliest such step.
 */
export function matchRows(matching: VectorMatching, many: Frame, one: Frame, swapped: boolean): MatchGroup[] {
  const signature = makeSignature(matching.on, matching.labels);
  const groups = new Map<string, MatchGroup>();
  const groupOf = (series: Series): MatchGroup => {
    const key = signature(series);
    let group = groups.get(key);
    if (group === undefined) {
      group = { many: [], one: [], byStep: undefined };
      groups.set(key, group);
    }
    return group;
  };
  for (let row = 0; row < one.series.length; row++) groupOf(one.series[row] as Series).one.push(row);
  for (let row = 0; row < many.series.length; row++) groupOf(many.series[row] as Series).many.push(row);
  const filled = matching.fill?.lhs !== undefined || matching.fill?.rhs !== undefined;
  const all = [...groups.values()];
  indexSteps(matching, many, one, swapped, all);
  return all.filter((group) => filled || (group.one.length > 0 && group.many.length > 0));
}

/** The row of the "one" side at a step, or -1. */
export function oneAt(one: Frame, { one: rows, byStep }: MatchGroup, step: number): number {
  if (byStep !== undefined) return byStep[step] as number;
  const row = rows[0];
  return row !== undefined && one.present[row * one.steps.count + step] === 1 ? row : -1;
}

/** 1 for each step at which one of the rows has a point. */
export function presentInRows({ present, steps }: Frame, rows: readonly number[]): Uint8Array {
  const n = steps.count;
  const found = new Uint8Array(n);
  for (const row of rows) for (let i = 0; i < n; i++) found[i] = (found[i] as number) | (present[row * n + i] as number);
  return found;
}

/** The labels by which a series is matched. */
export function matchLabels(series: Series, { on, labels }: VectorMatching): Series {
  return on ? keepLabels(series, new Set(labels)) : dropLabels(series, new Set([...labels, '__name__']));
}

function indexSteps(matching: VectorMatching, many: Frame, one: Frame, swapped: boolean, groups: readonly MatchGroup[]): void {
  const crowded = groups.filter((group) => group.one.length > 1);
  if (crowded.length === 0) return;
  const n = one.steps.count;
  const filled = matching.fill?.lhs !== undefined || matching.fill?.rhs !== undefined;
  const needed = filled ? undefined : presentAnywhere(many);
  let earliest: { step: number; first: number; second: number } | undefined;
  for (const group of crowded) {
    const byStep = new Int32Array(n).fill(-1);
    for (const row of group.one) {
      for (let i = 0; i < n; i++) {
        if (one.present[row * n + i] !== 1) continue;
        const first = byStep[i] as number;
        if (first < 0) byStep[i] = row;
        else if (needed?.[i] !== 0 && (earliest === undefined || i < earliest.step)) earliest = { step: i, first, second: row };
      }
    }
    group.byStep = byStep;
  }
  if (earliest) throw duplicateError(matching, one.series[earliest.first] as Series, one.series[earliest.second] as Series, swapped);
}

function duplicateError(matching: VectorMatching, first: Series, second: Series, swapped: boolean): Error {
  const [a, b] = [formatLabels(first), formatLabels(second)].sort();
  const group = formatLabels(matchLabels(second, matching));
  const side = swapped ? 'left' : 'right';
  return executionError(
    `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${a}, ${b}];many-to-many matching not allowed: matching labels must be unique on one side`,
  );
}
