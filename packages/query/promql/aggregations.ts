import { addInvalidQuantile } from './annotations.ts';
import type { Span } from './ast.ts';
import type { Aggregate, Evaluation } from './evaluation.ts';
import { dropEmptyRows, type Frame } from './frame.ts';
import { type Groups, groupSeries, rowsByGroup } from './groups.ts';
import { addToMean } from './over-time.ts';
import { quantileOfSorted } from './quantile.ts';

/** The cells of all groups while rows are added to them; `count` is how many values each has taken. */
interface Cells {
  readonly values: Float64Array;
  readonly count: Float64Array;
  /** Compensation of a sum, or the running mean of a variance. */
  readonly extra: Float64Array;
}

type AddRow = (cells: Cells, to: number, frame: Frame, from: number, n: number) => void;

/** Aggregations that add row after row to the cells of its group. */
const addRows: Readonly<Record<string, AddRow>> = {
  sum: addToSums,
  avg: addToSums,
  min: addToMinima,
  max: addToMaxima,
  count: addToCounts,
  group: addToCounts,
  stddev: addToVariances,
  stdvar: addToVariances,
};

/** sum, avg, min, max, count, group, stddev, stdvar and quantile: one row for each group. `param` is the quantile. */
export async function evalAggregation(
  evaluation: Evaluation,
  aggregate: Aggregate,
  frame: Frame,
  param: Float64Array | undefined,
): Promise<Frame> {
  const { pace, steps } = evaluation;
  const n = steps.count;
  const groups = groupSeries(frame.series, aggregate.grouping, aggregate.without);
  if (aggregate.op === 'quantile') return evalQuantile(evaluation, aggregate, frame, groups, param as Float64Array);
  const size = groups.labels.length * n;
  const cells: Cells = { values: new Float64Array(size), count: new Float64Array(size), extra: new Float64Array(size) };
  const addRow = addRows[aggregate.op] as AddRow;
  for (let r = 0; r < frame.series.length; r++) {
    addRow(cells, (groups.groupOf[r] as number) * n, frame, r * n, n);
    if (pace.isTurnDue(n)) await pace.yieldTurn();
  }
  finishCells(aggregate.op, cells, frame, groups);
  return toFrame(evaluation, frame, groups, cells.values, cells.count);
}

function toFrame({ steps, pace }: Evaluation, frame: Frame, groups: Groups, values: Float64Array, count: Float64Array): Frame {
  const present = new Uint8Array(count.length);
  for (let i = 0; i < present.length; i++) present[i] = (count[i] as number) > 0 ? 1 : 0;
  const dropName = groups.labels.map(() => false);
  for (let r = 0; r < frame.series.length; r++) if (frame.dropName[r]) dropName[groups.groupOf[r] as number] = true;
  const result = dropEmptyRows({ kind: 'frame', steps, series: groups.labels, dropName, values, present, points: 0 });
  pace.hold(result.points);
  return result;
}

function addToSums({ values, count, extra }: Cells, to: number, frame: Frame, from: number, n: number): void {
  const { values: added, present } = frame;
  for (let i = 0; i < n; i++) {
    if (present[from + i] !== 1) continue;
    const x = added[from + i] as number;
    const cell = to + i;
    const seen = count[cell] as number;
    count[cell] = seen + 1;
    if (seen === 0) {
      values[cell] = x;
      continue;
    }
    const sum = values[cell] as number;
    const total = sum + x;
    values[cell] = total;
    if (total === Infinity || total === -Infinity) extra[cell] = 0;
    else extra[cell] = (extra[cell] as number) + (Math.abs(sum) >= Math.abs(x) ? sum - total + x : x - total + sum);
  }
}

function addToMinima({ values, count }: Cells, to: number, frame: Frame, from: number, n: number): void {
  const { values: added, present } = frame;
  for (let i = 0; i < n; i++) {
    if (present[from + i] !== 1) continue;
    const x = added[from + i] as number;
    const cell = to + i;
    const least = values[cell] as number;
    if (count[cell] === 0 || least > x || Number.isNaN(least)) values[cell] = x;
    count[cell] = 1;
  }
}

function addToMaxima({ values, count }: Cells, to: number, frame: Frame, from: number, n: number): void {
  const { values: added, present } = frame;
  for (let i = 0; i < n; i++) {
    if (present[from + i] !== 1) continue;
    const x = added[from + i] as number;
    const cell = to + i;
    const greatest = values[cell] as number;
    if (count[cell] === 0 || greatest < x || Number.isNaN(greatest)) values[cell] = x;
    count[cell] = 1;
  }
}

function addToCounts({ count }: Cells, to: number, frame: Frame, from: number, n: number): void {
  for (let i = 0; i < n; i++) count[to + i] = (count[to + i] as number) + (frame.present[from + i] as number);
}

