import { executionError } from '#query/query-errors.ts';
import type { Frame } from './frame.ts';
import { dropMetadata, fullKey } from './labels.ts';

/** Joins rows that have the same labels into one. Fails where two of them have a point at the same step. */
export function mergeSameLabels(frame: Frame): Frame {
  const n = frame.steps.count;
  const rows = new Map<string, number>();
  const { values, present } = frame;
  let kept = 0;
  for (let r = 0; r < frame.series.length; r++) {
    const key = fullKey(frame.series[r] as Frame['series'][number]);
    const target = rows.get(key);
    if (target !== undefined) {
      mergeRow(frame, r * n, target * n);
      continue;
    }
    rows.set(key, kept);
    if (kept !== r) {
      values.copyWithin(kept * n, r * n, (r + 1) * n);
      present.copyWithin(kept * n, r * n, (r + 1) * n);
      frame.series[kept] = frame.series[r] as Frame['series'][number];
      frame.dropName[kept] = frame.dropName[r] as boolean;
    }
    kept++;
  }
  frame.series.length = kept;
  frame.dropName.length = kept;
  return frame;
}

/** What Prometheus says where two series of one result cannot be told apart. */
export const sameLabelset = 'vector cannot contain metrics with the same labelset';

function mergeRow({ steps, values, present }: Frame, from: number, to: number): void {
  for (let i = 0; i < steps.count; i++) {
    if (present[from + i] !== 1) continue;
    if (present[to + i] === 1) throw executionError(sameLabelset);
    values[to + i] = values[from + i] as number;
    present[to + i] = 1;
  }
}

/** The final result: names go where they had to, and what can no longer be told apart is joined. */
export function removeNames(frame: Frame): Frame {
  for (let r = 0; r < frame.series.length; r++) {
    if (frame.dropName[r]) frame.series[r] = dropMetadata(frame.series[r] as Frame['series'][number]);
  }
  return frame.series.length > 1 ? mergeSameLabels(frame) : frame;
}
