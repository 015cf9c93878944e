import type { SampleColumns } from '#model/samples.ts';

/** A series as range functions see it, which never meet a stale marker. Columns without markers come back as they are. */
export function withoutStale(samples: SampleColumns): SampleColumns {
  const { stale } = samples;
  if (stale === undefined) return samples;
  let markers = 0;
  for (let i = 0; i < stale.length; i++) markers += stale[i] as number;
  if (markers === 0) return samples;
  const { ts, value, delta, startTs } = samples;
  const length = ts.length - markers;
  return {
    ts: keepRuns(ts, stale, new Float64Array(length)),
    value: keepRuns(value, stale, new Float64Array(length)),
    ...(delta && { delta: keepRuns(delta, stale, new Uint8Array(length)) }),
    ...(startTs && { startTs: keepRuns(startTs, stale, new Float64Array(length)) }),
  };
}

function keepRuns<T extends Float64Array | Uint8Array>(column: T, stale: Uint8Array, kept: T): T {
  let at = 0;
  let from = 0;
  for (;;) {
    const marker = stale.indexOf(1, from);
    const to = marker < 0 ? column.length : marker;
    kept.set(column.subarray(from, to), at);
    at += to - from;
    if (marker < 0) return kept;
    from = marker + 1;
  }
}
