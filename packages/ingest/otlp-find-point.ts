import { formatBound } from './otlp-names.ts';
import { keyAttributes, keyBounds, NO_RECORDED_VALUE, type WirePoint } from './otlp-point.ts';
import { HISTOGRAM_ATTRIBUTES, NUMBER_ATTRIBUTES, SUMMARY_ATTRIBUTES } from './otlp-read-points.ts';
import type { MetricContext, OtlpTranslator, PointContext, PointPart } from './otlp-translator.ts';
import type { ProtoReader } from './protobuf.ts';

/** No histogram that anybody asks questions of has as many. */
const MAX_BOUNDS = 10_000;

/**
 * The series of the point just read, whose end the reader is at, from the cache or made. A point without a value that names no
 * buckets or quantiles stands for those named last under its attributes.
 */
export function findPoint(translator: OtlpTranslator, metric: MetricContext, reader: ProtoReader, point: WirePoint): PointContext {
  if (metric.kind === 'histogram') return findShaped(translator, metric, reader, point, HISTOGRAM_ATTRIBUTES);
  if (metric.kind === 'summary') return findShaped(translator, metric, reader, point, SUMMARY_ATTRIBUTES);
  if (point.isScattered) return findScattered(translator, metric, reader, point);
  const start = Math.max(0, point.attributesStart);
  const end = Math.max(0, point.attributesEnd);
  const known = translator.points.get(reader.view, start, end, metric.id);
  if (known) return known;
  const made = makePoint(translator, metric, reader, point, NUMBER_ATTRIBUTES);
  translator.points.set(reader.view, start, end, metric.id, made);
  return made;
}

function findScattered(translator: OtlpTranslator, metric: MetricContext, reader: ProtoReader, point: WirePoint): PointContext {
  const { key, points } = translator;
  key.clear();
  keyAttributes(key, reader, point, NUMBER_ATTRIBUTES);
  const known = points.get(key.view(), 0, key.size(), metric.id);
  if (known) return known;
  const made = makePoint(translator, metric, reader, point, NUMBER_ATTRIBUTES);
  points.set(key.view(), 0, key.size(), metric.id, made);
  return made;
}

function findShaped(
  translator: OtlpTranslator,
  metric: MetricContext,
  reader: ProtoReader,
  point: WirePoint,
  fieldTag: number,
): PointContext {
  const { key, points, shapes } = translator;
  if (point.boundCount > MAX_BOUNDS) {
    const message = `a point of ${metric.name} has ${point.boundCount} buckets or quantiles, the limit is ${MAX_BOUNDS}`;
    return { series: [], rejection: { reason: 'too-many-buckets', message }, labelBytes: 0 };
  }
  key.clear();
  keyAttributes(key, reader, point, fieldTag);
  const attributesSize = key.size();
  if (point.boundCount === 0 && (point.flags & NO_RECORDED_VALUE) !== 0) {
    const shape = shapes.get(key.view(), 0, attributesSize, metric.id);
    if (shape) return shape.latest;
  }
  keyBounds(key, point);
  const known = points.get(key.view(), 0, key.size(), metric.id);
  if (known) return known;
  const made = makePoint(translator, metric, reader, point, fieldTag);
  points.set(key.view(), 0, key.size(), metric.id, made);
  if (point.boundCount > 0) {
    const shape = shapes.get(key.view(), 0, attributesSize, metric.id);
    if (shape) shape.latest = made;
    else shapes.set(key.view(), 0, attributesSize, metric.id, { latest: made });
  }
  return made;
}

function makePoint(
  translator: OtlpTranslator,
  metric: MetricContext,
  reader: ProtoReader,
  point: WirePoint,
  fieldTag: number,
): PointContext {
  reader.pos = point.start;
  return translator.makePoint(metric, reader, fieldTag, partsOf(metric, point));
}

const ITSELF: readonly PointPart[] = [{ suffix: '' }];

/** A number: itself. A histogram: count, sum, the bucket of everything, a bucket for each bound. A summary: count, sum, quantiles. */
function partsOf({ kind }: MetricContext, point: WirePoint): readonly PointPart[] {
  if (kind === 'gauge' || kind === 'sum') return ITSELF;
  const bounds = Array.from(point.bounds.subarray(0, point.boundCount), formatBound);
  const parts: PointPart[] = [{ suffix: '_count' }, { suffix: '_sum' }];
  if (kind === 'summary') return [...parts, ...bounds.map((value) => ({ suffix: '', label: { name: 'quantile', value } }))];
  return [...parts, ...['+Inf', ...bounds].map((value) => ({ suffix: '_bucket', label: { name: 'le', value } }))];
}
