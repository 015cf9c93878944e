import { DELTA, STALE } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import { BatchBuilder } from './batch-builder.ts';
import type { Decoded } from './decoded.ts';
import { labelBudget, labelBudgetError } from './label-rules.ts';
import { findPoint } from './otlp-find-point.ts';
import { createInfoTimes, type InfoTimes } from './otlp-info-times.ts';
import { createWirePoint, NO_RECORDED_VALUE, type WirePoint } from './otlp-point.ts';
import { readHistogramPoint, readNumberPoint, readSummaryPoint } from './otlp-read-points.ts';
import type {
  MetricContext,
  MetricHeader,
  OtlpKind,
  OtlpTranslator,
  PointContext,
  ResourceContext,
  ScopeContext,
} from './otlp-translator.ts';
import {
  BYTES,
  closeMessage,
  createReader,
  openMessage,
  type ProtoReader,
  readBytes,
  readTag,
  readUint,
  skipField,
  VARINT,
} from './protobuf.ts';
import { createRejectionList, quoteShort, type RejectionList } from './rejections.ts';

interface Decoding {
  readonly translator: OtlpTranslator;
  readonly reader: ProtoReader;
  readonly point: WirePoint;
  readonly batch: BatchBuilder;
  readonly rejections: RejectionList;
  readonly metadata: Map<string, MetricMetadata>;
  readonly infoTimes: InfoTimes;
  exemplars: number;
  /** Of all series, written out. */
  labelBytes: number;
}

const DELTA_TEMPORALITY = 1;
const CUMULATIVE = 2;
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Decodes an ExportMetricsServiceRequest in protobuf. Points that break a rule, exponential histograms (`exponential-histogram`)
 * and sums and histograms that do not say whether they are deltas (`unspecified-temporality`) are left out and counted, in data
 * points; `input` only where the body is no such message. A histogram of n bounds becomes n + 1 buckets, sum and count.
 */
export function decodeOtlpProtobuf(deps: { readonly translator: OtlpTranslator }, body: Uint8Array): Decoded {
  const decoding: Decoding = {
    translator: deps.translator,
    reader: createReader(body),
    point: createWirePoint(),
    batch: new BatchBuilder(),
    rejections: createRejectionList(),
    metadata: new Map(),
    infoTimes: createInfoTimes(),
    exemplars: 0,
    labelBytes: 0,
  };
  const { reader } = decoding;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) readResourceMetrics(decoding);
    else skipField(reader, tag);
  }
  return {
    batch: decoding.batch.finish(),
    metadata: [...decoding.metadata.values()],
    rejections: decoding.rejections.finish(),
    exemplars: decoding.exemplars,
    stampedAtReceipt: false,
  };
}

function readResourceMetrics(decoding: Decoding): void {
  const { reader, translator, infoTimes } = decoding;
  const outer = openMessage(reader);
  const resource = translator.resource(findField(reader, 1));
  infoTimes.clear();
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 2 * 8 + BYTES) readScopeMetrics(decoding, resource);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  addTargetInfo(decoding, resource);
}

function addTargetInfo({ batch, rejections, infoTimes }: Decoding, { info, infoRejection }: ResourceContext): void {
  if (infoRejection) rejections.addSeries(infoRejection, 0); // not a data point of the sender's
  if (info) for (const tsMs of infoTimes.times()) batch.add(info, tsMs, 1);
}

function readScopeMetrics(decoding: Decoding, resource: ResourceContext): void {
  const { reader, translator } = decoding;
  const outer = openMessage(reader);
  const scope = translator.scope(resource, findField(reader, 1), findField(reader, 3));
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 2 * 8 + BYTES) readMetric(decoding, resource, scope);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
}

/** The last length-delimited field of this number in the message under way, which stays where it is. */
function findField(reader: ProtoReader, field: number): Uint8Array {
  const start = reader.pos;
  let found = EMPTY;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === field * 8 + BYTES) found = readBytes(reader);
    else skipField(reader, tag);
  }
  reader.pos = start;
  return found;
}

const KINDS: ReadonlyMap<number, OtlpKind> = new Map([
  [5 * 8 + BYTES, 'gauge'],
  [7 * 8 + BYTES, 'sum'],
  [9 * 8 + BYTES, 'histogram'],
  [11 * 8 + BYTES, 'summary'],
]);
const KIND_CODES: Readonly<Record<OtlpKind, number>> = { gauge: 0, sum: 2, histogram: 4, summary: 6 };
const EXPONENTIAL_HISTOGRAM = 10 * 8 + BYTES;

function readMetric(decoding: Decoding, resource: ResourceContext, scope: ScopeContext): void {
  const { reader } = decoding;
  const outer = openMessage(reader);
  const header: { name: Uint8Array; description: Uint8Array; unit: Uint8Array } = { name: EMPTY, description: EMPTY, unit: EMPTY };
  let dataTag = 0;
  let dataAt = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) header.name = readBytes(reader);
    else if (tag === 2 * 8 + BYTES) header.description = readBytes(reader);
    else if (tag === 3 * 8 + BYTES) header.unit = readBytes(reader);
    else {
      if (KINDS.has(tag) || tag === EXPONENTIAL_HISTOGRAM) {
        dataTag = tag;
        dataAt = reader.pos;
      }
      skipField(reader, tag);
    }
  }
  reader.pos = dataAt;
  const kind = KINDS.get(dataTag);
  if (kind) readData(decoding, resource, scope, { ...header, kind });
  else if (dataTag === EXPONENTIAL_HISTOGRAM) refuseExponential(decoding, header.name);
  closeMessage(reader, outer);
}

