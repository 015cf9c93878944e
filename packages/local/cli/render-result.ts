import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';
import { drawSparkline } from './sparkline.ts';
import { drawTable, type TextColumn } from './text-table.ts';

const Metric = z.record(z.string(), z.string());
const Point = z.tuple([z.number(), z.string()]);

/** What a query answers, as Prometheus' HTTP API writes it. */
export const QueryData = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: Metric, value: Point })) }),
  z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric: Metric, values: z.array(Point) })) }),
  z.object({ resultType: z.literal('scalar'), result: Point }),
  z.object({ resultType: z.literal('string'), result: Point }),
]);
export type QueryData = z.infer<typeof QueryData>;

export interface RenderOptions {
  /** Width of the terminal; absent: as wide as it gets. */
  readonly columns?: number | undefined;
  /** Times of a range query, in seconds; absent: those of the samples. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
}

const GRAPH_WIDTH = 40;

/** A result as lines to read: a table of a vector, a line with a small graph for each series of a matrix, a bare scalar or string. */
export function renderResult(data: QueryData, options: RenderOptions = {}): string[] {
  switch (data.resultType) {
    case 'vector':
      return renderVector(data.result, options);
    case 'matrix':
      return renderMatrix(data.result, options);
    default:
      return [data.result[1]];
  }
}

type Metric = z.infer<typeof Metric>;

function renderVector(result: Extract<QueryData, { resultType: 'vector' }>['result'], { columns }: RenderOptions): string[] {
  if (result.length === 0) return [];
  const value: TextColumn = { title: 'value', align: 'right', cells: result.map((each) => each.value[1]) };
  return withLabels(
    result.map((each) => each.metric),
    [value],
    columns,
  );
}

function renderMatrix(result: Extract<QueryData, { resultType: 'matrix' }>['result'], { columns, range }: RenderOptions): string[] {
  if (result.length === 0) return [];
  const points = result.map(({ values }) => values.map(([time, value]) => [time, Number(value)] as const));
  const times = points
    .flatMap((each) => [each.at(0)?.[0] ?? Number.NaN, each.at(-1)?.[0] ?? Number.NaN])
    .filter((time) => !Number.isNaN(time));
  const start = range?.start ?? times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const end = range?.end ?? times.reduce((greatest, time) => Math.max(greatest, time), Number.NEGATIVE_INFINITY);
  const most = points.reduce((length, each) => Math.max(length, each.length), 1);
  const width = Math.min(GRAPH_WIDTH, Math.max(most, range ? 8 : 1));
  const numbers = (title: string, of: (values: readonly number[]) => number): TextColumn => ({
    title,
    align: 'right',
    cells: points.map((each) => formatValue(of(each.map(([, value]) => value)))),
  });
  const table: TextColumn[] = [
    numbers('samples', (values) => values.length),
    numbers('min', (values) => values.reduce((least, value) => (value < least || Number.isNaN(least) ? value : least), Number.NaN)),
    numbers('max', (values) => values.reduce((most, value) => (value > most || Number.isNaN(most) ? value : most), Number.NaN)),
    numbers('last', (values) => values.at(-1) ?? Number.NaN),
    { title: 'graph', align: 'right', cells: points.map((each) => drawSparkline(each, start, end, width)) },
  ];
  const heading = `${formatTime(start)} to ${formatTime(end)}`;
  return [
    heading,
    ...withLabels(
      result.map((each) => each.metric),
      table,
      columns,
    ),
  ];
}

/** The labels as columns in front of the others; those that all rows share stand once, above. */
function withLabels(metrics: readonly Metric[], others: readonly TextColumn[], columns: number | undefined): string[] {
  const names = [...new Set(metrics.flatMap((metric) => Object.keys(metric)))].sort(byName);
  const isShared = (name: string) => metrics.length > 1 && metrics.every((metric) => metric[name] === metrics[0]?.[name]);
  const shared = names.filter(isShared).map((name) => `${titleOf(name)}=${printable(metrics[0]?.[name] ?? '')}`);
  const labels = names
    .filter((name) => !isShared(name))
    .map((name): TextColumn => ({ title: titleOf(name), align: 'left', cells: metrics.map((metric) => printable(metric[name] ?? '')) }));
  const table = drawTable([...labels, ...others], columns);
  return shared.length > 0 ? [`all: ${shared.join(' ')}`, ...table] : table;
}

/** The metric's name comes first. */
function byName(a: string, b: string): number {
  if (a === '__name__' || b === '__name__') return a === '__name__' ? -1 : 1;
  return a < b ? -1 : 1;
}

function titleOf(name: string): string {
  return name === '__name__' ? 'metric' : printable(name);
}

/** Labels come from anywhere: nothing in one may move the cursor or break the line. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be replaced
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd');
}

/** At most six digits, which is what fits; `--json` has all. */
function formatValue(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return String(Number(value.toPrecision(6)));
}

/** UTC to the second. */
function formatTime(seconds: number): string {
  const time = new Date(seconds * 1_000);
  return Number.isNaN(time.getTime()) ? String(seconds) : `${time.toISOString().slice(0, 19)}Z`;
}
