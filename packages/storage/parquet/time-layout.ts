import type { Candidate } from './write-chunk.ts';

const REPEATED_BYTE = 0x01010100;
/** Deltas further apart (35 years) would come near 2^53 under the lowered base. */
const MAX_SPREAD = 2 ** 40;
const MAX_LOOKED_AT = 1001;

/**
 * Ways to encode the timestamps of a row group, series after series. All series of a scraped target have the very same times, jitter
 * included, so what matters is that zstd finds the repetition: under the first candidate every delta, the leap back between two series
 * included, is exactly four bytes above one base for the whole page. The base is such that a usual delta has 128 and some jitter in its
 * lowest byte and one and the same number in the three others, which a Huffman code makes short. The second is for times without any
 * repetition.
 */
export function timeCandidates(ts: Float64Array, rows: number): readonly Candidate[] {
  const plain: Candidate = { encoding: 'deltas', layout: { block: 128, align: 1 } };
  if (rows < 2) return [plain];
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < rows; i++) {
    const delta = ts[i] - ts[i - 1];
    if (delta < least) least = delta;
    if (delta > most) most = delta;
  }
  if (most - least > MAX_SPREAD) return [plain];
  const usual = medianDelta(ts, rows) - 128;
  const base = usual - Math.max(0, Math.ceil((usual - least) / REPEATED_BYTE)) * REPEATED_BYTE;
  return [{ encoding: 'deltas', layout: { block: 65_536, align: 8, base: Math.min(base, least), minWidth: 32 } }, plain];
}

/** The median of some deltas spread over the page. */
function medianDelta(ts: Float64Array, rows: number): number {
  const count = Math.min(rows - 1, MAX_LOOKED_AT);
  const deltas = Float64Array.from({ length: count }, (_, k) => {
    const i = 1 + Math.floor((k * (rows - 1)) / count);
    return ts[i] - ts[i - 1];
  });
  return deltas.sort()[count >> 1];
}
