import { compareUtf8 } from '#core/text.ts';
import type { Label, Series } from '#model/series.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import { type ByteCache, createByteCache } from './byte-cache.ts';
import { createLabelKey, type LabelKey } from './label-key.ts';
import { labelBudget, labelBudgetError, tooManyLabels } from './label-rules.ts';
import type { IngestLimits } from './limits.ts';
import { readAttributes } from './otlp-attributes.ts';
import { type OtlpNameKind, translateLabelName, translateMetricName, translateUnit } from './otlp-names.ts';
import { BYTES, createReader, decodeUtf8, type ProtoReader, readBytes, readTag, skipField } from './protobuf.ts';
import { quoteShort, type SeriesRejection } from './rejections.ts';
import type { SeriesCache } from './series-cache.ts';

export interface OtlpSettings {
  /** Metric and attribute names stay as they are sent, without unit and type suffixes. */
  readonly keepUtf8Names: boolean;
  /** Adds `otel_scope_name`, `otel_scope_version`, `otel_scope_schema_url` and the scope's attributes (Prometheus' `promote_scope_metadata`). */
  readonly scopeLabels: boolean;
}

/** As Prometheus 3 is set up by itself. */
export const defaultOtlpSettings: OtlpSettings = { keepUtf8Names: false, scopeLabels: false };

/** What all points of a resource have in common. */
export interface ResourceContext {
  readonly id: number;
  /** `job` and `instance`, where the resource has them. */
  readonly labels: readonly Label[];
  /** The labels of `target_info`; absent where it would say nothing. */
  readonly info: Series | undefined;
  readonly infoRejection: SeriesRejection | undefined;
  readonly rejection: SeriesRejection | undefined;
}

/** What all points of a scope of a resource have in common. */
export interface ScopeContext {
  readonly id: number;
  readonly labels: readonly Label[];
  readonly rejection: SeriesRejection | undefined;
}

export type OtlpKind = 'gauge' | 'sum' | 'histogram' | 'summary';

/** What all points of a metric of a scope of a resource have in common. */
export interface MetricContext {
  readonly id: number;
  readonly kind: OtlpKind;
  readonly name: string;
  readonly labels: readonly Label[];
  /** Absent where the name is too long to be kept. */
  readonly metadata: MetricMetadata | undefined;
  readonly rejection: SeriesRejection | undefined;
}

/** The series that one point of a metric writes to, in the order in which the decoder asked for them. */
export interface PointContext {
  readonly series: readonly Series[];
  readonly rejection: SeriesRejection | undefined;
  /** Text of all their labels, for the request's budget. */
  readonly labelBytes: number;
}

/** A series of a point beside its attributes: what follows the metric's name, and one more label. */
export interface PointPart {
  readonly suffix: string;
  readonly label?: Label | undefined;
}

export interface MetricHeader {
  readonly kind: OtlpKind;
  readonly monotonic: boolean;
  readonly name: Uint8Array;
  readonly unit: Uint8Array;
  readonly description: Uint8Array;
}

/**
 * Turns resources, scopes, metrics and attributes into series, each once: the contexts are found by the bytes they were sent as.
 * Belongs to one set of settings and one series cache.
 */
export interface OtlpTranslator {
  readonly cache: SeriesCache;
  readonly key: LabelKey;
  readonly points: ByteCache<PointContext>;
  readonly metrics: ByteCache<MetricContext>;
  /** What the attributes of a histogram or summary came to when its buckets or quantiles were last named. */
  readonly shapes: ByteCache<{ latest: PointContext }>;
  resource(bytes: Uint8Array): ResourceContext;
  scope(resource: ResourceContext, bytes: Uint8Array, schemaUrl: Uint8Array): ScopeContext;
  makeMetric(resource: ResourceContext, scope: ScopeContext, header: MetricHeader): MetricContext;
  /** `attributes` holds KeyValue messages of this field tag. */
  makePoint(metric: MetricContext, attributes: ProtoReader, fieldTag: number, parts: readonly PointPart[]): PointContext;
}

const IDENTIFYING: readonly string[] = ['service.namespace', 'service.name', 'service.instance.id'];
const ATTRIBUTES_OF_RESOURCE = 1 * 8 + BYTES;
const ATTRIBUTES_OF_SCOPE = 3 * 8 + BYTES;
const NO_SERIES: readonly Series[] = [];

