import type { Series } from '#model/series.ts';
import type { VectorMatching } from './ast.ts';
import { dropEmptyRows, type Frame } from './frame.ts';
import { fullKey, makeSignature } from './labels.ts';
import type { Pace } from './pace.ts';

/** `and`, `or` and `unless`, at each step by the labels that match. */
export async function evalSetOperator(
  pace: Pace,
  op: 'and' | 'or' | 'unless',
  matching: VectorMatching,
  lhs: Frame,
  rhs: Frame,
): Promise<Frame> {
  const signature = makeSignature(matching.on, matching.labels);
  const [masked, other] = op === 'or' ? [rhs, lhs] : [lhs, rhs];
  await maskBy(pace, masked, signature, await presentBySignature(pace, other, signature), op === 'and');
  const kept = dropEmptyRows(masked);
  return op === 'or' ? uniteRows(lhs, kept) : kept;
}

type Signature = ReturnType<typeof makeSignature>;

/** For each signature, the steps at which some row with it has a point. */
async function presentBySignature(pace: Pace, frame: Frame, signature: Signature): Promise<Map<string, Uint8Array>> {
  const n = frame.steps.count;
  const { series, present } = frame;
  const found = new Map<string, Uint8Array>();
  for (let row = 0; row < series.length; row++) {
    const key = signature(series[row] as Series);
    const base = row * n;
    const steps = found.get(key);
    if (steps === undefined) found.set(key, present.slice(base, base + n));
    else for (let i = 0; i < n; i++) steps[i] = (steps[i] as number) | (present[base + i] as number);
    if (pace.isTurnDue(n)) await pace.yieldTurn();
  }
  return found;
}

/** Keeps the points of steps at which the other side has the signature, or those at which it has not. */
async function maskBy(
  pace: Pace,
  frame: Frame,
  signature: Signature,
  other: ReadonlyMap<string, Uint8Array>,
  keepMatched: boolean,
): Promise<void> {
  const n = frame.steps.count;
  const { series, present } = frame;
  const flip = keepMatched ? 0 : 1;
  for (let row = 0; row < series.length; row++) {
    const steps = other.get(signature(series[row] as Series));
    const base = row * n;
    if (steps !== undefined) for (let i = 0; i < n; i++) present[base + i] = (present[base + i] as number) & ((steps[i] as number) ^ flip);
    else if (keepMatched) present.fill(0, base, base + n);
    if (pace.isTurnDue(n)) await pace.yieldTurn();
  }
}

/** The rows of both; a row that both sides have, at different steps, becomes one. */
function uniteRows(lhs: Frame, rhs: Frame): Frame {
  if (rhs.series.length === 0) return lhs;
  if (lhs.series.length === 0) return rhs;
  const n = lhs.steps.count;
  const key = (frame: Frame, row: number) => fullKey(frame.series[row] as Series) + (frame.dropName[row] ? '-' : '+');
  const known = new Map<string, number>();
  const rows = lhs.series.length + rhs.series.length;
  const values = new Float64Array(rows * n);
  const present = new Uint8Array(rows * n);
  values.set(lhs.values.subarray(0, lhs.series.length * n));
  present.set(lhs.present.subarray(0, lhs.series.length * n));
  const series = [...lhs.series];
  const dropName = [...lhs.dropName];
  for (let row = 0; row < lhs.series.length; row++) known.set(key(lhs, row), row);
  for (let row = 0; row < rhs.series.length; row++) {
    let target = known.get(key(rhs, row));
    if (target === undefined) {
      target = series.length;
      series.push(rhs.series[row] as Series);
      dropName.push(rhs.dropName[row] as boolean);
    }
    for (let i = 0; i < n; i++) {
      if (rhs.present[row * n + i] !== 1) continue;
      values[target * n + i] = rhs.values[row * n + i] as number;
      present[target * n + i] = 1;
    }
  }
  return { kind: 'frame', steps: lhs.steps, series, dropName, values, present, points: lhs.points + rhs.points };
}
