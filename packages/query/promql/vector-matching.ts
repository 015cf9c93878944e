import type { Series } from '#model/series.ts';
import { executionError } from '#query/query-errors.ts';
import { presentAnywhere } from './absent.ts';
import type { VectorMatching } from './ast.ts';
import type { Binary, Evaluation } from './evaluation.ts';
import { dropEmptyRows, type Frame, newFrame, nextRow } from './frame.ts';
import { dropLabels, dropMetadata, formatLabels, fullKey, keepLabels, labelValue, makeSignature, withLabel } from './labels.ts';
import { sameLabelset } from './merge.ts';
import { compareRow, computeRow, isArithmetic, isComparison } from './operators.ts';
import { refuseFloats } from './scalar-operators.ts';

/** Rows on both sides with the same matching labels; "one" is the side that may have one series a step. */
interface MatchGroup {
  readonly many: number[];
  readonly one: number[];
}

interface ResultRow {
  readonly base: number;
  readonly group: MatchGroup;
  /** Another match group writes to this row too. */
  shared: boolean;
}

/** What pairs of rows are joined with and into. */
interface Join {
  readonly evaluation: Evaluation;
  readonly binary: Binary;
  readonly matching: VectorMatching;
  readonly many: Frame;
  readonly one: Frame;
  /** The right operand is the "many" side. */
  readonly swapped: boolean;
  readonly result: Frame;
  /** Row of each label set in the result. */
  readonly rows: Map<string, ResultRow>;
  readonly scratch: Float64Array;
  readonly holds: Uint8Array;
}

/** A cell of a result that was matched but did not pass the comparison. */
const passedOver = 2;

/** Arithmetic and comparisons between two vectors, matched at each step by labels. */
export async function evalVectors(evaluation: Evaluation, binary: Binary, lhs: Frame, rhs: Frame): Promise<Frame> {
  const matching = binary.matching ?? oneToOne;
  const { pace, steps } = evaluation;
  if (!isArithmetic(binary.op) && !isComparison(binary.op)) return refuseFloats(evaluation, binary, lhs.series.length > 0 ? rhs : lhs);
  const swapped = matching.card === 'one-to-many';
  const [many, one] = swapped ? [rhs, lhs] : [lhs, rhs];
  const join: Join = {
    evaluation,
    binary,
    matching,
    many,
    one,
    swapped,
    result: newFrame(steps, Math.max(many.series.length, one.series.length)),
    rows: new Map(),
    scratch: new Float64Array(steps.count),
    holds: new Uint8Array(steps.count),
  };
  const groups = matchRows(matching, many, one);
  refuseDuplicates(join, groups);
  for (const group of groups) {
    joinGroup(join, group);
    if (pace.isTurnDue((group.many.length + group.one.length) * steps.count)) await pace.yieldTurn();
  }
  const { result } = join;
  if (isComparison(binary.op)) for (let i = 0; i < result.present.length; i++) if (result.present[i] === passedOver) result.present[i] = 0;
  dropEmptyRows(result);
  pace.hold(result.points);
  return result;
}

const oneToOne: VectorMatching = { card: 'one-to-one', on: false, labels: [], include: [] };

function matchRows(matching: VectorMatching, many: Frame, one: Frame): MatchGroup[] {
  const signature = makeSignature(matching.on, matching.labels);
  const groups = new Map<string, MatchGroup>();
  const groupOf = (series: Series): MatchGroup => {
    const key = signature(series);
    let group = groups.get(key);
    if (group === undefined) {
      group = { many: [], one: [] };
      groups.set(key, group);
    }
    return group;
  };
  for (let row = 0; row < one.series.length; row++) groupOf(one.series[row] as Series).one.push(row);
  for (let row = 0; row < many.series.length; row++) groupOf(many.series[row] as Series).many.push(row);
  const filled = matching.fill?.lhs !== undefined || matching.fill?.rhs !== undefined;
  return [...groups.values()].filter((group) => filled || group.one.length > 1 || (group.one.length > 0 && group.many.length > 0));
}

/** Fails where two series of the "one" side have the same matching labels at a step, earliest step first. */
function refuseDuplicates({ matching, many, one, swapped }: Join, groups: readonly MatchGroup[]): void {
  const crowded = groups.filter((group) => group.one.length > 1);
  if (crowded.length === 0) return;
  const n = one.steps.count;
  const filled = matching.fill?.lhs !== undefined || matching.fill?.rhs !== undefined;
  const needed = filled ? new Uint8Array(n).fill(1) : presentAnywhere(many);
  for (let i = 0; i < n; i++) {
    if (needed[i] !== 1) continue;
    for (const group of crowded) {
      const [first, second] = group.one.filter((row) => one.present[row * n + i] === 1);
      if (first === undefined || second === undefined) continue;
      const group1 = formatLabels(matchLabels(one.series[second] as Series, matching));
      const [a, b] = [formatLabels(one.series[first] as Series), formatLabels(one.series[second] as Series)].sort();
      const side = swapped ? 'left' : 'right';
      throw executionError(
        `found duplicate series for the match group ${group1} on the ${side} hand-side of the operation: [${a}, ${b}];many-to-many matching not allowed: matching labels must be unique on one side`,
      );
    }
  }
}