/** Makes a translator that has seen nothing yet. */
export function createOtlpTranslator(
  deps: { readonly series: SeriesCache; readonly maxSeries: number },
  settings: OtlpSettings,
): OtlpTranslator {
  const limits = { maxEntries: deps.maxSeries, maxKeyBytes: Math.min(deps.maxSeries * 512, 2 ** 31) };
  const resources = createByteCache<ResourceContext>(limits);
  const scopes = createByteCache<ScopeContext>(limits);
  let lastId = 0;
  // Identifiers only tell contexts apart inside the caches; 2^31 of them would take years, and then one may meet an old one.
  const nextId = () => {
    lastId = (lastId + 1) % 2 ** 31;
    return lastId;
  };
  const labelName = settings.keepUtf8Names ? (name: string) => name : translateLabelName;

  return {
    cache: deps.series,
    key: createLabelKey(),
    points: createByteCache<PointContext>(limits),
    shapes: createByteCache<{ latest: PointContext }>(limits),
    metrics: createByteCache<MetricContext>(limits),
    resource(bytes) {
      const view = viewOf(bytes);
      const known = resources.get(view, 0, bytes.length, 0);
      if (known) return known;
      const made = makeResource(deps.series, nextId(), bytes, labelName);
      resources.set(view, 0, bytes.length, 0, made);
      return made;
    },
    scope(resource, bytes, schemaUrl) {
      const key = schemaUrl.length === 0 ? bytes : Buffer.concat([bytes, Uint8Array.of(0xff), schemaUrl]);
      const view = viewOf(key);
      const known = scopes.get(view, 0, key.length, resource.id);
      if (known) return known;
      const made = makeScope(deps.series, nextId(), bytes, schemaUrl, settings, labelName);
      scopes.set(view, 0, key.length, resource.id, made);
      return made;
    },
    makeMetric: (resource, scope, header) => makeMetric(deps.series.limits, nextId(), resource, scope, header, settings),
    makePoint: (metric, attributes, fieldTag, parts) =>
      makePoint(deps.series, metric, readAttributes(attributes, fieldTag), parts, labelName),
  };
}

function makeResource(cache: SeriesCache, id: number, bytes: Uint8Array, labelName: (name: string) => string): ResourceContext {
  const attributes = readAttributes(createReader(bytes), ATTRIBUTES_OF_RESOURCE);
  const nothing = { id, labels: [], info: undefined, infoRejection: undefined };
  if (!attributes) return { ...nothing, rejection: { reason: 'invalid-utf8', message: 'a resource attribute is not valid UTF-8' } };
  const labels = jobAndInstance(attributes);
  const rest = attributes.filter((attribute) => !IDENTIFYING.includes(attribute.name));
  if (rest.length === 0 || labels.length === 0) return { ...nothing, labels, rejection: undefined };
  const merged = mergeAttributes(rest, labelName);
  for (const { name, value } of labels) merged.set(name, value);
  merged.set('__name__', 'target_info');
  const found =
    merged.size > cache.limits.maxLabels + 1 ? tooManyLabels(merged.size - 1, cache.limits, 'target_info') : cache.intern(labelsOf(merged));
  return { id, labels, info: found.series, infoRejection: found.rejection, rejection: undefined };
}

function jobAndInstance(attributes: readonly Label[]): Label[] {
  const textOf = (name: string) => attributes.find((attribute) => attribute.name === name)?.value;
  const service = textOf('service.name');
  const namespace = textOf('service.namespace');
  const instance = textOf('service.instance.id');
  const labels: Label[] = [];
  if (service !== undefined) labels.push({ name: 'job', value: namespace === undefined ? service : `${namespace}/${service}` });
  if (instance !== undefined) labels.push({ name: 'instance', value: instance });
  return labels.filter((label) => label.value !== '');
}

function makeScope(
  cache: SeriesCache,
  id: number,
  bytes: Uint8Array,
  schemaUrl: Uint8Array,
  settings: OtlpSettings,
  labelName: (name: string) => string,
): ScopeContext {
  if (!settings.scopeLabels) return { id, labels: [], rejection: undefined };
  const attributes = readAttributes(createReader(bytes), ATTRIBUTES_OF_SCOPE);
  const named = readScopeName(bytes);
  const url = decodeUtf8(schemaUrl);
  if (!attributes || !named || url === undefined) {
    return { id, labels: [], rejection: { reason: 'invalid-utf8', message: 'the text of a scope is not valid UTF-8' } };
  }
  if (named.name === '') return { id, labels: [], rejection: undefined };
  if (attributes.length > cache.limits.maxLabels)
    return { id, labels: [], rejection: tooManyLabels(attributes.length, cache.limits).rejection };
  const merged = new Map<string, string>();
  for (const { name, value } of attributes) merged.set(labelName(`otel_scope_${name}`), value);
  merged.set('otel_scope_name', named.name);
  merged.set('otel_scope_version', named.version);
  merged.set('otel_scope_schema_url', url);
  return { id, labels: labelsOf(merged), rejection: undefined };
}

