import { compareUtf8 } from '#core/text.ts';
import type { Series } from '#model/series.ts';
import { namesFilterHas } from '#storage/names-filter.ts';
import type { BlockFooter } from './read-footer.ts';

/** What a reader wants of a block. Absent means everything. */
export interface BlockWants {
  /** Names one of which the metric must equal. */
  readonly metrics?: readonly string[] | undefined;
  /** Labels all of which a series must have, each as `labelPair` writes it. */
  readonly labels?: readonly string[] | undefined;
  /** Times wanted, both inclusive. */
  readonly minTs?: number | undefined;
  readonly maxTs?: number | undefined;
}

/** Bytes `start` to `end` (exclusive) of the file: one row group, or only its series. */
export interface PlannedRange {
  readonly rowGroup: number;
  readonly start: number;
  readonly end: number;
}

/** Picks series out of a row group, and the time range of their samples. */
export interface RowGroupSelection {
  /**
   * Gives the series of a metric and its canonical JSON, or undefined to leave it out: its values are then not decoded, and pages that hold
   * no wanted row are not even decompressed. Hand in a cache of series here. Default: every series, by `seriesFromJson`.
   */
  readonly resolveSeries?: ((metric: string, json: string) => Series | undefined) | undefined;
  /** Times wanted, both inclusive. */
  readonly minTs?: number | undefined;
  readonly maxTs?: number | undefined;
}

/**
 * The row groups that can hold what is wanted, by their statistics, in file order. Neighbours are adjacent in the file (`end` of
 * one is `start` of the next), so that a caller may fetch a stretch of them at once.
 */
export function planRowGroups(footer: BlockFooter, wants: BlockWants): PlannedRange[] {
  return matchingGroups(footer, wants).map((index) => ({
    rowGroup: index,
    start: footer.rowGroups[index].start,
    end: footer.rowGroups[index].end,
  }));
}

/** The same for `decodeSeries`: only the bytes of metric and labels, a small share of each row group. */
export function planSeries(footer: BlockFooter, wants: BlockWants): PlannedRange[] {
  return matchingGroups(footer, wants).map((index) => ({
    rowGroup: index,
    start: footer.rowGroups[index].start,
    end: footer.rowGroups[index].columns[1].end,
  }));
}

function matchingGroups(
  footer: BlockFooter,
  { metrics, labels = [], minTs = Number.NEGATIVE_INFINITY, maxTs = Number.POSITIVE_INFINITY }: BlockWants,
): number[] {
  const found: number[] = [];
  footer.rowGroups.forEach((group, index) => {
    if (group.maxTs < minTs || group.minTs > maxTs) return;
    const inBounds = (name: string) => compareUtf8(name, group.minMetric) >= 0 && compareUtf8(name, group.maxMetric) <= 0;
    if (!labels.every((pair) => namesFilterHas(group.labels, pair))) return;
    if (metrics === undefined || metrics.some(inBounds)) found.push(index);
  });
  return found;
}
