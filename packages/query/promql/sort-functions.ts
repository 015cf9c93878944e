import { addWarning } from './annotations.ts';
import type { Call, Evaluation } from './evaluation.ts';
import type { Frame } from './frame.ts';
import { compareLabelSets, labelValue } from './labels.ts';
import { compareNatural } from './natural-order.ts';

type Series = Frame['series'][number];

/** sort() and sort_desc(), NaN last in both. Only an instant query shows the order. */
export function sortByValue(evaluation: Evaluation, call: Call, frame: Frame): Frame {
  if (isRange(evaluation, call)) return frame;
  const sign = call.func === 'sort' ? 1 : -1;
  return reorder(frame, (a, b) => {
    const x = frame.values[a] as number;
    const y = frame.values[b] as number;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  });
}

/** sort_by_label() and sort_by_label_desc(): natural order of the labels named, then of all labels. */
export function sortByLabels(evaluation: Evaluation, call: Call, frame: Frame, names: readonly string[]): Frame {
  if (isRange(evaluation, call)) return frame;
  const sign = call.func === 'sort_by_label' ? 1 : -1;
  return reorder(frame, (a, b) => {
    const left = frame.series[a] as Series;
    const right = frame.series[b] as Series;
    for (const name of names) {
      const x = labelValue(left, name);
      const y = labelValue(right, name);
      if (x !== y) return sign * compareNatural(x, y);
    }
    return sign * compareLabelSets(left, right);
  });
}

function isRange(evaluation: Evaluation, call: Call): boolean {
  if (evaluation.steps.count <= 1) return false;
  addWarning(evaluation.annotations, 'sort is ineffective for range queries since results are always ordered by labels', call.span);
  return true;
}

/** Puts the rows of a frame of one step into the order that `compare` gives their indexes. */
function reorder(frame: Frame, compare: (a: number, b: number) => number): Frame {
  const order = frame.series.map((_, row) => row).sort(compare);
  const { series, dropName, values, present } = frame;
  return {
    ...frame,
    series: order.map((row) => series[row] as Series),
    dropName: order.map((row) => dropName[row] as boolean),
    values: Float64Array.from(order, (row) => values[row] as number),
    present: Uint8Array.from(order, (row) => present[row] as number),
  };
}
