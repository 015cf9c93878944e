import type { Series } from '#model/series.ts';
import { executionError } from '#query/query-errors.ts';
import type { VectorMatching } from './ast.ts';
import type { Binary, Evaluation } from './evaluation.ts';
import { dropEmptyRows, type Frame, newFrame, nextRow } from './frame.ts';
import { dropLabels, dropMetadata, fullKey, keepLabels, labelValue, withLabel } from './labels.ts';
import { type MatchGroup, matchLabels, matchRows, oneAt, presentInRows } from './match-groups.ts';
import { sameLabelset } from './merge.ts';
import { compareRow, computeRow, isArithmetic, isComparison } from './operators.ts';
import { refuseFloats } from './scalar-operators.ts';

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
  for (const group of matchRows(matching, many, one, swapped)) await joinGroup(join, group);
  const { result } = join;
  if (isComparison(binary.op)) for (let i = 0; i < result.present.length; i++) if (result.present[i] === passedOver) result.present[i] = 0;
  dropEmptyRows(result);
  pace.hold(result.points);
  return result;
}

const oneToOne: VectorMatching = { card: 'one-to-one', on: false, labels: [], include: [] };

async function joinGroup(join: Join, group: MatchGroup): Promise<void> {
  const { matching, many, one, evaluation } = join;
  const n = many.steps.count;
  const fillOne = matching.fill?.rhs;
  const fillMany = matching.fill?.lhs;
  if (matching.card === 'one-to-one' && group.many.length > 1) refuseManyToOne(join, group);
  for (const m of group.many) {
    joinRow(join, group, m);
    const lonely = fillOne === undefined ? undefined : stepsWithout(many.present, m * n, (i) => oneAt(one, group, i) >= 0, n);
    if (lonely) joinFilled(join, group, many, m, lonely, fillOne as number, true);
    if (evaluation.pace.isTurnDue(n)) await evaluation.pace.yieldTurn();
  }
  if (fillMany === undefined) return;
  const manyPresent = presentInRows(many, group.many);
  for (const o of group.one) {
    const lonely = stepsWithout(one.present, o * n, (i) => manyPresent[i] === 1, n);
    if (lonely) joinFilled(join, group, one, o, lonely, fillMany, false);
    if (evaluation.pace.isTurnDue(n)) await evaluation.pace.yieldTurn();
  }
}

/** Fails where one-to-one matching meets two series of the left side at a step. */
function refuseManyToOne({ matching, many, one }: Join, group: MatchGroup): void {
  const n = many.steps.count;
  const met = new Uint8Array(n);
  for (const row of group.many) {
    for (let i = 0; i < n; i++) {
      if (many.present[row * n + i] !== 1 || (matching.fill?.rhs === undefined && oneAt(one, group, i) < 0)) continue;
      if (met[i] === 1) throw executionError(collision(matching));
      met[i] = 1;
    }
  }
}

/** The steps at which the row that begins at `base` has a point and the other side has none; undefined where there are none. */
function stepsWithout(present: Uint8Array, base: number, isMatched: (step: number) => boolean, n: number): Uint8Array | undefined {
  const lonely = present.slice(base, base + n);
  for (let i = 0; i < n; i++) if (lonely[i] === 1 && isMatched(i)) lonely[i] = 0;
  return lonely.includes(1) ? lonely : undefined;
}

/** Joins a row of the "many" side with whichever row of the other side is there, run after run of steps. */
function joinRow(join: Join, group: MatchGroup, m: number): void {
  const { many, one, matching } = join;
  const n = many.steps.count;
  if (group.byStep === undefined) {
    if (group.one.length > 0) joinRun(join, group, m, group.one[0] as number, 0, n, undefined);
    return;
  }
  let target: ResultRow | undefined;
  let from = 0;
  while (from < n) {
    const o = oneAt(one, group, from);
    let end = from + 1;
    while (end < n && oneAt(one, group, end) === o) end++;
    if (o >= 0) target = joinRun(join, group, m, o, from, end, matching.include.length === 0 ? target : undefined);
    from = end;
  }
}

/** Joins two rows between two steps; `known` is the result's row if that is clear already. */
function joinRun(
  join: Join,
  group: MatchGroup,
  m: number,
  o: number,
  from: number,
  end: number,
  known: ResultRow | undefined,
): ResultRow | undefined {
  const { many, one, swapped, holds } = join;
  const n = many.steps.count;
  const x = m * n + from;
  const y = o * n + from;
  let shared = 0;
  for (let i = 0; i < end - from; i++) {
    holds[i] = (many.present[x + i] as number) & (one.present[y + i] as number);
    shared += holds[i] as number;
  }
  if (shared === 0) return known;
  const target =
    known ?? resultRow(join, group, resultSeries(join, many.series[m] as Series, one.series[o] as Series), many.dropName[m] as boolean);
  if (swapped) applyOperator(join, one.values, y, many.values, x, target, from, end - from);
  else applyOperator(join, many.values, x, one.values, y, target, from, end - from);
  return target;
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
  if (isMany === swapped) applyOperator(join, constant, 0, frame.values, row * n, target, 0, n);
  else applyOperator(join, frame.values, row * n, constant, 0, target, 0, n);
}

/** Writes the operator's result for `length` steps from `from` on into a row, where `holds` is marked. */
function applyOperator(
  join: Join,
  left: Float64Array,
  x: number,
  right: Float64Array,
  y: number,
  row: ResultRow,
  from: number,
  length: number,
): void {
  const { binary, result, holds, matching, scratch } = join;
  const { op, returnBool } = binary;
  if (isArithmetic(op)) computeRow(op, left, x, right, y, scratch, 0, length);
  else if (isComparison(op)) compareRow(op, left, x, right, y, scratch, 0, length);
  const filters = isComparison(op) && !returnBool;
  const base = row.base + from;
  for (let i = 0; i < length; i++) {
    if (holds[i] !== 1) continue;
    if (result.present[base + i] !== 0) throw executionError(row.shared ? sameLabelset : collision(matching));
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
  join.evaluation.pace.hold(result.steps.count >> 1);
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
