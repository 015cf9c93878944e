import { createHash } from 'node:crypto';
import { compareUtf8 } from '#core/text.ts';
import { type Label, labelsJson, type Series } from '#model/series.ts';
import { quoteText } from './quote.ts';

/** The series without any label. */
export const emptySeries: Series = { metric: '', labels: [], json: '{}' };

const nameLabel = '__name__';
/** Cannot occur inside a label, which is valid Unicode. */
const separator = '\ud800';

/** A label's value, `__name__` included; empty where there is none. */
export function labelValue(series: Series, name: string): string {
  if (name === nameLabel) return series.metric;
  const { labels } = series;
  for (let i = 0; i < labels.length; i++) if ((labels[i] as Label).name === name) return (labels[i] as Label).value;
  return '';
}

/** A series of labels that are already sorted, unique and not empty. */
function seriesOf(metric: string, labels: readonly Label[]): Series {
  return { metric, labels, json: labelsJson(labels) };
}

/** The series with one label set, or taken away where the value is empty. */
export function withLabel(series: Series, name: string, value: string): Series {
  if (labelValue(series, name) === value) return series;
  if (name === nameLabel) return { metric: value, labels: series.labels, json: series.json };
  const labels = series.labels.filter((label) => label.name !== name);
  if (value !== '') {
    let at = labels.findIndex((label) => compareUtf8(label.name, name) > 0);
    if (at < 0) at = labels.length;
    labels.splice(at, 0, { name, value });
  }
  return seriesOf(series.metric, labels);
}

/** Only the named labels, as `by` and `on` keep them. */
export function keepLabels(series: Series, names: ReadonlySet<string>): Series {
  const metric = names.has(nameLabel) ? series.metric : '';
  const labels = series.labels.filter((label) => names.has(label.name));
  if (labels.length === series.labels.length) return metric === series.metric ? series : { ...series, metric };
  return seriesOf(metric, labels);
}

/** All but the named labels; the metric name stays unless it is among them. */
export function dropLabels(series: Series, names: ReadonlySet<string>): Series {
  const metric = names.has(nameLabel) ? '' : series.metric;
  if (!series.labels.some((label) => names.has(label.name))) return metric === series.metric ? series : { ...series, metric };
  return seriesOf(
    metric,
    series.labels.filter((label) => !names.has(label.name)),
  );
}

const metadataLabels: ReadonlySet<string> = new Set([nameLabel, '__type__', '__unit__']);

/** Without metric name, type and unit: what remains when an operation changes the meaning of a value. */
export function dropMetadata(series: Series): Series {
  return dropLabels(series, metadataLabels);
}

/** A function that gives series the same string exactly if the labels in question (`on`: the named ones; else all others, without the name) are equal. */
export function makeSignature(on: boolean, names: readonly string[]): (series: Series) => string {
  if (on) {
    const [only] = names;
    if (only === undefined) return () => '';
    if (names.length === 1) return (series) => shortKey(labelValue(series, only));
    if (names.length > manyNames) return signatureOfMany(new Set(names));
    return (series) => {
      let signature = '';
      for (const name of names) signature += labelValue(series, name) + separator;
      return shortKey(signature);
    };
  }
  const dropped = new Set([...names, nameLabel]);
  return (series) => shortKey(dropLabels(series, dropped).json);
}

/** Past this, going through the series' own labels costs less than going through the names. */
const manyNames = 16;

function signatureOfMany(names: ReadonlySet<string>): (series: Series) => string {
  return (series) => fullKey(keepLabels(series, names));
}

/** A map key of the whole label set. */
export function fullKey(series: Series): string {
  return shortKey(series.metric + separator + series.json);
}

/** V8 hashes strings longer than this by their length alone, so that a map of many would search through all of them. */
const longKey = 16_000;

/** The key itself, or a digest of it where it is very long. */
function shortKey(key: string): string {
  return key.length <= longKey ? key : `${separator}${createHash('sha256').update(key, 'utf16le').digest('hex')}`;
}

/** Labels in Prometheus' order, `__name__` at its place among the names. */
export function allLabels(series: Series): Label[] {
  if (series.metric === '') return [...series.labels];
  const labels = [...series.labels, { name: nameLabel, value: series.metric }];
  return labels.sort((a, b) => compareUtf8(a.name, b.name));
}

/** Prometheus' order of label sets: pair by pair by name, then value; the shorter set first. */
export function compareLabelSets(a: Series, b: Series): number {
  if (a.json === b.json) return compareUtf8(a.metric, b.metric);
  const left = needsFullOrder(a) || needsFullOrder(b) ? allLabels(a) : undefined;
  if (left) return comparePairs(left, allLabels(b));
  if (a.metric !== b.metric) {
    if (a.metric === '' || b.metric === '') return comparePairs(allLabels(a), allLabels(b));
    return compareUtf8(a.metric, b.metric);
  }
  return comparePairs(a.labels, b.labels);
}

/** True where some label sorts before `__name__`, so that the metric is not the first thing to compare. */
function needsFullOrder(series: Series): boolean {
  const first = series.labels[0];
  return first !== undefined && compareUtf8(first.name, nameLabel) < 0;
}

function comparePairs(a: readonly Label[], b: readonly Label[]): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a[i] as Label;
    const y = b[i] as Label;
    if (x.name !== y.name) return compareUtf8(x.name, y.name);
    if (x.value !== y.value) return compareUtf8(x.value, y.value);
  }
  return a.length - b.length;
}

const legacyName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `{__name__="up", job="a"}`, as Prometheus shows label sets in its messages. */
export function formatLabels(series: Series): string {
  const pairs = allLabels(series).map(({ name, value }) => `${legacyName.test(name) ? name : quoteText(name)}=${quoteText(value)}`);
  return `{${pairs.join(', ')}}`;
}
