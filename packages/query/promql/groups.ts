import type { Series } from '#model/series.ts';
import { dropLabels, keepLabels, makeSignature } from './labels.ts';

/** Which group each row of a frame falls into, and the labels of each group. */
export interface Groups {
  readonly groupOf: Int32Array;
  readonly labels: Series[];
}

/** Groups series `by` the named labels, or by all others (`without`, which never keeps the metric name). */
export function groupSeries(series: readonly Series[], grouping: readonly string[], without: boolean): Groups {
  const names = new Set(without ? [...grouping, '__name__'] : grouping);
  const signature = makeSignature(!without, grouping);
  const known = new Map<string, number>();
  const groupOf = new Int32Array(series.length);
  const labels: Series[] = [];
  for (let r = 0; r < series.length; r++) {
    const member = series[r] as Series;
    const key = signature(member);
    let group = known.get(key);
    if (group === undefined) {
      group = labels.length;
      known.set(key, group);
      labels.push(without ? dropLabels(member, names) : keepLabels(member, names));
    }
    groupOf[r] = group;
  }
  return { groupOf, labels };
}

/** The rows of each group. */
export function rowsByGroup({ groupOf, labels }: Groups): number[][] {
  const rows: number[][] = labels.map(() => []);
  for (let row = 0; row < groupOf.length; row++) rows[groupOf[row] as number]?.push(row);
  return rows;
}
