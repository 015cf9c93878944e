import type { Series } from '#model/series.ts';
import { allLabels } from './labels.ts';
import { xxhash64 } from './xxhash64.ts';

/**
 * Where a series falls in [0, 1), by the hash Prometheus uses: names and values in order, each after its length (one byte,
 * or 255 and three), under XXH64. So both choose the same series for a limit_ratio.
 */
export function seriesHashShare(series: Series): number {
  const parts: Uint8Array[] = [];
  for (const { name, value } of allLabels(series)) {
    for (const text of [name, value]) {
      const bytes = Buffer.from(text);
      parts.push(lengthPrefix(bytes.length), bytes);
    }
  }
  return Number(xxhash64(Buffer.concat(parts))) / 2 ** 64;
}

function lengthPrefix(length: number): Uint8Array {
  return length < 255 ? Uint8Array.of(length) : Uint8Array.of(255, length & 255, (length >> 8) & 255, (length >> 16) & 255);
}
