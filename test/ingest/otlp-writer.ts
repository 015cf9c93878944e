import { createProtoWriter, type ProtoWriter } from './proto-writer.ts';

export type AttributeValue = string | number | boolean | bigint | Uint8Array | readonly AttributeValue[] | { readonly map: Attributes };
export type Attributes = { readonly [key: string]: AttributeValue };

interface Point {
  readonly attributes?: Attributes;
  readonly startMs?: number;
  readonly tsMs: number;
  readonly flags?: number;
  readonly exemplars?: number;
}

export interface NumberPoint extends Point {
  readonly double?: number;
  readonly int?: bigint;
}

export interface HistogramPoint extends Point {
  readonly count: number;
  readonly sum?: number;
  readonly counts?: readonly number[];
  readonly bounds?: readonly number[];
}

export interface SummaryPoint extends Point {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly (readonly [number, number])[];
}

export interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly description?: string;
  readonly gauge?: readonly NumberPoint[];
  readonly sum?: { readonly temporality: number; readonly monotonic: boolean; readonly points: readonly NumberPoint[] };
  readonly histogram?: { readonly temporality: number; readonly points: readonly HistogramPoint[] };
  readonly summary?: readonly SummaryPoint[];
  readonly exponential?: number;
}

export interface ResourceMetrics {
  readonly resource?: Attributes;
  readonly scope?: { readonly name: string; readonly version?: string; readonly attributes?: Attributes };
  readonly schemaUrl?: string;
  readonly metrics: readonly Metric[];
}

/** An ExportMetricsServiceRequest in protobuf. */
export function encodeOtlp(resources: readonly ResourceMetrics[]): Uint8Array {
  const request = createProtoWriter();
  for (const { resource, scope, schemaUrl, metrics } of resources) {
    request.message(1, (rm) => {
      if (resource) rm.message(1, (r) => writeAttributes(r, 1, resource));
      rm.message(2, (sm) => {
        if (scope) {
          sm.message(1, (s) => {
            s.text(1, scope.name).text(2, scope.version ?? '');
            writeAttributes(s, 3, scope.attributes ?? {});
          });
        }
        for (const metric of metrics) sm.message(2, (m) => writeMetric(m, metric));
        if (schemaUrl) sm.text(3, schemaUrl);
      });
    });
  }
  return request.finish();
}

function writeMetric(m: ProtoWriter, metric: Metric): void {
  m.text(1, metric.name)
    .text(2, metric.description ?? '')
    .text(3, metric.unit ?? '');
  const { gauge, sum, histogram, summary, exponential } = metric;
  if (gauge) m.message(5, (g) => void gauge.forEach((point) => void g.message(1, (p) => writeNumber(p, point))));
  if (sum) {
    m.message(7, (s) => {
      for (const point of sum.points) s.message(1, (p) => writeNumber(p, point));
      s.varint(2, sum.temporality).varint(3, sum.monotonic ? 1 : 0);
    });
  }
  if (histogram) {
    m.message(9, (h) => {
      for (const point of histogram.points) h.message(1, (p) => writeHistogram(p, point));
      h.varint(2, histogram.temporality);
    });
  }
  if (exponential) {
    m.message(10, (e) => {
      for (let i = 0; i < exponential; i++) e.message(1, (p) => void p.varint(6, 1));
      e.varint(2, 2);
    });
  }
  if (summary) m.message(11, (s) => void summary.forEach((point) => void s.message(1, (p) => writeSummary(p, point))));
}

function writeNumber(p: ProtoWriter, point: NumberPoint): void {
  writeTimes(p, point);
  if (point.double !== undefined) p.double(4, point.double);
  for (let i = 0; i < (point.exemplars ?? 0); i++) p.message(5, (e) => void e.double(3, 1));
  if (point.int !== undefined) p.fixed64(6, point.int);
  writeAttributes(p, 7, point.attributes ?? {});
  if (point.flags) p.varint(8, point.flags);
}

function writeHistogram(p: ProtoWriter, point: HistogramPoint): void {
  writeTimes(p, point);
  p.fixed64(4, BigInt(point.count));
  if (point.sum !== undefined) p.double(5, point.sum);
  if (point.counts) p.bytes(6, new Uint8Array(BigUint64Array.from(point.counts, BigInt).buffer));
  if (point.bounds) p.bytes(7, new Uint8Array(Float64Array.from(point.bounds).buffer));
  for (let i = 0; i < (point.exemplars ?? 0); i++) p.message(8, (e) => void e.double(3, 1));
  writeAttributes(p, 9, point.attributes ?? {});
  if (point.flags) p.varint(10, point.flags);
}