function readScopeName(bytes: Uint8Array): { name: string; version: string } | undefined {
  const reader = createReader(bytes);
  let name: string | undefined = '';
  let version: string | undefined = '';
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + BYTES) name = decodeUtf8(readBytes(reader));
    else if (tag === 2 * 8 + BYTES) version = decodeUtf8(readBytes(reader));
    else skipField(reader, tag);
  }
  return name === undefined || version === undefined ? undefined : { name, version };
}

function makeMetric(
  limits: IngestLimits,
  id: number,
  resource: ResourceContext,
  scope: ScopeContext,
  header: MetricHeader,
  settings: OtlpSettings,
): MetricContext {
  const name = decodeUtf8(header.name);
  const unit = decodeUtf8(header.unit);
  const description = decodeUtf8(header.description);
  const kind: OtlpNameKind = header.kind === 'gauge' ? 'gauge' : header.kind === 'sum' && header.monotonic ? 'monotonic-sum' : 'other';
  const metric = name === undefined || unit === undefined ? '' : settings.keepUtf8Names ? name : translateMetricName(name, unit, kind);
  const type = header.kind === 'sum' ? (header.monotonic ? 'counter' : 'gauge') : header.kind;
  const shownUnit = settings.keepUtf8Names ? (unit ?? '') : translateUnit(unit ?? '');
  return {
    id,
    kind: header.kind,
    name: metric,
    labels: [...scope.labels, ...resource.labels],
    metadata:
      Math.max(metric.length, shownUnit.length) > limits.maxNameBytes
        ? undefined
        : { metric, type, help: (description ?? '').slice(0, limits.maxValueBytes), unit: shownUnit },
    rejection: resource.rejection ?? scope.rejection ?? wrongMetricName(name, unit, metric),
  };
}

function wrongMetricName(name: string | undefined, unit: string | undefined, metric: string): SeriesRejection | undefined {
  if (name === undefined || unit === undefined)
    return { reason: 'invalid-utf8', message: 'the name or unit of a metric is not valid UTF-8' };
  if (metric !== '') return undefined;
  const message = name === '' ? 'a metric has no name' : `nothing of the metric name ${quoteShort(name)} can stay in a Prometheus name`;
  return { reason: 'missing-metric-name', message };
}

function makePoint(
  cache: SeriesCache,
  metric: MetricContext,
  attributes: Label[] | undefined,
  parts: readonly PointPart[],
  labelName: (name: string) => string,
): PointContext {
  const rejected = (rejection: SeriesRejection, labelBytes = 0): PointContext => ({ series: NO_SERIES, rejection, labelBytes });
  if (!attributes) return rejected({ reason: 'invalid-utf8', message: `an attribute of ${quoteShort(metric.name)} is not valid UTF-8` });
  const merged = mergeAttributes(attributes, labelName);
  for (const { name, value } of metric.labels) merged.set(name, value);
  merged.delete('__name__');
  if (merged.size > cache.limits.maxLabels * 2) return rejected(tooManyLabels(merged.size, cache.limits, metric.name).rejection);
  let textLength = metric.name.length;
  for (const [name, value] of merged) textLength += name.length + value.length;
  const labelBytes = textLength * parts.length;
  if (labelBytes > labelBudget(cache.limits)) throw labelBudgetError(cache.limits);
  const base = labelsOf(merged);
  const series: Series[] = [];
  for (const { suffix, label } of parts) {
    const others = label ? base.filter(({ name }) => name !== label.name) : base;
    const found = cache.intern([{ name: '__name__', value: metric.name + suffix }, ...(label ? [label] : []), ...others]);
    if (found.rejection) return rejected(found.rejection, textLength);
    series.push(found.series);
  }
  return { series, rejection: undefined, labelBytes };
}

/** Attributes whose names become the same label are joined with `;`, in the order of the names. */
function mergeAttributes(attributes: readonly Label[], labelName: (name: string) => string): Map<string, string> {
  const merged = new Map<string, string>();
  for (const { name, value } of attributes.toSorted((a, b) => compareUtf8(a.name, b.name))) {
    const label = labelName(name);
    const before = merged.get(label);
    merged.set(label, before === undefined ? value : `${before};${value}`);
  }
  return merged;
}

function labelsOf(merged: ReadonlyMap<string, string>): Label[] {
  return Array.from(merged, ([name, value]) => ({ name, value }));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
