import { addInfo } from './annotations.ts';
import type { Binary, Evaluation } from './evaluation.ts';
import { dropEmptyRows, type Frame, newFrame } from './frame.ts';
import { compareRow, computeRow, isArithmetic, isComparison } from './operators.ts';

/** A binary operator between two scalars. Comparisons between scalars always give 0 or 1. */
export function evalScalars({ op }: Binary, lhs: Float64Array, rhs: Float64Array): Float64Array {
  const result = new Float64Array(lhs.length);
  if (isArithmetic(op)) computeRow(op, lhs, 0, rhs, 0, result, 0, lhs.length);
  else if (isComparison(op)) compareRow(op, lhs, 0, rhs, 0, result, 0, lhs.length);
  else throw new TypeError(`operator ${op} is not defined on scalars`);
  return result;
}

/** A binary operator between a vector and a scalar, on whichever side (`scalarFirst`); comparisons keep the vector's values. */
export function evalWithScalar(evaluation: Evaluation, binary: Binary, frame: Frame, scalar: Float64Array, scalarFirst: boolean): Frame {
  const { op } = binary;
  const n = frame.steps.count;
  const { values, present } = frame;
  const cells = frame.series.length * n;
  if (isArithmetic(op)) {
    for (let base = 0; base < cells; base += n) {
      if (scalarFirst) computeRow(op, scalar, 0, values, base, values, base, n);
      else computeRow(op, values, base, scalar, 0, values, base, n);
    }
    frame.dropName.fill(true);
    return frame;
  }
  if (!isComparison(op)) return refuseFloats(evaluation, binary, frame);
  const holds = new Uint8Array(n);
  for (let base = 0; base < cells; base += n) {
    if (scalarFirst) compareRow(op, scalar, 0, values, base, holds, 0, n);
    else compareRow(op, values, base, scalar, 0, holds, 0, n);
    if (binary.returnBool) for (let i = 0; i < n; i++) values[base + i] = holds[i] as number;
    else for (let i = 0; i < n; i++) present[base + i] = (present[base + i] as number) & (holds[i] as number);
  }
  if (binary.returnBool) frame.dropName.fill(true);
  return binary.returnBool ? frame : dropEmptyRows(frame);
}

/** `</` and `>/` trim histograms; floats they leave out, with a note. */
export function refuseFloats(evaluation: Evaluation, { op, span }: Binary, frame: Frame): Frame {
  if (frame.series.length > 0) {
    addInfo(evaluation.annotations, `incompatible sample types encountered for binary operator "${op}": float ${op} float`, span);
  }
  return newFrame(evaluation.steps, 0);
}
