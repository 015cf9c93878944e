import { quoteGo } from '#alerts/go-quote.ts';
import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';

/** A label's value, the empty string where the alert has no such label. */
export function labelValue(labels: LabelSet, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] as string) : '';
}

/** Names and values in the order of their names' bytes. */
export function sortLabels(labels: LabelSet): (readonly [string, string])[] {
  return Object.entries(labels).sort((a, b) => compareUtf8(a[0], b[0]));
}

/** `{a="b", c="d"}`, as Prometheus prints a label set; the second half of a group key. */
export function formatLabels(labels: LabelSet): string {
  return `{${sortLabels(labels)
    .map(([name, value]) => `${name}=${quoteGo(value)}`)
    .join(', ')}}`;
}

/**
 * Prometheus' order of label sets, over sorted labels: fewer labels first; then by the first name that only one of them has
 * (which comes after), or the first value that differs.
 */
export function compareSortedLabels(a: readonly (readonly [string, string])[], b: readonly (readonly [string, string])[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [i, [name, value]] of a.entries()) {
    const [otherName, otherValue] = b[i] as readonly [string, string];
    if (name !== otherName) return -compareUtf8(name, otherName);
    if (value !== otherValue) return compareUtf8(value, otherValue);
  }
  return 0;
}

const legacyName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Which names labels may have: `classic` is Prometheus' old rule, otherwise any text that is not empty. */
export function isValidLabelName(name: string, mode: 'classic' | 'utf8' | 'fallback'): boolean {
  return mode === 'classic' ? legacyName.test(name) : name !== '' && name.isWellFormed();
}

/** A name by Prometheus' old rule, which the old `match` fields still keep to. */
export function isClassicLabelName(name: string): boolean {
  return legacyName.test(name);
}
