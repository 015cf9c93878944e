import { executionError } from '#query/query-errors.ts';
import { addWarning } from './annotations.ts';
import type { Span } from './ast.ts';
import type { Aggregate, Evaluation } from './evaluation.ts';
import { formatShortest } from './format-number.ts';
import { dropEmptyRows, type Frame, newFrame } from './frame.ts';
import { groupSeries, rowsByGroup } from './groups.ts';
import { compareLabelSets } from './labels.ts';
import { seriesHashShare } from './series-hash.ts';

/** topk() and bottomk(): the k greatest or least series of each group at each step, NaN last. An instant result is in that order. */
export async function evalTopK(evaluation: Evaluation, aggregate: Aggregate, frame: Frame, k: Float64Array): Promise<Frame> {
  if (!checkCount(k)) return newFrame(evaluation.steps, 0);
  const n = evaluation.steps.count;
  const rowsOf = groupRows(aggregate, frame);
  const order: number[] = [];
  const kept = new Uint8Array(frame.present.length);
  for (const rows of rowsOf) {
    for (let i = 0; i < n; i++) {
      const limit = Math.min(Math.trunc(k[i] as number), frame.series.length);
      if (limit < 1) continue;
      const best = pickBest(frame, rows, i, limit, aggregate.op === 'topk' ? 1 : -1);
      for (const row of best) kept[row * n + i] = 1;
      if (n === 1) for (const row of best) order.push(row);
      if (evaluation.pace.isTurnDue(rows.length)) await evaluation.pace.yieldTurn();
    }
  }
  if (n === 1) return pickRows(frame, order);
  frame.present = kept;
  return dropEmptyRows(frame);
}

/** Up to so many are kept in order while the others pass; more are sorted. */
const shortList = 32;

/** Rows of the `limit` best values at one step, best first; the earlier row where values are equal. */
function pickBest(frame: Frame, rows: readonly number[], step: number, limit: number, sign: number): number[] {
  const n = frame.steps.count;
  const { values, present } = frame;
  if (limit > shortList) {
    const all = rows.filter((row) => present[row * n + step] === 1);
    if (all.length <= limit && n > 1) return all;
    const value = (row: number) => sign * (values[row * n + step] as number);
    return all.sort((a, b) => Number(isBetter(value(b), value(a))) - Number(isBetter(value(a), value(b)))).slice(0, limit);
  }
  const best: number[] = [];
  let worst = 0;
  for (const row of rows) {
    const cell = row * n + step;
    if (present[cell] !== 1) continue;
    const x = sign * (values[cell] as number);
    if (best.length === limit) {
      if (!isBetter(x, worst)) continue;
      best.pop();
    }
    let at = best.length;
    while (at > 0 && isBetter(x, sign * (values[(best[at - 1] as number) * n + step] as number))) at--;
    best.splice(at, 0, row);
    worst = sign * (values[(best[best.length - 1] as number) * n + step] as number);
  }
  return best;
}

/** Greater, or a number where the other is NaN. */
function isBetter(x: number, y: number): boolean {
  return x > y || (Number.isNaN(y) && !Number.isNaN(x));
}

/** limitk(): any k series of each group at each step; the first ones. */
export async function evalLimitK(evaluation: Evaluation, aggregate: Aggregate, frame: Frame, k: Float64Array): Promise<Frame> {
  if (!checkCount(k)) return newFrame(evaluation.steps, 0);
  const n = evaluation.steps.count;
  const kept = new Uint8Array(frame.present.length);
  for (const rows of groupRows(aggregate, frame)) {
    const taken = new Float64Array(n);
    for (const row of rows) {
      for (let i = 0; i < n; i++) {
        if (frame.present[row * n + i] !== 1 || (taken[i] as number) >= Math.trunc(k[i] as number)) continue;
        taken[i] = (taken[i] as number) + 1;
        kept[row * n + i] = 1;
      }
    }
    if (evaluation.pace.isTurnDue(n * rows.length)) await evaluation.pace.yieldTurn();
  }
  frame.present = kept;
  return dropEmptyRows(frame);
}

/** limit_ratio(): about that share of the series, chosen by a hash of their labels; a negative ratio takes the others. */
export function evalLimitRatio(evaluation: Evaluation, aggregate: Aggregate, frame: Frame, ratio: Float64Array): Frame {
  if (ratio.every((r) => r === 0)) return newFrame(evaluation.steps, 0);
  if (ratio.some(Number.isNaN)) throw executionError('Ratio value is NaN');
  warnOfRatio(evaluation, ratio, (aggregate.param as { span: Span }).span);
  const n = evaluation.steps.count;
  for (let row = 0; row < frame.series.length; row++) {
    const share = seriesHashShare(frame.series[row] as Frame['series'][number]);
    for (let i = 0; i < n; i++) {
      const r = Math.max(-1, Math.min(1, ratio[i] as number));
      const chosen = r !== 0 && (r > 0 ? share < r : share >= 1 + r);
      if (!chosen) frame.present[row * n + i] = 0;
    }
  }
  return dropEmptyRows(frame);
}

function warnOfRatio({ annotations }: Evaluation, ratio: Float64Array, span: Span): void {
  let least = 0;
  let greatest = 0;
  for (const value of ratio) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const text = (got: number, cap: number) => `ratio value should be between -1 and 1, got ${formatShortest(got)}, capping to ${cap}`;
  if (greatest > 1) addWarning(annotations, text(greatest, 1), span);
  if (least < -1) addWarning(annotations, text(least, -1), span);
}

/** False where no step asks for any series; fails on a count that is no number or beyond 64 bits. */
function checkCount(k: Float64Array): boolean {
  let least = Infinity;
  let greatest = -Infinity;
  let nan = false;
  for (const value of k) {
    if (Number.isNaN(value)) nan = true;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (greatest < 1) return false;
  if (nan) throw executionError('Parameter value is NaN');
  if (least <= -(2 ** 63)) throw executionError(`Scalar value ${formatShortest(least, 21)} underflows int64`);
  if (greatest >= 2 ** 63) throw executionError(`Scalar value ${formatShortest(greatest, 21)} overflows int64`);
  return true;
}

/** The rows of each group in order of their labels, so that ties always fall the same way. */
function groupRows(aggregate: Aggregate, frame: Frame): number[][] {
  const { series } = frame;
  const rows = rowsByGroup(groupSeries(series, aggregate.grouping, aggregate.without));
  for (const group of rows)
    group.sort((a, b) => compareLabelSets(series[a] as Frame['series'][number], series[b] as Frame['series'][number]));
  return rows;
}

function pickRows(frame: Frame, rows: readonly number[]): Frame {
  return {
    ...frame,
    series: rows.map((row) => frame.series[row] as Frame['series'][number]),
    dropName: rows.map((row) => frame.dropName[row] as boolean),
    values: Float64Array.from(rows, (row) => frame.values[row] as number),
    present: new Uint8Array(rows.length).fill(1),
    points: rows.length,
  };
}
