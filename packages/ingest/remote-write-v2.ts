import { OpsError } from '#core/errors.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import { BatchBuilder } from './batch-builder.ts';
import type { Decoded } from './decoded.ts';
import { createLabelKey, type LabelKey } from './label-key.ts';
import {
  labelBudget,
  labelBudgetError,
  nameTooLong,
  type RejectedSeries,
  rejectSeries,
  type SeriesLookup,
  startOfText,
  tooManyLabels,
  valueTooLong,
} from './label-rules.ts';
import {
  BYTES,
  closeMessage,
  createReader,
  decodeUtf8,
  malformed,
  openMessage,
  type ProtoReader,
  readInt64,
  readLength,
  readTag,
  readUint,
  skipField,
  VARINT,
} from './protobuf.ts';
import { createRejectionList, type RejectionList } from './rejections.ts';
import {
  METRIC_TYPES,
  metricFamily,
  nativeHistogramRefused,
  readSample,
  timestampOutOfRange,
  type WireSample,
} from './remote-write-sample.ts';
import type { SeriesCache } from './series-cache.ts';

const SYMBOLS = 4 * 8 + BYTES;
const TIME_SERIES = 5 * 8 + BYTES;
const PACKED_LABEL_REFS = 1 * 8 + BYTES;
const LABEL_REF = 1 * 8 + VARINT;
const SAMPLES = 2 * 8 + BYTES;
const HISTOGRAMS = 3 * 8 + BYTES;
const EXEMPLARS = 4 * 8 + BYTES;
const METADATA = 5 * 8 + BYTES;
const CREATED_TIMESTAMP = 6 * 8 + VARINT;

/** One symbol takes two bytes of a body, and eight here. */
const MAX_SYMBOLS = 4_194_304;

/** Where each symbol's text stands in the body. */
interface Symbols {
  readonly count: number;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

interface Decoding {
  readonly cache: SeriesCache;
  readonly reader: ProtoReader;
  readonly symbols: Symbols;
  readonly key: LabelKey;
  readonly batch: BatchBuilder;
  readonly rejections: RejectionList;
  readonly metadata: Map<string, MetricMetadata>;
  readonly sample: WireSample;
  /** References of the series under way: name, value, name, value. */
  refs: Uint32Array;
  exemplars: number;
  /** Of all series, written out. */
  labelBytes: number;
}

/**
 * Decodes an `io.prometheus.write.v2.Request`, uncompressed. Series that break a rule, or refer to symbols that are not there,
 * are left out and counted; `input` only where the body is no such message. A created timestamp, of the series (field 6, up to
 * release candidate 3) or of the sample (field 3, since), becomes `startTs`.
 */
export function decodeRemoteWriteV2(deps: { readonly series: SeriesCache }, body: Uint8Array): Decoded {
  const decoding: Decoding = {
    cache: deps.series,
    reader: createReader(body),
    symbols: findSymbols(body),
    key: createLabelKey(),
    batch: new BatchBuilder(),
    rejections: createRejectionList(),
    metadata: new Map(),
    sample: { ts: 0, value: 0, flags: 0, startTs: Number.NaN },
    refs: new Uint32Array(64),
    exemplars: 0,
    labelBytes: 0,
  };
  const { reader } = decoding;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === TIME_SERIES) readTimeSeries(decoding);
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

/** Symbols may stand anywhere in the body, so they are found first. */
function findSymbols(body: Uint8Array): Symbols {
  const reader = createReader(body);
  let starts = new Uint32Array(1024);
  let lengths = new Uint32Array(1024);
  let count = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag !== SYMBOLS) {
      skipField(reader, tag);
      continue;
    }
    if (count === MAX_SYMBOLS)
      throw new OpsError('limit', `a request has more than ${MAX_SYMBOLS} symbols`, { hint: 'Send smaller requests.' });
    if (count === starts.length) {
      starts = doubled(starts);
      lengths = doubled(lengths);
    }
    const end = readLength(reader);
    starts[count] = reader.pos;
    lengths[count++] = end - reader.pos;
    reader.pos = end;
  }
  return { count, starts, lengths };
}

/** Created timestamp and labels stand behind the samples as often as before: one pass for them, one for the points. */
function readTimeSeries(decoding: Decoding): void {
  const { reader } = decoding;
  const outer = openMessage(reader);
  const start = reader.pos;
  let refCount = 0;
  let createdMs = 0;
  let metadataAt = -1;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === PACKED_LABEL_REFS) refCount = readPackedRefs(decoding, refCount);
    else if (tag === LABEL_REF) refCount = addRef(decoding, refCount, readUint(reader));
    else if (tag === CREATED_TIMESTAMP) createdMs = readInt64(reader);
    else {
      if (tag === METADATA) metadataAt = reader.pos;
      skipField(reader, tag);
    }
  }
  const found = lookupRefs(decoding, refCount);
  reader.pos = start;
  readPoints(decoding, found, createdMs === 0 ? Number.NaN : createdMs);
  if (metadataAt >= 0 && found.series) {
    reader.pos = metadataAt;
    readMetadata(decoding, found.series.metric);
  }
  closeMessage(reader, outer);
}

