import type { Label } from '#model/series.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';
import type { Expr } from './ast.ts';
import { commitRow, type Frame, newFrame, nextRow } from './frame.ts';
import { emptySeries } from './labels.ts';
import type { Steps } from './steps.ts';

/** absent() and absent_over_time(): 1 at every step at which no series of `frame` has a point. */
export function absentOf(frame: Frame, arg: Expr, dropName: boolean): Frame {
  const { steps } = frame;
  const n = steps.count;
  const anyPresent = presentAnywhere(frame);
  const result = newFrame(steps, 1);
  const base = nextRow(result);
  let points = 0;
  for (let i = 0; i < n; i++) {
    if (anyPresent[i] === 1) continue;
    result.values[base + i] = 1;
    result.present[base + i] = 1;
    points++;
  }
  commitRow(result, absentSeries(arg), dropName, points);
  return result;
}

/** 1 for each step at which some row has a point. */
export function presentAnywhere(frame: { steps: Steps; series: readonly Series[]; present: Uint8Array }): Uint8Array {
  const n = frame.steps.count;
  const anyPresent = new Uint8Array(n);
  for (let base = 0; base < frame.series.length * n; base += n) {
    for (let i = 0; i < n; i++) if (frame.present[base + i] === 1) anyPresent[i] = 1;
  }
  return anyPresent;
}

/** The labels that a selector demands by equality, each named once. */
function absentSeries(arg: Expr): Series {
  const matchers = arg.kind === 'vectorSelector' ? arg.matchers : arg.kind === 'matrixSelector' ? arg.vector.matchers : [];
  const labels = new Map<string, Label>();
  const seen = new Set<string>();
  for (const { name, op, value } of matchers) {
    if (name === '__name__') continue;
    if (op === '=' && !seen.has(name)) {
      labels.set(name, { name, value });
      seen.add(name);
    } else labels.delete(name);
  }
  return labels.size === 0 ? emptySeries : seriesFromLabels(labels.values());
}
