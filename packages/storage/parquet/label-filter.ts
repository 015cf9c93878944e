import type { Series } from '#model/series.ts';
import { buildNamesFilter } from '#storage/names-filter.ts';
import { corruptBlock } from './corrupt.ts';

/**
 * Which labels the series of each row group have, so that a reader of one service leaves the row groups of others alone: a Bloom
 * filter (names-filter.ts) of `name\0value` for each row group, in base64, in order, separated by commas, under this key of the
 * footer's metadata. An empty one says nothing, nor does a footer without the entry.
 */
export const LABELS_KEY = 'quarterdeck.labels';

/** Some 1,600 labels; a row group with more is not worth the room in the footer. */
const MAX_FILTER_BYTES = 2_048;

/** A label as the filter knows it. */
export function labelPair(name: string, value: string): string {
  return `${name}\0${value}`;
}

export function addLabelPairs(pairs: Set<string>, { labels }: Series): void {
  for (const { name, value } of labels) pairs.add(labelPair(name, value));
}

/** The filter of a row group; undefined where it would be too large. */
export function buildLabelFilter(pairs: ReadonlySet<string>): Uint8Array | undefined {
  return buildNamesFilter(pairs, MAX_FILTER_BYTES);
}

export function formatLabelFilters(filters: readonly (Uint8Array | undefined)[]): string {
  return filters.map((filter) => (filter ? Buffer.from(filter).toString('base64') : '')).join(',');
}

/** The filters of a footer's row groups; `input` if there is not one for each. */
export function parseLabelFilters(text: string | undefined, groups: number): (Uint8Array | undefined)[] {
  if (text === undefined) return new Array(groups).fill(undefined);
  const parts = groups === 0 ? [] : text.split(',');
  if (parts.length !== groups) throw corruptBlock(`label filters of ${parts.length} row groups where there are ${groups}`);
  return parts.map((part) => (part === '' ? undefined : Buffer.from(part, 'base64')));
}
