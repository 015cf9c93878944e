import { pickRows } from '#model/pick-rows.ts';
import type { Decoded } from './decoded.ts';
import type { IngestLimits } from './limits.ts';
import { createRejectionList } from './rejections.ts';

/** Leaves out samples that are older or further ahead than the limits take; the same object where there are none. */
export function rejectByAge(
  decoded: Decoded,
  { nowMs, limits }: { nowMs: number; limits: Pick<IngestLimits, 'maxAgeMs' | 'maxAheadMs'> },
): Decoded {
  const { ts } = decoded.batch;
  const oldest = nowMs - limits.maxAgeMs;
  const latest = nowMs + limits.maxAheadMs;
  let bad = 0;
  for (let i = 0; i < ts.length; i++) if (ts[i] < oldest || ts[i] > latest) bad++;
  if (bad === 0) return decoded;
  const rejections = createRejectionList(decoded.rejections);
  const kept: number[] = [];
  for (let i = 0; i < ts.length; i++) {
    if (ts[i] < oldest) rejections.add('too-old', 1, () => `${describe(decoded, i)} is older than ${limits.maxAgeMs / 3_600_000} h`);
    else if (ts[i] > latest)
      rejections.add(
        'too-far-ahead',
        1,
        () => `${describe(decoded, i)} is more than ${limits.maxAheadMs / 1000} s ahead of the clock here`,
      );
    else kept.push(i);
  }
  return { ...decoded, batch: pickRows(decoded.batch, kept), rejections: rejections.finish() };
}

function describe({ batch }: Decoded, i: number): string {
  return `a sample of ${JSON.stringify(batch.series[batch.seriesIndex[i]].metric)} at ${batch.ts[i]}`;
}
