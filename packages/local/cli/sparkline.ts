const BARS = ['\u2581', '\u2582', '\u2583', '\u2584', '\u2585', '\u2586', '\u2587', '\u2588'];

/**
 * A line of bars, one per cell of equal time between `start` and `end` (both inclusive), as high as the mean of the samples in it lies
 * between the least and the greatest of all means; a blank where there are none, a middle bar throughout where all are equal. Samples
 * that are not finite are left out.
 */
export function drawSparkline(samples: readonly (readonly [number, number])[], start: number, end: number, width: number): string {
  const sums = new Float64Array(width);
  const counts = new Uint32Array(width);
  const span = end - start;
  for (const [time, value] of samples) {
    if (!Number.isFinite(value) || time < start || time > end) continue;
    const cell = span > 0 ? Math.min(width - 1, Math.floor(((time - start) / span) * width)) : 0;
    // Divided beforehand, so that no sum of doubles overflows.
    sums[cell] = (sums[cell] as number) + (value - (sums[cell] as number)) / ((counts[cell] as number) + 1);
    counts[cell] = (counts[cell] as number) + 1;
  }
  const means = Array.from(sums, (mean, i) => ((counts[i] as number) > 0 ? mean : Number.NaN));
  const known = means.filter((mean) => !Number.isNaN(mean));
  const least = Math.min(...known);
  const greatest = Math.max(...known);
  const barOf = (mean: number) => {
    if (Number.isNaN(mean)) return ' ';
    if (greatest === least) return BARS[3] as string;
    return BARS[Math.round(((mean / 2 - least / 2) / (greatest / 2 - least / 2)) * (BARS.length - 1))] as string;
  };
  return means.map(barOf).join('');
}
