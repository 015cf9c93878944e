import type { Label } from '#model/series.ts';
import type { SeriesLookup } from './label-rules.ts';
import type { IngestLimits } from './limits.ts';

/** What every decoder of text is handed beside the body. */
export interface DecodeContext {
  /** The series of these labels (`__name__` among them), one object per content, or why it may not be stored: a SeriesCache's `intern`. */
  readonly intern: (labels: readonly Label[]) => SeriesLookup;
  /** Time of receipt: the time of samples that carry none. */
  readonly nowMs: number;
  readonly limits: IngestLimits;
}

/** Interns labels cut out of a longer text, as strings of their own: a slice that a cache keeps would keep the whole text. */
export function internSlices(context: DecodeContext, labels: readonly Label[]): SeriesLookup {
  return context.intern(labels.map(({ name, value }) => ({ name: copyText(name), value: copyText(value) })));
}

/** The text without whatever it was cut out of: V8 shares the characters of slices of 13 and more, joining and cutting again does not. */
export function copyText(text: string): string {
  return text.length < 13 ? text : ` ${text}`.slice(1);
}
