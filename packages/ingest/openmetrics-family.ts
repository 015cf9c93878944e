import type { Label, Series } from '#model/series.ts';
import { parseFloatText } from './float-text.ts';

/** One sample as OpenMetrics has it, before its family has been looked at. */
export interface FamilySample {
  readonly name: string;
  readonly labels: readonly Label[];
  /** What `groupKey` gives for it. */
  readonly groupKey: string;
  /** Tells samples of one series from others; undefined where the series passes a limit and is left out. */
  readonly series: Series | undefined;
  readonly value: number;
  /** Seconds, as written. */
  readonly timestampS: number | undefined;
  readonly hasExemplar: boolean;
}

/** A metric family while its lines are being read: metadata, then samples in groups that must not be interleaved. */
export interface Family {
  readonly name: string;
  type: string | undefined;
  help: string | undefined;
  unit: string | undefined;
  hasSamples: boolean;
  readonly seenGroups: Set<string>;
  group: SampleGroup | undefined;
  /** The histogram at one time whose buckets are being read. */
  point: HistogramPoint | undefined;
}

/** The samples of one metric of a family (one label set without `le`, `quantile` and the like). */
interface SampleGroup {
  readonly key: string;
  timestampS: number | undefined;
  /** Series met at this time. */
  readonly seen: Set<Series>;
}

interface HistogramPoint {
  readonly key: string;
  readonly timestampS: number | undefined;
  lastBound: number | undefined;
  lastCount: number;
  count: number | undefined;
  hasSum: boolean;
  hasGaugeSum: boolean;
  hasNegativeBound: boolean;
  hasNegativeGaugeSum: boolean;
}

/** Suffixes that a type's samples have. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  summary: ['', '_sum', '_count', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  info: ['_info'],
  gauge: [''],
  stateset: [''],
  unknown: [''],
};

const CUMULATIVE = new Set(['_total', '_bucket', '_sum', '_count']);
const NEVER_NAN = new Set(['_total', '_sum', '_count', '_bucket', '_gcount', '_gsum']);
const NEVER_NEGATIVE = new Set(['_total', '_sum', '_count', '_bucket', '_gcount']);
const WHOLE = new Set(['_bucket', '_count', '_gcount']);

/** The metric types of OpenMetrics 1.0. */
export const openMetricsTypes: readonly string[] = Object.keys(SUFFIXES);

/** A family of which only the name is known. */
export function startFamily(name: string): Family {
  const empty = { type: undefined, help: undefined, unit: undefined, group: undefined, point: undefined };
  return { name, ...empty, hasSamples: false, seenGroups: new Set() };
}

/** The part of a sample's name behind the family's, if the family's type has such samples. */
export function suffixOf(family: Family, sampleName: string): string | undefined {
  if (!sampleName.startsWith(family.name)) return undefined;
  const suffix = sampleName.slice(family.name.length);
  return (SUFFIXES[family.type ?? 'unknown'] as readonly string[]).includes(suffix) ? suffix : undefined;
}

/** All names that the family takes, so that no other family may have them. */
export function namesOf(family: Family): string[] {
  const suffixes = new Set(['', ...(SUFFIXES[family.type ?? 'unknown'] as readonly string[])]);
  return Array.from(suffixes, (suffix) => family.name + suffix);
}

/** True for samples that grow from the family's `_created` on. */
export function isCumulative(family: Family, suffix: string): boolean {
  return CUMULATIVE.has(suffix) && (family.type === 'counter' || family.type === 'histogram' || family.type === 'summary');
}

/** What is wrong with one sample, looked at by itself. */
export function checkSample(family: Family, suffix: string, sample: FamilySample): string | undefined {
  const { value } = sample;
  const type = family.type ?? 'unknown';
  if (type === 'stateset' && labelOf(sample, family.name) === undefined) return `a stateset's sample needs a label named ${family.name}`;
  if (type === 'stateset' && value !== 0 && value !== 1) return 'a stateset has no values but 0 and 1';
  if (type === 'info' && value !== 1) return 'an info metric has no value but 1';
  if (suffix === '_bucket') {
    const bound = parseBound(labelOf(sample, 'le'));
    if (bound === undefined) return 'a bucket needs a label le that is a number, infinity written +Inf';
  }
  if (type === 'summary' && suffix === '') {
    const quantile = parseBound(labelOf(sample, 'quantile'));
    if (quantile === undefined || !(quantile >= 0 && quantile <= 1)) return "a summary's sample needs a label quantile from 0 to 1";
    if (value < 0) return 'a quantile cannot be negative';
  }
  if (NEVER_NAN.has(suffix) && Number.isNaN(value)) return `a ${suffix} sample cannot be NaN`;
  if (NEVER_NEGATIVE.has(suffix) && value < 0) return `a ${suffix} sample cannot be negative`;
  if (WHOLE.has(suffix) && !Number.isInteger(value)) return `a ${suffix} sample must be a whole number`;
  if (sample.hasExemplar && !takesExemplars(type, suffix)) return 'only counters and buckets can have exemplars';
  return undefined;
}

/**
 * Puts the sample into its group. A problem where groups are interleaved, times go back, or a histogram makes no sense;
 * `duplicate` where the group has the series at this time already.
 */
