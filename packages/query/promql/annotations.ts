import type { Span } from './ast.ts';
import { formatShortest, formatTwoDigits } from './format-number.ts';
import { locate } from './parse-error.ts';
import { quoteText } from './quote.ts';

/** What evaluation has to say beside its result. Texts are Prometheus' own, each once, with the place in the query. */
export interface Annotations {
  readonly warnings: Map<string, Note>;
  readonly infos: Map<string, Note>;
}

interface Note {
  readonly span: Span;
  /** The text between the key and the position, from what was merged under this key. */
  readonly detail: () => string;
  readonly merged?: { count: number } | MonotonicityFix;
}

/** Where and by how much buckets of classic histograms had to be fixed, over all samples. */
export interface MonotonicityFix {
  minTs: number;
  maxTs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
  count: number;
}

const noDetail = () => '';

export function makeAnnotations(): Annotations {
  return { warnings: new Map(), infos: new Map() };
}

/** Adds a warning; the same text again moves to the later position. */
export function addWarning(annotations: Annotations, text: string, span: Span): void {
  annotations.warnings.set(text, { span, detail: noDetail });
}

/** Adds an info; the same text again moves to the later position. */
export function addInfo(annotations: Annotations, text: string, span: Span): void {
  annotations.infos.set(text, { span, detail: noDetail });
}

/** The warning about `q` outside [0, 1]. */
export function addInvalidQuantile(annotations: Annotations, q: number, span: Span): void {
  addWarning(annotations, `quantile value should be between 0 and 1, got ${formatShortest(q)}`, span);
}

/** Counts windows with start times that overlap the sample before. */
export function addStartTimeOverlap(annotations: Annotations, metric: string, occurrences: number, span: Span): void {
  const text = `sample has start time that overlaps with previous sample timestamp for metric ${quoteText(metric)}`;
  const known = annotations.warnings.get(text)?.merged as { count: number } | undefined;
  const merged = { count: (known?.count ?? 0) + occurrences };
  const detail = () => (merged.count > 1 ? ` (${merged.count} occurrences)` : '');
  annotations.warnings.set(text, { span, merged, detail });
}

/** Merges one fix of non-monotonic buckets into what is known for this metric. */
export function addForcedMonotonicity(annotations: Annotations, metric: string, fix: MonotonicityFix, span: Span): void {
  const link = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
  const text = withMetricName(`input to histogram_quantile needed to be fixed for monotonicity (see ${link})`, metric);
  const known = annotations.infos.get(text)?.merged as MonotonicityFix | undefined;
  if (known) {
    known.minTs = Math.min(known.minTs, fix.minTs);
    known.maxTs = Math.max(known.maxTs, fix.maxTs);
    known.minBucket = Math.min(known.minBucket, fix.minBucket);
    known.maxBucket = Math.max(known.maxBucket, fix.maxBucket);
    known.maxDiff = Math.max(known.maxDiff, fix.maxDiff);
    known.count += fix.count;
    return;
  }
  const merged = { ...fix };
  annotations.infos.set(text, { span, merged, detail: () => describeFix(merged) });
}

function describeFix(fix: MonotonicityFix): string {
  const buckets = `from buckets ${formatShortest(fix.minBucket)} to ${formatShortest(fix.maxBucket)}`;
  const times = `from ${isoSeconds(fix.minTs)} to ${isoSeconds(fix.maxTs)}`;
  return `, ${buckets}, with a max diff of ${formatTwoDigits(fix.maxDiff)}, over ${fix.count} samples ${times}`;
}

function isoSeconds(timeMs: number): string {
  return `${new Date(Math.trunc(timeMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** A text with the metric's name at its end, where there is one. */
export function withMetricName(text: string, metric: string): string {
  return metric === '' ? text : `${text} for metric name ${quoteText(metric)}`;
}

/** Both lists as the HTTP API shows them, positions as line and byte column of `query`. */
export function formatAnnotations(annotations: Annotations, query: string | undefined): { warnings: string[]; infos: string[] } {
  const list = (notes: Map<string, Note>, prefix: string) =>
    [...notes].map(
      ([text, note]) =>
        `${prefix}: ${text}${note.detail()} (${query === undefined ? `1:${note.span.start + 1}` : locate(query, note.span.start)})`,
    );
  return { warnings: list(annotations.warnings, 'PromQL warning'), infos: list(annotations.infos, 'PromQL info') };
}