function readPackedRefs(decoding: Decoding, count: number): number {
  const { reader } = decoding;
  const end = readLength(reader);
  let next = count;
  while (reader.pos < end) {
    const byte = reader.bytes[reader.pos] as number;
    if (byte < 0x80) {
      reader.pos++;
      next = addRef(decoding, next, byte);
    } else next = addRef(decoding, next, readUint(reader));
  }
  if (reader.pos !== end) throw malformed(reader, 'label references that run past their length');
  return next;
}

function addRef(decoding: Decoding, count: number, ref: number): number {
  if (count === decoding.refs.length) decoding.refs = doubled(decoding.refs);
  decoding.refs[count] = Math.min(ref, 0xffff_ffff);
  return count + 1;
}

/** Puts the Label messages together as version 1.0 has them, so that both versions share what is known about a series. */
function lookupRefs(decoding: Decoding, refCount: number): SeriesLookup {
  const { refs, key, reader, cache } = decoding;
  const { starts, lengths } = decoding.symbols;
  const wrong = wrongRefs(decoding, refCount);
  if (wrong) return wrong;
  key.clear();
  for (let i = 0; i < refCount; i += 2) {
    const name = refs[i] as number;
    const value = refs[i + 1] as number;
    key.add(reader, starts[name] as number, lengths[name] as number, starts[value] as number, lengths[value] as number);
  }
  decoding.labelBytes += key.size();
  if (decoding.labelBytes > labelBudget(cache.limits)) throw labelBudgetError(cache.limits);
  return cache.lookup(key.view(), 0, key.size());
}

/** Also refuses at once what would make the key grow past any sensible series: a symbol can be referred to for next to nothing. */
function wrongRefs({ symbols, refs, cache, reader }: Decoding, refCount: number): RejectedSeries | undefined {
  const { limits } = cache;
  if (refCount % 2 === 1) return rejectSeries('invalid-label-refs', `a series has ${refCount} label references, not a multiple of two`);
  if (refCount > limits.maxLabels * 4 + 2) return tooManyLabels(refCount / 2, limits);
  for (let i = 0; i < refCount; i++) {
    const ref = refs[i] as number;
    if (ref >= symbols.count) return rejectSeries('invalid-label-refs', `a series refers to symbol ${ref} of ${symbols.count}`);
    const length = symbols.lengths[ref] as number;
    if (i % 2 === 0 ? length > limits.maxNameBytes : length > limits.maxValueBytes) {
      const start = symbols.starts[refs[i - (i % 2)] as number] as number;
      const name = startOfText(reader.bytes.subarray(start, start + (symbols.lengths[refs[i - (i % 2)] as number] as number)));
      return { rejection: i % 2 === 0 ? nameTooLong(name, length, limits) : valueTooLong(name, length, limits) };
    }
  }
  return undefined;
}

function readPoints(decoding: Decoding, found: SeriesLookup, createdMs: number): void {
  const { reader, rejections } = decoding;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === SAMPLES) addSample(decoding, found, createdMs);
    else {
      skipField(reader, tag);
      if (tag === EXEMPLARS && found.series) decoding.exemplars++;
      else if (tag === HISTOGRAMS) {
        if (found.series === undefined) rejections.addSeries(found.rejection, 1);
        else rejections.add('native-histogram', 1, () => nativeHistogramRefused(found.series.metric));
      }
    }
  }
}

function addSample({ reader, sample, batch, rejections }: Decoding, found: SeriesLookup, createdMs: number): void {
  readSample(reader, sample);
  const { series } = found;
  if (series === undefined) rejections.addSeries(found.rejection, 1);
  else if (Number.isNaN(sample.ts)) rejections.add('timestamp-out-of-range', 1, () => timestampOutOfRange(series.metric));
  else batch.add(series, sample.ts, sample.value, sample.flags, Number.isNaN(sample.startTs) ? createdMs : sample.startTs);
}

/** Senders repeat a family's metadata with each of its series; the first of a request counts. */
function readMetadata({ reader, metadata, symbols, cache }: Decoding, metric: string): void {
  const outer = openMessage(reader);
  let type = 0;
  let help = 0;
  let unit = 0;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + VARINT) type = readUint(reader);
    else if (tag === 3 * 8 + VARINT) help = readUint(reader);
    else if (tag === 4 * 8 + VARINT) unit = readUint(reader);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  if (type === 0 && help === 0 && unit === 0) return;
  const typeName = METRIC_TYPES[type] ?? 'unknown';
  const family = metricFamily(metric, typeName);
  if (metadata.has(family)) return;
  metadata.set(family, {
    metric: family,
    type: typeName,
    help: symbolText(reader, symbols, help, cache.limits.maxValueBytes),
    unit: symbolText(reader, symbols, unit, cache.limits.maxNameBytes),
  });
}

/** A symbol as text for people; empty where it is not there, not UTF-8 or over-long. */
function symbolText(reader: ProtoReader, symbols: Symbols, ref: number, maxBytes: number): string {
  const length = ref < symbols.count ? (symbols.lengths[ref] as number) : 0;
  if (length === 0 || length > maxBytes) return '';
  const start = symbols.starts[ref] as number;
  return decodeUtf8(reader.bytes.subarray(start, start + length)) ?? '';
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
