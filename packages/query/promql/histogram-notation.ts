import { OpsError } from '#core/errors.ts';

type ResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

/** Buckets from an index on. */
interface BucketRun {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** A native histogram as tests write it: `{{schema:1 sum:3 count:2 buckets:[1 1]}}`. The engine has none of these; they are read, added and printed. */
export interface HistogramText {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly customValues: readonly number[];
  readonly hint: ResetHint;
  readonly positive: BucketRun;
  readonly negative: BucketRun;
}

const FIELD = /\s*([a-z_]+):(\[[^\]]*\]|\S+)/y;
const HINTS: readonly string[] = ['unknown', 'reset', 'not_reset', 'gauge'];

/** Reads a histogram with its braces; `input` for what is none. */
export function parseHistogram(text: string): HistogramText {
  const fields = new Map<string, string>();
  const body = text.slice(2, -2);
  FIELD.lastIndex = 0;
  while (body.slice(FIELD.lastIndex).trim() !== '') {
    const at = FIELD.lastIndex;
    const [, name, value] = FIELD.exec(body) ?? [];
    if (name === undefined || fields.has(name) || !FIELDS.includes(name))
      throw new OpsError('input', `not a histogram at ${JSON.stringify(body.slice(at))}`);
    fields.set(name, value as string);
  }
  const number = (name: string) => readNumber(fields.get(name) ?? '0');
  const list = (name: string) => [...(fields.get(name) ?? '').matchAll(/[^\s[\]]+/g)].map(([item]) => readNumber(item));
  const hint = fields.get('counter_reset_hint') ?? 'unknown';
  if (!HINTS.includes(hint)) throw new OpsError('input', `not a counter_reset_hint: ${hint}`);
  return {
    schema: number('schema'),
    count: number('count'),
    sum: number('sum'),
    zeroCount: number('z_bucket'),
    zeroThreshold: number('z_bucket_w'),
    customValues: list('custom_values'),
    hint: hint as ResetHint,
    positive: { offset: number('offset'), counts: list('buckets') },
    negative: { offset: number('n_offset'), counts: list('n_buckets') },
  };
}

const FIELDS: readonly string[] = [
  'schema',
  'count',
  'sum',
  'z_bucket',
  'z_bucket_w',
  'custom_values',
  'counter_reset_hint',
  'offset',
  'buckets',
  'n_offset',
  'n_buckets',
];

function readNumber(text: string): number {
  const special = /^([+-]?)(?:inf|nan)$/i.exec(text);
  if (special) return /nan/i.test(text) ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  const value = text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new OpsError('input', `not a number in a histogram: ${text}`);
  return value;
}

/**
 * The histogram with another added (`sign` 1) or taken off (-1) so many times. The other may have finer exponential buckets; else both need the
 * same zero bucket and the same bounds.
 */
export function addHistogram(base: HistogramText, step: HistogramText, times: number, sign: 1 | -1): HistogramText {
  const isZeroless = step.zeroCount === 0 && step.zeroThreshold === 0;
  const finerBy = step.schema - base.schema;
  const isEmpty = step.positive.counts.length === 0 && step.negative.counts.length === 0;
  const fits = String(base.customValues) === String(step.customValues) && finerBy >= 0 && (finerBy === 0 || base.schema >= COARSEST);
  if (!(isEmpty || fits) || !(isZeroless || base.zeroThreshold === step.zeroThreshold))
    throw new OpsError('input', 'histograms of different buckets cannot be added here');
  const by = times * sign;
  return {
    ...base,
    count: base.count + by * step.count,
    sum: base.sum + by * step.sum,
    zeroCount: base.zeroCount + by * step.zeroCount,
    positive: addRuns(base.positive, coarsen(step.positive, finerBy), by),
    negative: addRuns(base.negative, coarsen(step.negative, finerBy), by),
  };
}

/** The coarsest exponential schema; what is below has bounds of its own. */
const COARSEST = -4;

/** The buckets in a schema that is so many steps coarser, each of which puts two buckets into one: index i into ceil(i / 2). */
function coarsen({ offset, counts }: BucketRun, steps: number): BucketRun {
  if (steps <= 0 || counts.length === 0) return { offset, counts };
  const target = (index: number) => Math.ceil(index / 2 ** steps);
  const start = target(offset);
  const sums = new Array<number>(target(offset + counts.length - 1) - start + 1).fill(0);
  for (const [i, count] of counts.entries()) sums[target(offset + i) - start] = (sums[target(offset + i) - start] as number) + count;
  return { offset: start, counts: sums };
}

function addRuns(a: BucketRun, b: BucketRun, by: number): BucketRun {
  if (b.counts.length === 0) return a;
  const offset = a.counts.length === 0 ? b.offset : Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  return { offset, counts: Array.from({ length: end - offset }, (_, i) => countAt(a, offset + i) + by * countAt(b, offset + i)) };
}

function countAt({ offset, counts }: BucketRun, index: number): number {
  return counts[index - offset] ?? 0;
}

/**
 * The histograms of one series as a store gives them back: the first of which nothing is said stays unknown, and of each later one it is known
 * whether its counter was reset since, which is where a count or a bucket falls.
 */
export function withResetHints(histograms: readonly HistogramText[]): HistogramText[] {
  return histograms.map((histogram, i): HistogramText => {
    const before = histograms[i - 1];
    if (before === undefined || histogram.hint !== 'unknown') return histogram;
    return { ...histogram, hint: isReset(before, histogram) ? 'reset' : 'not_reset' };
  });
}

function isReset(before: HistogramText, after: HistogramText): boolean {
  const falls = (a: BucketRun, b: BucketRun) => a.counts.some((count, i) => count > countAt(b, a.offset + i));
  return (
    before.schema !== after.schema ||
    before.count > after.count ||
    before.zeroCount > after.zeroCount ||
    falls(before.positive, after.positive) ||
    falls(before.negative, after.negative)
  );
}

/** As Prometheus prints histograms for tests: fields of value 0 left out, buckets from the first to the last that has something. */
export function formatHistogram(histogram: HistogramText): string {
  const { schema, count, sum, zeroCount, zeroThreshold, customValues, hint } = histogram;
  const scalars = { schema, count, sum, z_bucket: zeroCount, z_bucket_w: zeroThreshold };
  const fields = Object.entries(scalars).flatMap(([name, value]) => (value === 0 ? [] : [`${name}:${value}`]));
  if (customValues.length > 0) fields.push(`custom_values:[${customValues.join(' ')}]`);
  if (hint !== 'unknown') fields.push(`counter_reset_hint:${hint}`);
  fields.push(...formatRun('', histogram.positive), ...formatRun('n_', histogram.negative));
  return `{{${fields.join(' ')}}}`;
}

function formatRun(prefix: string, { offset, counts }: BucketRun): string[] {
  const first = counts.findIndex((count) => count !== 0);
  if (first < 0) return [];
  const last = counts.findLastIndex((count) => count !== 0);
  const start = offset + first;
  return [...(start === 0 ? [] : [`${prefix}offset:${start}`]), `${prefix}buckets:[${counts.slice(first, last + 1).join(' ')}]`];
}
