import type { ChunkStatistics } from './write-footer.ts';

/** Row numbers where pages of values end: at series boundaries, or inside of a series that alone is longer than two pages. */
export function cutPages(seriesEnds: readonly number[], pageRows: number): number[] {
  const ends: number[] = [];
  let start = 0;
  for (const end of seriesEnds) {
    while (end - start > pageRows * 2) {
      start += pageRows;
      ends.push(start);
    }
    if (end - start >= pageRows) {
      start = end;
      ends.push(end);
    }
  }
  const rows = seriesEnds[seriesEnds.length - 1];
  if (rows > start) ends.push(rows);
  return ends;
}

/** Bounds of a time column without nulls, as Parquet's statistics store them. */
export function timeBounds(values: Float64Array, rows: number): ChunkStatistics {
  let least = values[0];
  let most = least;
  for (let i = 1; i < rows; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { min: int64Bytes(least), max: int64Bytes(most), nulls: 0 };
}

/** A whole number within +-2^53 as 8 bytes, little-endian. */
export function int64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, value >>> 0, true);
  view.setInt32(4, Math.floor(value / 4_294_967_296), true);
  return bytes;
}
