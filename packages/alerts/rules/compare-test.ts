import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';
import { toLabels } from './rule-state.ts';

/** One place of an input series; a histogram in the notation of tests, as it is printed. */
export type InputValue =
  | { readonly kind: 'gap' | 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'histogram'; readonly text: string };

/** A sample as tests compare it; a histogram in its notation takes the place of the value. */
export interface TestSample {
  readonly series: Series;
  readonly value: number;
  readonly histogram: string;
}

/** An alert as tests compare it. */
export interface TestAlert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
}

/** Equal, or next to each other where that counts as equal. NaN equals nothing, as in promtool. */
function sameValue(a: number, b: number, isFuzzy: boolean): boolean {
  return a === b || (isFuzzy && (neighbour(a, 1) === b || neighbour(a, -1) === b));
}

/** The next double in the direction of plus or minus infinity. */
function neighbour(value: number, direction: 1 | -1): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return direction * Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const floats = new Float64Array(bits.buffer);
  floats[0] = value;
  bits[0] = (bits[0] as bigint) + (value > 0 === direction > 0 ? 1n : -1n);
  return floats[0] as number;
}

/** True if both have the same samples, in whatever order. */
export function sameSamples(expected: readonly TestSample[], got: readonly TestSample[], isFuzzy: boolean): boolean {
  if (expected.length !== got.length) return false;
  const others = sortBySeries(got);
  return sortBySeries(expected).every((sample, i) => {
    const other = others[i] as TestSample;
    return (
      keyOf(sample.series) === keyOf(other.series) && sample.histogram === other.histogram && sameValue(sample.value, other.value, isFuzzy)
    );
  });
}

/** True if both have the same alerts, in whatever order. */
export function sameAlerts(expected: readonly TestAlert[], got: readonly TestAlert[]): boolean {
  const keys = (alerts: readonly TestAlert[]) => alerts.map(alertKey).sort();
  return JSON.stringify(keys(expected)) === JSON.stringify(keys(got));
}

/** Samples as promtool prints them: `{__name__="up"} 1E+00`, or nil. */
export function formatSamples(samples: readonly TestSample[]): string {
  if (samples.length === 0) return 'nil';
  return sortBySeries(samples)
    .map(({ series, value, histogram }) => `${formatSeries(series)} ${histogram === '' ? formatExponent(value) : histogram}`)
    .join(', ');
}

/** Alerts as promtool prints them, one under the other, or `[]`. */
export function formatAlerts(alerts: readonly TestAlert[]): string {
  if (alerts.length === 0) return '[]';
  const sorted = [...alerts].sort((a, b) => compareUtf8(alertKey(a), alertKey(b)));
  const lines = sorted.flatMap(({ labels, annotations }, i) => [
    `            ${i}:`,
    `              Labels:${formatSet(labels)}`,
    `              Annotations:${formatSet(annotations)}${i < sorted.length - 1 ? ',' : ''}`,
  ]);
  return ['[', ...lines, '            ]'].join('\n');
}

function sortBySeries(samples: readonly TestSample[]): TestSample[] {
  return [...samples].sort((a, b) => compareUtf8(keyOf(a.series), keyOf(b.series)));
}

function keyOf({ metric, json }: Series): string {
  return `${metric}\u0000${json}`;
}

function alertKey({ labels, annotations }: TestAlert): string {
  return seriesFromLabels(toLabels(labels)).json + seriesFromLabels(toLabels(annotations)).json;
}

function formatSeries({ metric, labels }: Series): string {
  const name = metric === '' ? [] : [{ name: '__name__', value: metric }];
  return formatSet(Object.fromEntries([...name, ...labels].map((label) => [label.name, label.value])));
}

function formatSet(labels: LabelSet): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b));
  return `{${sorted.map(([name, value]) => `${/^[a-zA-Z_]\w*$/.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`).join(', ')}}`;
}

/** A float as Go's `%E` writes it with shortest digits. */
function formatExponent(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [mantissa, exponent = '+0'] = value.toExponential().split('e');
  return `${Object.is(value, -0) ? '-' : ''}${mantissa}E${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
