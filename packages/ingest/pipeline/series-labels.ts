import { type Label, type Series, seriesFromLabels } from '#model/series.ts';

/** The value of a label; `__name__` is the metric, '' where there is none. */
export function labelValue(series: Series, name: string): string {
  if (name === '__name__') return series.metric;
  for (const label of series.labels) if (label.name === name) return label.value;
  return '';
}

/** The series with these labels set ('' removes one); the very same object where nothing changes. */
export function withLabels(series: Series, changes: readonly Label[]): Series {
  if (changes.every(({ name, value }) => labelValue(series, name) === value)) return series;
  return seriesFromLabels([{ name: '__name__', value: series.metric }, ...series.labels, ...changes]);
}

/** `metric{a="1"}`, cut where it is long. */
export function showSeries({ metric, labels }: Series): string {
  const shown = labels.map(({ name, value }) => `${/^[a-zA-Z_]\w*$/.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`);
  const text = `${metric}{${shown.join(',')}}`;
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