function writeSummary(p: ProtoWriter, point: SummaryPoint): void {
  writeTimes(p, point);
  p.fixed64(4, BigInt(point.count)).double(5, point.sum);
  for (const [quantile, value] of point.quantiles) p.message(6, (q) => void q.double(1, quantile).double(2, value));
  writeAttributes(p, 7, point.attributes ?? {});
  if (point.flags) p.varint(8, point.flags);
}

function writeTimes(p: ProtoWriter, { startMs, tsMs }: Point): void {
  if (startMs !== undefined) p.fixed64(2, BigInt(startMs) * 1_000_000n);
  p.fixed64(3, BigInt(tsMs) * 1_000_000n);
}

function writeAttributes(writer: ProtoWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.message(field, (kv) => void kv.text(1, key).message(2, (v) => writeValue(v, value)));
  }
}

function writeValue(v: ProtoWriter, value: AttributeValue): void {
  if (typeof value === 'string') v.text(1, value);
  else if (typeof value === 'boolean') v.varint(2, value ? 1 : 0);
  else if (typeof value === 'bigint') v.varint(3, value);
  else if (typeof value === 'number') v.double(4, value);
  else if (value instanceof Uint8Array) v.bytes(7, value);
  else if (isMap(value)) v.message(6, (list) => writeAttributes(list, 1, value.map));
  else v.message(5, (list) => void value.forEach((one) => void list.message(1, (inner) => writeValue(inner, one))));
}

/** The same request in OTLP's JSON. */
export function otlpJson(resources: readonly ResourceMetrics[]): unknown {
  return {
    resourceMetrics: resources.map(({ resource, scope, schemaUrl, metrics }) => ({
      ...(resource && { resource: { attributes: jsonAttributes(resource) } }),
      scopeMetrics: [
        {
          ...(scope && { scope: { ...scope, attributes: jsonAttributes(scope.attributes) } }),
          metrics: metrics.map(jsonMetric),
          ...(schemaUrl && { schemaUrl }),
        },
      ],
    })),
  };
}

function jsonMetric({ gauge, sum, histogram, summary, exponential, ...metric }: Metric): unknown {
  return {
    ...metric,
    ...(gauge && { gauge: { dataPoints: gauge.map(jsonNumber) } }),
    ...(sum && {
      sum: { aggregationTemporality: sum.temporality, isMonotonic: sum.monotonic, dataPoints: sum.points.map(jsonNumber) },
    }),
    ...(histogram && {
      histogram: {
        aggregationTemporality: histogram.temporality,
        dataPoints: histogram.points.map((point) => ({
          ...jsonPoint(point),
          count: String(point.count),
          sum: jsonDouble(point.sum),
          bucketCounts: point.counts?.map(String),
          explicitBounds: point.bounds?.map(jsonDouble),
        })),
      },
    }),
    ...(summary && {
      summary: {
        dataPoints: summary.map((point) => ({
          ...jsonPoint(point),
          count: String(point.count),
          sum: jsonDouble(point.sum),
          quantileValues: point.quantiles.map(([quantile, value]) => ({ quantile, value: jsonDouble(value) })),
        })),
      },
    }),
    ...(exponential && { exponentialHistogram: { dataPoints: Array.from({ length: exponential }, () => ({ count: '1' })) } }),
  };
}

function jsonNumber(point: NumberPoint): unknown {
  return { ...jsonPoint(point), asDouble: jsonDouble(point.double), asInt: point.int === undefined ? undefined : String(point.int) };
}

function jsonPoint({ attributes, startMs, tsMs, flags, exemplars }: Point): object {
  return {
    attributes: jsonAttributes(attributes),
    startTimeUnixNano: startMs === undefined ? undefined : `${startMs}000000`.replace(/^0+(?=\d)/, ''),
    timeUnixNano: `${tsMs}000000`.replace(/^0+(?=\d)/, ''),
    flags,
    exemplars: exemplars === undefined ? undefined : Array.from({ length: exemplars }, () => ({ asDouble: 1, traceId: 'ab' })),
  };
}

function jsonDouble(value: number | undefined): number | string | undefined {
  if (Object.is(value, -0)) return '-0';
  return value === undefined || Number.isFinite(value) ? value : String(value);
}

function jsonAttributes(attributes: Attributes = {}): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: jsonValue(value) }));
}

function jsonValue(value: AttributeValue): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: jsonDouble(value) };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (isMap(value)) return { kvlistValue: { values: jsonAttributes(value.map) } };
  return { arrayValue: { values: value.map(jsonValue) } };
}

function isMap(value: object): value is { readonly map: Attributes } {
  return !Array.isArray(value);
}
