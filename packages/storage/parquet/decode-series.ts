import { corruptBlock } from './corrupt.ts';
import type { BlockFooter } from './read-footer.ts';
import { readSeriesRuns } from './series-runs.ts';

/** Only the series of a row group, in block order, out of the bytes that `planSeries` named for it (or all of the row group's). */
export function decodeSeries(
  footer: BlockFooter,
  rowGroup: number,
  bytes: Uint8Array,
): { readonly metric: string; readonly json: string }[] {
  const group = footer.rowGroups[rowGroup];
  if (group === undefined) throw corruptBlock(`no row group ${rowGroup}, there are ${footer.rowGroups.length}`);
  const [metric, labels] = group.columns;
  if (bytes.length < labels.end - group.start) throw corruptBlock(`${bytes.length} bytes for the series of row group ${rowGroup}`);
  const metricBytes = bytes.subarray(0, metric.end - group.start);
  const labelBytes = bytes.subarray(labels.start - group.start, labels.end - group.start);
  return readSeriesRuns(metricBytes, labelBytes, group.rows).map(({ metric, json }) => ({ metric, json }));
}
