import type { MetricMetadata } from '#ports/sample-source.ts';
import { BatchBuilder } from './batch-builder.ts';
import type { Decoded } from './decoded.ts';
import type { SeriesLookup } from './label-rules.ts';
import {
  BYTES,
  closeMessage,
  createReader,
  decodeUtf8,
  openMessage,
  type ProtoReader,
  readBytes,
  readLength,
  readTag,
  readUint,
  skipField,
  VARINT,
} from './protobuf.ts';
import { createRejectionList, quoteShort, type RejectionList } from './rejections.ts';
import { METRIC_TYPES, nativeHistogramRefused, readSample, timestampOutOfRange, type WireSample } from './remote-write-sample.ts';
import type { SeriesCache } from './series-cache.ts';

const TIME_SERIES = 1 * 8 + BYTES;
const METADATA = 3 * 8 + BYTES;
const LABELS = 1 * 8 + BYTES;
const SAMPLES = 2 * 8 + BYTES;
const EXEMPLARS = 3 * 8 + BYTES;
const HISTOGRAMS = 4 * 8 + BYTES;

interface Decoding {
  readonly cache: SeriesCache;
  readonly reader: ProtoReader;
  readonly batch: BatchBuilder;
  readonly rejections: RejectionList;
  readonly metadata: MetricMetadata[];
  readonly sample: WireSample;
  exemplars: number;
}

/**
 * Decodes a `prometheus.WriteRequest`, uncompressed. Series that break a rule are left out and counted; `input` only where the
 * body is no such message. A known series costs a hash and a comparison of its encoded labels, no string.
 */
export function decodeRemoteWriteV1(deps: { readonly series: SeriesCache }, body: Uint8Array): Decoded {
  const decoding: Decoding = {
    cache: deps.series,
    reader: createReader(body),
    batch: new BatchBuilder(),
    rejections: createRejectionList(),
    metadata: [],
    sample: { ts: 0, value: 0, flags: 0, startTs: Number.NaN },
    exemplars: 0,
  };
  const { reader, batch, rejections, metadata } = decoding;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === TIME_SERIES) readTimeSeries(decoding);
    else if (tag === METADATA) readMetadata(decoding);
    else skipField(reader, tag);
  }
  return { batch: batch.finish(), metadata, rejections: rejections.finish(), exemplars: decoding.exemplars, stampedAtReceipt: false };
}

function readTimeSeries(decoding: Decoding): void {
  const { reader } = decoding;
  const outer = openMessage(reader);
  const found = lookupSeries(decoding);
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === SAMPLES) addSample(decoding, found);
    else if (tag === EXEMPLARS) addExemplar(decoding, found);
    else if (tag === HISTOGRAMS) refuseHistogram(decoding, found);
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
}

/** Labels come first and in one run from every known sender: the run is the key as it stands. Otherwise it is put together. */
function lookupSeries(decoding: Decoding): SeriesLookup {
  const { reader } = decoding;
  const start = reader.pos;
  skipLabels(reader);
  const end = reader.pos;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === LABELS) {
      reader.pos = start;
      return lookupScattered(decoding);
    }
    skipField(reader, tag);
  }
  reader.pos = end;
  return decoding.cache.lookup(reader.view, start, end);
}

function skipLabels(reader: ProtoReader): void {
  while (reader.pos < reader.end && reader.bytes[reader.pos] === LABELS) {
    reader.pos++;
    reader.pos = readLength(reader);
  }
}

function lookupScattered({ cache, reader }: Decoding): SeriesLookup {
  const start = reader.pos;
  const pieces: Uint8Array[] = [];
  while (reader.pos < reader.end) {
    const at = reader.pos;
    const tag = readTag(reader);
    skipField(reader, tag);
    // Said again with the shortest tag, so that however it was written it is one key.
    if (tag === LABELS) pieces.push(Uint8Array.of(LABELS), reader.bytes.subarray(at + tagSize(reader, at), reader.pos));
  }
  reader.pos = start;
  const key = Buffer.concat(pieces);
  return cache.lookup(new DataView(key.buffer, key.byteOffset, key.length), 0, key.length);
}

function tagSize(reader: ProtoReader, at: number): number {
  let size = 1;
  while ((reader.bytes[at + size - 1] as number) >= 0x80) size++;
  return size;
}

function addSample({ reader, sample, batch, rejections }: Decoding, found: SeriesLookup): void {
  readSample(reader, sample);
  const { series } = found;
  if (series === undefined) rejections.addSeries(found.rejection, 1);
  else if (Number.isNaN(sample.ts)) rejections.add('timestamp-out-of-range', 1, () => timestampOutOfRange(series.metric));
  else batch.add(series, sample.ts, sample.value, sample.flags);
}

function addExemplar(decoding: Decoding, found: SeriesLookup): void {
  decoding.reader.pos = readLength(decoding.reader);
  if (found.series) decoding.exemplars++;
}

function refuseHistogram({ reader, rejections }: Decoding, found: SeriesLookup): void {
  reader.pos = readLength(reader);
  if (found.series === undefined) rejections.addSeries(found.rejection, 1);
  else rejections.add('native-histogram', 1, () => nativeHistogramRefused(found.series.metric));
}

function readMetadata({ reader, metadata, rejections, cache }: Decoding): void {
  const outer = openMessage(reader);
  let type = 0;
  let name: string | undefined = '';
  let help: string | undefined = '';
  let unit: string | undefined = '';
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === 1 * 8 + VARINT) type = readUint(reader);
    else if (tag === 2 * 8 + BYTES) name = decodeUtf8(readBytes(reader));
    else if (tag === 4 * 8 + BYTES) help = decodeUtf8(readBytes(reader));
    else if (tag === 5 * 8 + BYTES) unit = decodeUtf8(readBytes(reader));
    else skipField(reader, tag);
  }
  closeMessage(reader, outer);
  if (name === undefined || help === undefined || unit === undefined) {
    rejections.add('invalid-metadata', 0, () => `the metadata of ${quoteShort(name ?? '?')} is not valid UTF-8`);
  } else if (name !== '' && Math.max(name.length, unit.length) <= cache.limits.maxNameBytes) {
    metadata.push({ metric: name, type: METRIC_TYPES[type] ?? 'unknown', help: help.slice(0, cache.limits.maxValueBytes), unit });
  }
}
