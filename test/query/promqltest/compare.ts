import { type Series, seriesKey } from '#model/series.ts';
import { compareLabelSets, formatLabels } from '#query/promql/labels.ts';
import type { SequenceValue } from '#query/promql/series-notation.ts';
import type { QueryResult } from '#query/query-result.ts';
import type { EvalCommand, Expectation } from './script.ts';

/** One series of a result as the scripts compare it. */
interface ResultSeries {
  readonly series: Series;
  readonly ts: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Equal within 1e-6 of their sum; NaN equals NaN, and next to zero nothing is close. */
function almostEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const smallestNormal = 2.2250738585072014e-308;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < smallestNormal) return difference < 1e-6 * smallestNormal;
  return difference / Math.min(sum, Number.MAX_VALUE) < 1e-6;
}

/** Why a result is not what a command expects, or undefined. */
export function compareResult(command: EvalCommand, result: QueryResult): string | undefined {
  switch (result.type) {
    case 'string':
      return result.value === command.expectString ? undefined : `expected the string ${command.expectString}, got ${result.value}`;
    case 'scalar':
      if (command.scalar === undefined) return `expected no scalar, got ${result.value}`;
      return almostEqual(command.scalar, result.value) ? undefined : `expected the scalar ${command.scalar}, got ${result.value}`;
    case 'vector':
      return compareVector(command, result.series, result.values);
    case 'matrix':
      return compareMatrix(command, result.series);
  }
}

/** Compares an instant vector, in order where the command says so. */
export function compareVector(command: EvalCommand, series: readonly Series[], values: ArrayLike<number>): string | undefined {
  if (command.scalar !== undefined) return `expected the scalar ${command.scalar}, got a vector`;
  for (const [position, member] of series.entries()) {
    const expected = command.expected.get(seriesKey(member));
    if (!expected) return `unexpected ${formatLabels(member)} ${values[position]}`;
    if (command.ordered && expected.position !== position)
      return `expected ${formatLabels(member)} at ${expected.position}, got it at ${position}`;
    const problem = compareValue(expected.values[0], values[position] as number);
    if (problem) return `${formatLabels(member)}: ${problem}`;
  }
  return findMissing(command, series);
}

function compareValue(expected: SequenceValue | undefined, actual: number): string | undefined {
  if (expected?.kind === 'float' && almostEqual(expected.value, actual)) return undefined;
  return `expected ${expected?.kind === 'float' ? expected.value : expected?.kind}, got ${actual}`;
}

/** Compares a matrix with the values expected on the command's grid. */
function compareMatrix(command: EvalCommand, matrix: readonly ResultSeries[]): string | undefined {
  if (command.ordered) return 'an ordered result was expected, got a matrix';
  if (command.scalar !== undefined) return `expected the scalar ${command.scalar}, got a matrix`;
  const unsorted = findUnsorted(matrix);
  if (unsorted) return unsorted;
  for (const { series, ts, values } of matrix) {
    const expected = command.expected.get(seriesKey(series));
    if (!expected) return `unexpected ${formatLabels(series)} ${Array.from(values)}`;
    const points = expected.values.flatMap((value, i) =>
      value.kind === 'gap' ? [] : [{ time: command.startMs + i * command.stepMs, value }],
    );
    const got = `got ${Array.from(values, (value, i) => `${value}@${ts[i]}`)}`;
    if (points.length !== values.length) return `${formatLabels(series)}: expected ${points.length} points, ${got}`;
    for (const [i, { time, value }] of points.entries()) {
      if (time !== ts[i]) return `${formatLabels(series)}: expected a point at ${time}, ${got}`;
      const problem = compareValue(value, values[i] as number);
      if (problem) return `${formatLabels(series)} at ${time}: ${problem}`;
    }
  }
  return findMissing(
    command,
    matrix.map(({ series }) => series),
  );
}

/** Why a matrix is not in order of its labels. */
export function findUnsorted(matrix: readonly { readonly series: Series }[]): string | undefined {
  for (let i = 1; i < matrix.length; i++) {
    const [before, after] = [matrix[i - 1] as ResultSeries, matrix[i] as ResultSeries];
    if (compareLabelSets(before.series, after.series) > 0)
      return `${formatLabels(before.series)} comes before ${formatLabels(after.series)}`;
  }
  return undefined;
}

function findMissing(command: EvalCommand, series: readonly Series[]): string | undefined {
  const seen = new Set(series.map(seriesKey));
  for (const [key, expected] of command.expected) if (!seen.has(key)) return `${formatLabels(expected.series)} is missing`;
  return undefined;
}

/** Why a result's annotations are not those a command expects. */
export function compareAnnotations(command: EvalCommand, { warnings, infos }: QueryResult): string | undefined {
  if (command.noWarn && warnings.length > 0) return `unexpected warnings: ${warnings}`;
  if (command.noInfo && infos.length > 0) return `unexpected infos: ${infos}`;
  return compareNotes('warning', command.warn, warnings) ?? compareNotes('info', command.info, infos);
}

function compareNotes(kind: string, expected: readonly Expectation[], actual: readonly string[]): string | undefined {
  if (expected.length === 0) return undefined;
  if (actual.length === 0) return `expected a ${kind}, got none`;
  const unmet = expected.find((expectation) => !actual.some((text) => meets(expectation, text)));
  if (unmet) return `expected the ${kind} ${unmet.message ?? unmet.pattern}, got ${JSON.stringify(actual)}`;
  const extra = actual.find((text) => !expected.some((expectation) => meets(expectation, text)));
  return extra === undefined ? undefined : `unexpected ${kind}: ${extra}`;
}

/** True if a text is what an expectation asks for. */
export function meets({ message, pattern }: Expectation, text: string): boolean {
  if (message !== undefined) return message === text;
  return pattern?.test(text) ?? true;
}