export function placeSample(family: Family, suffix: string, sample: FamilySample): { problem?: string; duplicate?: boolean } {
  const key = sample.groupKey;
  let group = family.group;
  if (group?.key === key) {
    if ((group.timestampS === undefined) !== (sample.timestampS === undefined))
      return { problem: 'some samples of the metric have timestamps and some have none' };
    const isBack = group.timestampS !== undefined && sample.timestampS !== undefined && group.timestampS > sample.timestampS;
    if (isBack && family.type !== 'info') return { problem: 'timestamps of the metric go backwards' };
  } else {
    if (family.seenGroups.has(key)) return { problem: 'the samples of a metric must stand together' };
    family.seenGroups.add(key);
    group = { key, timestampS: sample.timestampS, seen: new Set() };
    family.group = group;
  }
  if (group.timestampS !== sample.timestampS) {
    group.timestampS = sample.timestampS;
    group.seen.clear();
  }
  if (sample.series !== undefined) {
    if (group.seen.has(sample.series)) return { duplicate: true };
    group.seen.add(sample.series);
  }
  const problem =
    family.type === 'histogram' || family.type === 'gaugehistogram' ? placeInHistogram(family, key, suffix, sample) : undefined;
  return problem === undefined ? {} : { problem };
}

/** What is wrong with the family as a whole, now that all its lines have been read. */
export function closeFamily(family: Family): string | undefined {
  if (family.unit) {
    if (!family.name.endsWith(`_${family.unit}`))
      return `family ${family.name} has the unit ${family.unit}, so its name must end in _${family.unit}`;
    if (family.type === 'info' || family.type === 'stateset') return `family ${family.name} is of type ${family.type}, which has no unit`;
  }
  return family.point === undefined ? undefined : closeHistogram(family.name, family.point);
}

function placeInHistogram(family: Family, key: string, suffix: string, sample: FamilySample): string | undefined {
  let point = family.point;
  if (point === undefined || point.key !== key || point.timestampS !== sample.timestampS) {
    const problem = point === undefined ? undefined : closeHistogram(family.name, point);
    if (problem !== undefined) return problem;
    const absent = { hasSum: false, hasGaugeSum: false, hasNegativeBound: false, hasNegativeGaugeSum: false };
    point = { key, timestampS: sample.timestampS, lastBound: undefined, lastCount: 0, count: undefined, ...absent };
    family.point = point;
  }
  switch (suffix) {
    case '_bucket':
      return placeBucket(point, parseBound(labelOf(sample, 'le')) as number, sample.value);
    case '_count':
    case '_gcount':
      point.count = sample.value;
      return undefined;
    case '_sum':
      point.hasSum = true;
      return undefined;
    case '_gsum':
      point.hasGaugeSum = true;
      point.hasNegativeGaugeSum = sample.value < 0;
      return undefined;
    default:
      return undefined;
  }
}

function placeBucket(point: HistogramPoint, bound: number, count: number): string | undefined {
  if (point.lastBound !== undefined && bound <= point.lastBound) return 'buckets must be in increasing order of le';
  if (count < point.lastCount) return 'the count of a bucket is less than that of the bucket before';
  if (bound < 0) point.hasNegativeBound = true;
  point.lastBound = bound;
  point.lastCount = count;
  return undefined;
}

function closeHistogram(name: string, point: HistogramPoint): string | undefined {
  const hasAnySum = point.hasSum || point.hasGaugeSum;
  const problem =
    point.lastBound !== Number.POSITIVE_INFINITY
      ? 'has no bucket with le="+Inf"'
      : point.count !== undefined && point.count !== point.lastCount
        ? 'has a count other than that of its bucket with le="+Inf"'
        : hasAnySum && point.count === undefined
          ? 'has a sum but no count'
          : !hasAnySum && point.count !== undefined
            ? 'has a count but no sum'
            : point.hasNegativeBound && point.hasSum
              ? 'has negative buckets and so cannot have a _sum'
              : !point.hasNegativeBound && point.hasNegativeGaugeSum
                ? 'has a negative sum but no negative bucket'
                : undefined;
  return problem === undefined ? undefined : `a histogram of family ${name} ${problem}`;
}

function takesExemplars(type: string, suffix: string): boolean {
  return (suffix === '_bucket' && (type === 'histogram' || type === 'gaugehistogram')) || (suffix === '_total' && type === 'counter');
}

/** One text per metric of the family. All info samples are one group, for nothing tells their metrics apart. */
export function groupKey(family: Family, suffix: string, labels: readonly Label[]): string {
  if (family.type === 'info') return '';
  const left =
    suffix === '_bucket' ? 'le' : family.type === 'summary' && suffix === '' ? 'quantile' : family.type === 'stateset' ? family.name : '';
  const pairs: string[] = [];
  for (const { name, value } of labels) {
    if (name !== '__name__' && name !== left && value !== '') pairs.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  return pairs.length < 2 ? pairs.join() : pairs.sort().join();
}

function labelOf(sample: FamilySample, name: string): string | undefined {
  return sample.labels.find((label) => label.name === name)?.value;
}

/** A bound or quantile: any spelling of a finite number, and `+Inf`. */
function parseBound(text: string | undefined): number | undefined {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  const bound = text === undefined ? undefined : parseFloatText(text, 0, text.length);
  return bound !== undefined && Number.isFinite(bound) ? bound : undefined;
}