/** Temporality and monotonicity stand behind the points as often as before: one pass for them, one for the points. */
function readData(decoding: Decoding, resource: ResourceContext, scope: ScopeContext, header: Omit<MetricHeader, 'monotonic'>): void {
  const { reader, rejections } = decoding;
  const outer = openMessage(reader);
  const start = reader.pos;
  const hasTemporality = header.kind === 'sum' || header.kind === 'histogram';
  let temporality = hasTemporality ? 0 : CUMULATIVE;
  let monotonic = header.kind !== 'gauge' && header.kind !== 'sum';
  let points = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (hasTemporality && tag === 2 * 8 + VARINT) temporality = readUint(reader);
    else if (header.kind === 'sum' && tag === 3 * 8 + VARINT) monotonic = readUint(reader) !== 0;
    else {
      if (tag === 1 * 8 + BYTES) points++;
      skipField(reader, tag);
    }
  }
  reader.pos = start;
  const metric = findMetric(decoding.translator, resource, scope, { ...header, monotonic });
  if (metric.rejection) {
    if (points > 0) rejections.addSeries(metric.rejection, points);
  } else if (temporality !== CUMULATIVE && temporality !== DELTA_TEMPORALITY) {
    const describe = () => `${quoteShort(metric.name)} says neither that its values are deltas nor that they are cumulative`;
    if (points > 0) rejections.add('unspecified-temporality', points, describe);
  } else if (points > 0) {
    if (metric.metadata && !decoding.metadata.has(metric.name)) decoding.metadata.set(metric.name, metric.metadata);
    readPoints(decoding, metric, temporality === DELTA_TEMPORALITY ? DELTA : 0, monotonic && temporality === CUMULATIVE);
  }
  closeMessage(reader, outer);
}

function findMetric(translator: OtlpTranslator, resource: ResourceContext, scope: ScopeContext, header: MetricHeader): MetricContext {
  const { key, metrics } = translator;
  key.clear();
  key.addText(header.name);
  key.addText(header.unit);
  key.addText(header.description);
  key.addByte(KIND_CODES[header.kind] + (header.monotonic ? 1 : 0));
  const known = metrics.get(key.view(), 0, key.size(), scope.id);
  if (known) return known;
  const made = translator.makeMetric(resource, scope, header);
  metrics.set(key.view(), 0, key.size(), scope.id, made);
  return made;
}

function refuseExponential({ reader, rejections }: Decoding, name: Uint8Array): void {
  const outer = openMessage(reader);
  let points = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) points++;
    skipField(reader, tag);
  }
  closeMessage(reader, outer);
  const describe = () =>
    `exponential histograms are not supported: ${quoteShort(Buffer.from(name).toString('utf8'))} is one (explicit buckets are)`;
  if (points > 0) rejections.add('exponential-histogram', points, describe);
}

function readPoints(decoding: Decoding, metric: MetricContext, flags: number, hasStart: boolean): void {
  const { reader, point, translator, rejections, infoTimes } = decoding;
  const { kind } = metric;
  const budget = labelBudget(translator.cache.limits);
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag !== 1 * 8 + BYTES) {
      skipField(reader, tag);
      continue;
    }
    const outer = openMessage(reader);
    if (kind === 'histogram') readHistogramPoint(reader, point);
    else if (kind === 'summary') readSummaryPoint(reader, point);
    else readNumberPoint(reader, point);
    const found = findPoint(translator, metric, reader, point);
    closeMessage(reader, outer);
    decoding.labelBytes += found.labelBytes;
    if (decoding.labelBytes > budget) throw labelBudgetError(translator.cache.limits);
    if (found.rejection) {
      rejections.addSeries(found.rejection, 1);
      continue;
    }
    decoding.exemplars += point.exemplars;
    infoTimes.note(point.tsMs);
    const startTs = hasStart && point.startMs > 0 ? point.startMs : Number.NaN;
    if ((point.flags & NO_RECORDED_VALUE) !== 0) addStale(decoding.batch, found, point.tsMs);
    else if (kind === 'histogram') addHistogram(decoding.batch, found, point, flags, startTs);
    else if (kind === 'summary') addSummary(decoding.batch, found, point, startTs);
    else decoding.batch.add(found.series[0] as Series, point.tsMs, point.value, flags, startTs);
  }
}

function addStale(batch: BatchBuilder, { series }: PointContext, tsMs: number): void {
  for (const one of series) batch.add(one, tsMs, Number.NaN, STALE);
}

/** Series in the order of `partsOf`: count, sum, the bucket of everything, the others. */
function addHistogram(batch: BatchBuilder, { series }: PointContext, point: WirePoint, flags: number, startTs: number): void {
  const { tsMs, values } = point;
  batch.add(series[0] as Series, tsMs, point.count, flags, startTs);
  if (point.hasSum) batch.add(series[1] as Series, tsMs, point.sum, flags, startTs);
  batch.add(series[2] as Series, tsMs, point.count, flags, startTs);
  const buckets = Math.min(point.boundCount, point.valueCount);
  let below = 0;
  for (let i = 0; i < buckets; i++) {
    below += values[i] as number;
    batch.add(series[3 + i] as Series, tsMs, below, flags, startTs);
  }
}

/** Series in the order of `partsOf`: count, sum, the quantiles. */
function addSummary(batch: BatchBuilder, { series }: PointContext, point: WirePoint, startTs: number): void {
  const { tsMs, values } = point;
  batch.add(series[0] as Series, tsMs, point.count, 0, startTs);
  batch.add(series[1] as Series, tsMs, point.sum, 0, startTs);
  for (let i = 0; i < point.boundCount; i++) batch.add(series[2 + i] as Series, tsMs, values[i] as number);
}