function joinGroup(join: Join, group: MatchGroup): void {
  const { matching, many, one } = join;
  const n = many.steps.count;
  const fillOne = matching.fill?.rhs;
  const fillMany = matching.fill?.lhs;
  if (matching.card === 'one-to-one' && group.many.length > 1) refuseManyToOne(join, group);
  for (const m of group.many) {
    for (const o of group.one) joinRows(join, group, m, o);
    if (fillOne === undefined) continue;
    const lonely = stepsWithout(many.present, m * n, one.present, group.one, n);
    if (lonely) joinFilled(join, group, many, m, lonely, fillOne, true);
  }
  if (fillMany === undefined) return;
  for (const o of group.one) {
    const lonely = stepsWithout(one.present, o * n, many.present, group.many, n);
    if (lonely) joinFilled(join, group, one, o, lonely, fillMany, false);
  }
}

/** Fails where one-to-one matching meets two series of the left side at a step. */
function refuseManyToOne({ matching, many, one }: Join, group: MatchGroup): void {
  const n = many.steps.count;
  for (let i = 0; i < n; i++) {
    const matched = matching.fill?.rhs !== undefined || group.one.some((row) => one.present[row * n + i] === 1);
    if (!matched) continue;
    let met = 0;
    for (const row of group.many) met += many.present[row * n + i] as number;
    if (met > 1) throw executionError(collision(matching));
  }
}

/** The steps at which the row that begins at `base` has a point and none of `rows` has one; undefined where there are none. */
function stepsWithout(
  present: Uint8Array,
  base: number,
  otherPresent: Uint8Array,
  rows: readonly number[],
  n: number,
): Uint8Array | undefined {
  const lonely = present.slice(base, base + n);
  for (const row of rows) for (let i = 0; i < n; i++) if (otherPresent[row * n + i] === 1) lonely[i] = 0;
  return lonely.includes(1) ? lonely : undefined;
}

function joinRows(join: Join, group: MatchGroup, m: number, o: number): void {
  const { many, one, swapped, holds } = join;
  const n = many.steps.count;
  let shared = 0;
  for (let i = 0; i < n; i++) {
    holds[i] = (many.present[m * n + i] as number) & (one.present[o * n + i] as number);
    shared += holds[i] as number;
  }
  if (shared === 0) return;
  const series = resultSeries(join, many.series[m] as Series, one.series[o] as Series);
  const target = resultRow(join, group, series, many.dropName[m] as boolean);
  if (swapped) applyOperator(join, one.values, o * n, many.values, m * n, target);
  else applyOperator(join, many.values, m * n, one.values, o * n, target);
}

/** Joins a row with a constant in place of the missing side, at the steps marked. */
function joinFilled(join: Join, group: MatchGroup, frame: Frame, row: number, lonely: Uint8Array, fill: number, isMany: boolean): void {
  const { matching, swapped, holds } = join;
  const n = frame.steps.count;
  const series = frame.series[row] as Series;
  const missing = matchLabels(series, matching);
  const labels = isMany ? resultSeries(join, series, missing) : resultSeries(join, missing, series);
  const target = resultRow(join, group, labels, isMany && (frame.dropName[row] as boolean));
  holds.set(lonely);
  const constant = new Float64Array(n).fill(fill);
  if (isMany === swapped) applyOperator(join, constant, 0, frame.values, row * n, target);
  else applyOperator(join, frame.values, row * n, constant, 0, target);
}

/** Writes the operator's result into a row at the steps marked in `holds`. */
function applyOperator(join: Join, left: Float64Array, x: number, right: Float64Array, y: number, { base, shared }: ResultRow): void {
  const { binary, result, holds, matching, scratch } = join;
  const { op, returnBool } = binary;
  const n = result.steps.count;
  if (isArithmetic(op)) computeRow(op, left, x, right, y, scratch, 0, n);
  else if (isComparison(op)) compareRow(op, left, x, right, y, scratch, 0, n);
  const filters = isComparison(op) && !returnBool;
  for (let i = 0; i < n; i++) {
    if (holds[i] !== 1) continue;
    if (result.present[base + i] !== 0) throw executionError(shared ? sameLabelset : collision(matching));
    result.present[base + i] = filters && scratch[i] === 0 ? passedOver : 1;
    result.values[base + i] = filters ? (left[x + i] as number) : (scratch[i] as number);
  }
}

function collision({ card }: VectorMatching): string {
  return card === 'one-to-one'
    ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
    : 'multiple matches for labels: grouping labels must ensure unique matches';
}

/** The row of a label set in the result. */
function resultRow(join: Join, group: MatchGroup, series: Series, dropName: boolean): ResultRow {
  const { result, rows, binary, matching } = join;
  const key = fullKey(series);
  const known = rows.get(key);
  if (known !== undefined) {
    if (known.group !== group) known.shared = true;
    return known;
  }
  const row = { base: nextRow(result), group, shared: false };
  const keepsFlag = !isArithmetic(binary.op) && !matching.include.includes('__name__');
  result.series.push(series);
  result.dropName.push(binary.returnBool || (dropName && keepsFlag));
  rows.set(key, row);
  return row;
}

/** Labels of a result: those of the "many" side, as far as the matching and the operator leave them, and what is included of the other. */
function resultSeries({ binary, matching }: Join, many: Series, one: Series): Series {
  let series = isArithmetic(binary.op) ? dropMetadata(many) : many;
  if (matching.card === 'one-to-one') {
    const names = new Set(matching.labels);
    series = matching.on ? keepLabels(series, names) : dropLabels(series, names);
  }
  for (const name of matching.include) series = withLabel(series, name, labelValue(one, name));
  return series;
}

/** The labels by which a series is matched. */
function matchLabels(series: Series, { on, labels }: VectorMatching): Series {
  return on ? keepLabels(series, new Set(labels)) : dropLabels(series, new Set([...labels, '__name__']));
}
