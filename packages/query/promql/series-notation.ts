import { OpsError } from '#core/errors.ts';
import { type Label, type Series, seriesFromLabels } from '#model/series.ts';
import { addHistogram, type HistogramText, parseHistogram } from './histogram-notation.ts';
import { parseDuration } from './parse-duration.ts';
import { unquote } from './unquote.ts';

/** One place in a sequence of values. */
export type SequenceValue =
  | { readonly kind: 'gap' | 'stale' }
  | { readonly kind: 'histogram'; readonly histogram: HistogramText }
  | { readonly kind: 'float'; readonly value: number };

export interface SeriesLine {
  readonly series: Series;
  readonly values: readonly SequenceValue[];
}

/** Most values that one line may come to with its repetitions. */
const MAX_VALUES = 10_000_000;

/** Milliseconds of a duration such as `1h30m`; `0` needs no unit. */
export function readDuration(text: string): number {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  if (digits === '0') return 0;
  const parsed = parseDuration(digits);
  if ('reason' in parsed) throw new OpsError('input', `not a duration: ${text}: ${parsed.reason}`);
  return negative ? -parsed.ms : parsed.ms;
}

/** `name{label="value"} 1 2+1x3 _ stale {{...}}x2` */
export function readSeriesLine(line: string): SeriesLine {
  const { series, rest } = readMetric(line);
  return { series, values: readValues(rest) };
}

const METRIC_NAME = /^[a-zA-Z_:][\w:]*$/;

/** The label set that a line begins with, and what follows it. */
export function readMetric(line: string): { series: Series; rest: string } {
  const labels: Label[] = [];
  let rest = line.trimStart();
  const name = /^[^\s{"@]+/.exec(rest)?.[0] ?? '';
  if (name !== '' && !METRIC_NAME.test(name)) throw new OpsError('input', `not a metric name: ${name}`);
  if (name !== '') labels.push({ name: '__name__', value: name });
  rest = rest.slice(name.length).trimStart();
  if (rest.startsWith('{') && !rest.startsWith('{{')) rest = readLabels(rest, labels);
  const twice = labels.find(({ name: one }, i) => labels.findIndex((other) => other.name === one) < i);
  if (twice) throw new OpsError('input', `label ${twice.name} is there twice`);
  return { series: seriesFromLabels(labels), rest };
}

const text = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|${'`'}[^${'`'}]*${'`'}`;
const pairPattern = new RegExp(String.raw`^\s*(?:(${text}|[^\s=,{}"]+)\s*=\s*(${text})|(${text}))\s*(,?)`);

function readLabels(line: string, labels: Label[]): string {
  let rest = line.slice(1);
  for (;;) {
    const end = /^\s*\}/.exec(rest);
    if (end) return rest.slice(end[0].length);
    const pair = pairPattern.exec(rest);
    if (!pair) throw new OpsError('input', `not a label set: ${line}`);
    const [whole, name, value, metric] = pair;
    if (metric !== undefined) labels.push({ name: '__name__', value: unquote(metric) });
    else labels.push({ name: /^["'`]/.test(name as string) ? unquote(name as string) : (name as string), value: unquote(value as string) });
    rest = rest.slice(whole.length);
  }
}

const number = String.raw`[+-]?(?:[Ii]nf|NaN|nan|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`;
const histogram = String.raw`\{\{[^}]*\}\}`;
const itemPattern = new RegExp(
  String.raw`\s*(?:(_)|(stale)|(${histogram})(?:([+-])(${histogram}))?|(${number})(?:([+-])(${number.replace('[+-]?', '')}))?)(?:x(\d+))?(?=\s|$)`,
  'y',
);

/** The values of a series line, with repetitions written out. */
export function readValues(line: string): SequenceValue[] {
  const values: SequenceValue[] = [];
  itemPattern.lastIndex = 0;
  while (line.slice(itemPattern.lastIndex).trim() !== '') {
    const at = itemPattern.lastIndex;
    const item = itemPattern.exec(line);
    if (!item) throw new OpsError('input', `not a value at ${JSON.stringify(line.slice(at))}`);
    const [, gap, stale, histogram, rise, added, first, sign, step, times] = item;
    if ((times === undefined && (step ?? added) !== undefined) || (times !== undefined && stale !== undefined))
      throw new OpsError('input', `not a value at ${JSON.stringify(line.slice(at))}`);
    const count = Number(times ?? 0) + (gap !== undefined && times !== undefined ? 0 : 1);
    if (values.length + count > MAX_VALUES) throw new OpsError('limit', `a series of more than ${MAX_VALUES} values`);
    if (histogram !== undefined) {
      pushHistograms(values, parseHistogram(histogram), count, { sign: rise === '-' ? -1 : 1, step: added && parseHistogram(added) });
      continue;
    }
    for (let i = 0; i < count; i++) {
      if (first !== undefined) values.push({ kind: 'float', value: readNumber(first) });
      else values.push({ kind: stale ? 'stale' : 'gap' });
    }
    if (step !== undefined) addSteps(values, count, (sign === '-' ? -1 : 1) * readNumber(step));
  }
  return values;
}

function pushHistograms(
  values: SequenceValue[],
  first: HistogramText,
  count: number,
  { sign, step }: { readonly sign: 1 | -1; readonly step: HistogramText | '' | undefined },
): void {
  for (let i = 0; i < count; i++) values.push({ kind: 'histogram', histogram: step ? addHistogram(first, step, i, sign) : first });
}

/** Makes the last `count` floats rise by `step` each. */
function addSteps(values: SequenceValue[], count: number, step: number): void {
  let value = (values[values.length - count] as { value: number }).value;
  for (let i = values.length - count; i < values.length; i++) {
    values[i] = { kind: 'float', value };
    value += step;
  }
}

export function readNumber(literal: string): number {
  const special = /^([+-]?)(?:inf|nan)$/i.exec(literal);
  if (special) return /nan/i.test(literal) ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  return literal.startsWith('-') ? -Number(literal.slice(1).replaceAll('_', '')) : Number(literal.replace('+', '').replaceAll('_', ''));
}

/** `-1m _ _x2 0s-1mx3`: start times as offsets in ms from each sample; undefined where there is none. */
export function readStartOffsets(line: string): (number | undefined)[] {
  return line
    .trim()
    .split(/\s+/)
    .flatMap((item): (number | undefined)[] => {
      const gap = /^_(?:x(\d+))?$/.exec(item);
      if (gap) return new Array<undefined>(Number(gap[1] ?? 1)).fill(undefined);
      const match = /^([+-]?\d+[a-wyz]*)(?:([+-])(\d+[a-wyz]*))?(?:x(\d+))?$/.exec(item);
      if (!match) throw new OpsError('input', `not a start time: ${item}`);
      const [, base, sign, step, times] = match;
      const rise = step === undefined ? 0 : (sign === '-' ? -1 : 1) * readOffset(step);
      return Array.from({ length: Number(times ?? 0) + 1 }, (_, i) => readOffset(base as string) + i * rise);
    });
}

function readOffset(offset: string): number {
  return offset.startsWith('+') ? readDuration(offset.slice(1)) : readDuration(offset);
}