/** Welford's method: `values` takes the squares, `extra` the mean. A first value that is not finite makes the result NaN. */
function addToVariances({ values, count, extra }: Cells, to: number, frame: Frame, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    if (frame.present[from + i] !== 1) continue;
    const x = frame.values[from + i] as number;
    const cell = to + i;
    const seen = (count[cell] as number) + 1;
    count[cell] = seen;
    if (seen === 1) {
      values[cell] = Number.isFinite(x) ? 0 : Number.NaN;
      extra[cell] = x;
      continue;
    }
    const delta = x - (extra[cell] as number);
    const mean = (extra[cell] as number) + delta / seen;
    extra[cell] = mean;
    values[cell] = (values[cell] as number) + delta * (x - mean);
  }
}

function finishCells(op: string, { values, count, extra }: Cells, frame: Frame, groups: Groups): void {
  let rowsOf: number[][] | undefined;
  const meanAgain = (cell: number) => {
    rowsOf ??= rowsByGroup(groups);
    return meanOfCell(frame, rowsOf, cell);
  };
  for (let i = 0; i < values.length; i++) {
    const seen = count[i] as number;
    if (seen === 0) continue;
    const value = values[i] as number;
    if (op === 'sum') values[i] = value + (extra[i] as number);
    else if (op === 'avg') values[i] = Number.isFinite(value) || seen === 1 ? value / seen + (extra[i] as number) / seen : meanAgain(i);
    else if (op === 'count') values[i] = seen;
    else if (op === 'group') values[i] = 1;
    else if (op === 'stdvar') values[i] = value / seen;
    else if (op === 'stddev') values[i] = Math.sqrt(value / seen);
  }
}

/** The mean of one cell whose sum overflowed or met an infinity: from there on a running mean. */
function meanOfCell(frame: Frame, rowsOf: readonly number[][], cell: number): number {
  const n = frame.steps.count;
  const group = Math.floor(cell / n);
  const step = cell % n;
  let count = 0;
  let sum = 0;
  let rest = 0;
  let running: { mean: number; rest: number } | undefined;
  for (const r of rowsOf[group] as number[]) {
    if (frame.present[r * n + step] !== 1) continue;
    const x = frame.values[r * n + step] as number;
    count++;
    const total = sum + x;
    if (running === undefined && count > 1 && !Number.isFinite(total) && !Number.isNaN(total)) {
      running = { mean: sum / (count - 1), rest: rest / (count - 1) };
    }
    if (running) addToMean(running, x, count);
    else {
      rest += Math.abs(sum) >= Math.abs(x) ? sum - total + x : x - total + sum;
      sum = total;
    }
    if (count === 1) rest = 0;
  }
  return running ? running.mean + running.rest : sum / count + rest / count;
}

/** What sorting costs for each value, in samples touched. */
const sortWork = 10;

/** quantile(): over the values of a group at each step. */
async function evalQuantile(evaluation: Evaluation, aggregate: Aggregate, frame: Frame, groups: Groups, q: Float64Array): Promise<Frame> {
  const n = evaluation.steps.count;
  warnOfQuantiles(evaluation, q, (aggregate.param as { span: Span }).span);
  const rowsOf = rowsByGroup(groups);
  const values = new Float64Array(groups.labels.length * n);
  const count = new Float64Array(values.length);
  const scratch = new Float64Array(frame.series.length);
  for (let group = 0; group < rowsOf.length; group++) {
    const bases = (rowsOf[group] as number[]).map((row) => row * n);
    for (let i = 0; i < n; i++) {
      let numbers = 0;
      let nans = 0;
      for (const base of bases) {
        if (frame.present[base + i] !== 1) continue;
        const x = frame.values[base + i] as number;
        if (Number.isNaN(x)) nans++;
        else scratch[numbers++] = x;
      }
      if (numbers > 1) scratch.subarray(0, numbers).sort();
      count[group * n + i] = numbers + nans;
      values[group * n + i] = quantileOfSorted(q[i] as number, scratch, numbers, nans);
      if (evaluation.pace.isTurnDue(bases.length * sortWork)) await evaluation.pace.yieldTurn();
    }
  }
  return toFrame(evaluation, frame, groups, values, count);
}

/** As Prometheus has it: one warning each for NaN, for the greatest above 1 and for the least below 0. */
function warnOfQuantiles(evaluation: Evaluation, q: Float64Array, span: Span): void {
  let least = 0;
  let greatest = 1;
  let nan = false;
  for (const value of q) {
    if (Number.isNaN(value)) nan = true;
    else if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  if (nan) addInvalidQuantile(evaluation.annotations, Number.NaN, span);
  if (greatest > 1) addInvalidQuantile(evaluation.annotations, greatest, span);
  if (least < 0) addInvalidQuantile(evaluation.annotations, least, span);
}
