import { compareUtf8 } from '#core/text.ts';

export interface Label {
  readonly name: string;
  readonly value: string;
}

/**
 * One time series' identity. `labels` excludes `__name__`, is sorted by name in UTF-8 byte order, has no duplicate name
 * and no empty value. `json` is the one spelling of those labels (`{"a":"1","b":"2"}`, no spaces), so that two series are
 * the same exactly if `metric` and `json` are equal. Objects are shared and never changed.
 */
export interface Series {
  /** Value of `__name__`; empty where there is none. */
  readonly metric: string;
  readonly labels: readonly Label[];
  readonly json: string;
}

/** Makes a series from labels in any order; `__name__` among them becomes the metric. Empty values are left out; the last of a duplicate name wins. */
export function seriesFromLabels(labels: Iterable<Label>): Series {
  const byName = new Map<string, string>();
  for (const { name, value } of labels) byName.set(name, value);
  const metric = byName.get('__name__') ?? '';
  byName.delete('__name__');
  const sorted: Label[] = [];
  for (const [name, value] of byName) if (value !== '') sorted.push({ name, value });
  sorted.sort((a, b) => compareUtf8(a.name, b.name));
  return { metric, labels: sorted, json: labelsJson(sorted) };
}

/** The canonical JSON of labels that are already sorted. */
export function labelsJson(labels: readonly Label[]): string {
  let json = '{';
  for (const { name, value } of labels) {
    if (json.length > 1) json += ',';
    json += `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${json}}`;
}

/** The series that a block or segment stores as metric and canonical JSON. */
export function seriesFromJson(metric: string, json: string): Series {
  const labels: Label[] = [];
  const parsed = JSON.parse(json) as Record<string, string>;
  for (const name of Object.keys(parsed)) labels.push({ name, value: parsed[name] as string });
  labels.sort((a, b) => compareUtf8(a.name, b.name)); // number-like names come first out of an object
  return { metric, labels, json };
}

/** One string per series, usable as a map key. */
export function seriesKey(series: Series): string {
  return `${series.metric}\u0000${series.json}`;
}

/** The order of blocks: metric, then canonical JSON, in UTF-8 byte order. */
export function compareSeries(a: Series, b: Series): number {
  return compareUtf8(a.metric, b.metric) || compareUtf8(a.json, b.json);
}
