import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { type Label, labelsJson, type Series } from '#model/series.ts';
import type { IngestLimits } from './limits.ts';
import { quoteShort, type SeriesRejection } from './rejections.ts';

/** What the labels of one incoming series come to: a series, or the reason why its samples are left out. */
export type SeriesLookup = { readonly series: Series; readonly rejection?: undefined } | RejectedSeries;

export interface RejectedSeries {
  readonly series?: undefined;
  readonly rejection: SeriesRejection;
}

/** Makes a rejection. */
export function rejectSeries(reason: string, message: string): RejectedSeries {
  return { rejection: { reason, message } };
}

/**
 * The rules for the labels of a series, whichever protocol brought them. Any UTF-8 may be a name (as in Prometheus 3), names
 * that begin with `__` among them: they are labels like any other, `__name__` alone is the metric and must be there. A label
 * with an empty value is one that is absent. Over-long or duplicate names, empty names, broken text, too many labels
 * (`__name__` not counted) reject the series.
 */
export function seriesUnderRules(labels: readonly Label[], limits: IngestLimits): SeriesLookup {
  let metric = '';
  const kept: Label[] = [];
  const names = new Set<string>();
  for (const label of labels) {
    const wrong = wrongLabel(label, limits);
    if (wrong) return { rejection: wrong };
    if (names.has(label.name)) return rejectSeries('duplicate-label', `label name ${quoteShort(label.name)} appears twice${of(labels)}`);
    names.add(label.name);
    if (label.name === '__name__') metric = label.value;
    else if (label.value !== '') kept.push(label);
  }
  if (metric === '') return rejectSeries('missing-metric-name', `a series has no metric name (label __name__): ${shownLabels(kept)}`);
  if (kept.length > limits.maxLabels) return tooManyLabels(kept.length, limits, metric);
  kept.sort((a, b) => compareUtf8(a.name, b.name));
  return { series: { metric, labels: kept, json: labelsJson(kept) } };
}

/** The rejection of a series with more labels than the limit. */
export function tooManyLabels(count: number | string, limits: IngestLimits, metric = ''): RejectedSeries {
  const series = metric === '' ? 'a series' : `a series of ${quoteShort(metric)}`;
  return rejectSeries('label-limit', `${series} has ${count} labels, the limit is ${limits.maxLabels}`);
}

/**
 * How many bytes the labels of one request may come to when written out for each series. A symbol, a scope or a histogram's
 * attributes are sent once and stand in any number of series: without a bound a small body could ask for any amount of work.
 */
export function labelBudget(limits: IngestLimits): number {
  return limits.maxBodyBytes * 4;
}

/** The error of a request past that budget. */
export function labelBudgetError(limits: IngestLimits): OpsError {
  return new OpsError(
    'limit',
    `the labels of the request come to more than ${labelBudget(limits)} bytes when written out for each series`,
    {
      hint: 'Send smaller requests.',
    },
  );
}

/** Enough of a text that cannot be taken to recognise it by. */
export function startOfText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 90)).toString('utf8');
}

/** The rejection of a label name of so many bytes. */
export function nameTooLong(name: string, sizeBytes: number, limits: IngestLimits): SeriesRejection {
  return { reason: 'name-too-long', message: `the name ${quoteShort(name)} has ${sizeBytes} bytes, the limit is ${limits.maxNameBytes}` };
}

/** The rejection of a label value of so many bytes. */
export function valueTooLong(name: string, sizeBytes: number, limits: IngestLimits): SeriesRejection {
  const message = `the value of label ${quoteShort(name)} has ${sizeBytes} bytes, the limit is ${limits.maxValueBytes}`;
  return { reason: 'value-too-long', message };
}

function wrongLabel({ name, value }: Label, limits: IngestLimits): SeriesRejection | undefined {
  if (name === '') return { reason: 'empty-label-name', message: `a label has no name (its value is ${quoteShort(value)})` };
  if (!name.isWellFormed() || !value.isWellFormed()) {
    return { reason: 'invalid-utf8', message: `label ${quoteShort(name.toWellFormed())} is not valid Unicode (a surrogate stands alone)` };
  }
  const nameBytes = byteLengthOver(name, limits.maxNameBytes);
  if (nameBytes > 0) return nameTooLong(name, nameBytes, limits);
  const valueBytes = byteLengthOver(value, name === '__name__' ? limits.maxNameBytes : limits.maxValueBytes);
  if (valueBytes === 0) return undefined;
  return name === '__name__' ? nameTooLong(value, valueBytes, limits) : valueTooLong(name, valueBytes, limits);
}

/** The length in bytes if it is over the limit, else 0. */
function byteLengthOver(text: string, limit: number): number {
  if (text.length * 3 <= limit) return 0;
  const bytes = Buffer.byteLength(text, 'utf8');
  return bytes > limit ? bytes : 0;
}

function of(labels: readonly Label[]): string {
  const metric = labels.find((label) => label.name === '__name__')?.value;
  return metric ? ` in a series of ${quoteShort(metric)}` : '';
}

function shownLabels(labels: readonly Label[]): string {
  const shown = labels.slice(0, 3).map(({ name, value }) => `${quoteShort(name)}=${quoteShort(value)}`);
  return `{${shown.join(', ')}${labels.length > 3 ? ', ...' : ''}}`;
}
