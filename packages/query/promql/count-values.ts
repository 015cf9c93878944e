import { executionError } from '#query/query-errors.ts';
import type { Expr } from './ast.ts';
import type { Aggregate, Evaluation } from './evaluation.ts';
import { formatDecimal } from './format-number.ts';
import { type Frame, newFrame, nextRow } from './frame.ts';
import { isLabelName } from './label-functions.ts';
import { dropLabels, fullKey, keepLabels, withLabel } from './labels.ts';
import { quoteText } from './quote.ts';

/** What a cell costs at most, in samples touched: a label set of its own. */
const cellWork = 100;

/** count_values(): how many series of a group have each value, which becomes a label. */
export async function evalCountValues(evaluation: Evaluation, aggregate: Aggregate, frame: Frame): Promise<Frame> {
  const { steps, pace } = evaluation;
  const n = steps.count;
  const label = valueLabel(aggregate.param as Extract<Expr, { kind: 'string' }>);
  const names = new Set(aggregate.without ? [...aggregate.grouping, '__name__'] : [...aggregate.grouping, label]);
  const result = newFrame(steps, Math.min(frame.series.length, 16));
  const rows = new Map<string, number>();
  for (let r = 0; r < frame.series.length; r++) {
    const bases = new Map<number, number>(); // of this series, by value
    for (let i = 0; i < n; i++) {
      if (frame.present[r * n + i] !== 1) continue;
      const value = frame.values[r * n + i] as number;
      let base = bases.get(value);
      if (base === undefined || (value === 0 && Object.is(value, -0))) {
        const labelled = withLabel(frame.series[r] as Frame['series'][number], label, formatDecimal(value));
        base = rowOf(evaluation, result, rows, aggregate.without ? dropLabels(labelled, names) : keepLabels(labelled, names)) * n;
        if (!Object.is(value, -0)) bases.set(value, base);
      }
      result.present[base + i] = 1;
      result.values[base + i] = (result.values[base + i] as number) + 1;
    }
    if (pace.isTurnDue(n * cellWork)) await pace.yieldTurn();
  }
  return result;
}

function rowOf({ pace, steps }: Evaluation, result: Frame, rows: Map<string, number>, series: Frame['series'][number]): number {
  const key = fullKey(series);
  const known = rows.get(key);
  if (known !== undefined) return known;
  pace.hold(steps.count);
  result.points += steps.count;
  nextRow(result);
  const row = result.series.length;
  result.series.push(series);
  result.dropName.push(false);
  rows.set(key, row);
  return row;
}

function valueLabel(param: Extract<Expr, { kind: 'string' }>): string {
  if (!isLabelName(param.value)) throw executionError(`invalid label name ${quoteText(param.value)}`);
  return param.value;
}
