import * as z from 'zod';
import { DELTA } from '#model/samples.ts';
import type { Label } from '#model/series.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { finishLineRun, type LineCursor, type LineRun, readLines, rejectSamples, setProblem, startLineRun } from './line-run.ts';
import { toLabelName, toMetricName } from './prometheus-names.ts';

/** One line of a CloudWatch metric stream in its JSON output format: the statistics of one metric over one period. */
const CloudWatchLine = z.object({
  account_id: z.string().default(''),
  region: z.string().default(''),
  namespace: z.string(),
  metric_name: z.string(),
  dimensions: z.record(z.string(), z.string()).default({}),
  /** Milliseconds. */
  timestamp: z.int(),
  value: z.record(z.string(), z.number()),
  unit: z.string().default('None'),
});
type CloudWatchLine = z.infer<typeof CloudWatchLine>;

/**
 * Decodes lines of JSON as CloudWatch metric streams send them; bad lines are rejected, the rest kept. Metric `M` of namespace
 * `AWS/N` becomes `amazonaws_com_AWS_N_M`, the name that the OpenTelemetry output gives it, with `_sum`, `_count`, `_min` and
 * `_max`; a percentile such as p99.9 becomes the name itself with `quantile="0.999"`, any other statistic a suffix of its own.
 * `_sum` and `_count` are what the period added, so they are deltas. Labels are `account_id`, `region` and the dimensions; a
 * dimension whose name is taken has `dimension_` in front.
 */
export function decodeCloudWatchJson(body: Uint8Array, context: DecodeContext): Decoded {
  const run = startLineRun(context, { onBadLine: 'reject' });
  readLines(body, run, (cursor) => {
    const line = readLine(cursor);
    if (line !== undefined) keepLine(run, cursor, line);
  });
  return finishLineRun(run);
}

function readLine(cursor: LineCursor): CloudWatchLine | undefined {
  const text = cursor.text.slice(cursor.lineStart, cursor.end).trim();
  if (text === '') return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return setProblem(cursor, `not valid JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  const parsed = CloudWatchLine.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return setProblem(cursor, `not a line of a CloudWatch metric stream: ${issue?.path.join('.').slice(0, 100)}: ${issue?.message}`);
}

function keepLine(run: LineRun, cursor: LineCursor, line: CloudWatchLine): void {
  const name = toMetricName(`amazonaws.com/${line.namespace}/${line.metric_name}`);
  const labels = labelsOf(line);
  for (const [statistic, value] of Object.entries(line.value)) {
    const quantile = quantileOf(statistic);
    const metric = quantile === undefined ? `${name}_${toLabelName(statistic)}` : name;
    const own: Label[] = [{ name: '__name__', value: metric }, ...labels];
    if (quantile !== undefined) own.push({ name: 'quantile', value: quantile });
    const found = run.context.intern(own);
    if (found.rejection) rejectSamples(run, cursor, found.rejection);
    else run.builder.add(found.series, line.timestamp, value, statistic === 'sum' || statistic === 'count' ? DELTA : 0);
  }
  if (!run.metadata.has(name))
    run.metadata.set(name, { metric: name, type: 'summary', help: '', unit: line.unit === 'None' ? '' : line.unit });
}

function labelsOf({ account_id, region, dimensions }: CloudWatchLine): Label[] {
  const labels: Label[] = [
    { name: 'account_id', value: account_id },
    { name: 'region', value: region },
  ];
  const taken = new Set(['__name__', 'quantile', 'account_id', 'region']);
  for (const [dimension, value] of Object.entries(dimensions)) {
    const plain = toLabelName(dimension);
    const name = taken.has(plain) ? `dimension_${plain}` : plain;
    taken.add(name);
    labels.push({ name, value });
  }
  return labels;
}

/** `0.999` for `p99.9`; undefined for a statistic that is no percentile. */
function quantileOf(statistic: string): string | undefined {
  if (!/^p\d{1,3}(\.\d{1,10})?$/.test(statistic)) return undefined;
  const quantile = Number(`${statistic.slice(1)}e-2`); // The exponent shifts the decimals exactly, a division would not.
  return quantile <= 1 ? String(quantile) : undefined;
}
