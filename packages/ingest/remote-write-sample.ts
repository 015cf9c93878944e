import { STALE } from '#model/samples.ts';
import { closeMessage, FIXED64, malformed, openMessage, type ProtoReader, readInt64, readTag, skipField, VARINT } from './protobuf.ts';
import { quoteShort } from './rejections.ts';

/** One sample as it comes off the wire; reused from sample to sample. `ts` is NaN where it lies outside +-2^53. */
export interface WireSample {
  ts: number;
  value: number;
  flags: number;
  /** NaN where the sender gave none. */
  startTs: number;
}

const VALUE = 1 * 8 + FIXED64;
const TIMESTAMP = 2 * 8 + VARINT;
const START_TIMESTAMP = 3 * 8 + VARINT;

/**
 * Reads a Sample message (its tag has been read) of remote write 1.0 or 2.0 into `sample`. Absent fields are 0, as proto3 has it.
 * The stale marker, the NaN 0x7ff0000000000002, is told by its bytes and becomes a flag; any other NaN is plain.
 */
export function readSample(reader: ProtoReader, sample: WireSample): void {
  const { view, bytes } = reader;
  const outer = openMessage(reader);
  const end = reader.end;
  sample.ts = 0;
  sample.value = 0;
  sample.flags = 0;
  sample.startTs = Number.NaN;
  while (reader.pos < end) {
    const tag = bytes[reader.pos] as number;
    if (tag === VALUE && reader.pos + 9 <= end) {
      const at = reader.pos + 1;
      const value = view.getFloat64(at, true);
      reader.pos = at + 8;
      if (Number.isNaN(value)) {
        sample.value = Number.NaN;
        sample.flags = view.getUint32(at, true) === 2 && view.getUint32(at + 4, true) === 0x7ff00000 ? STALE : 0;
      } else {
        sample.value = value;
        sample.flags = 0;
      }
    } else if (tag === TIMESTAMP) {
      reader.pos++;
      sample.ts = readInt64(reader);
    } else if (tag === START_TIMESTAMP) {
      reader.pos++;
      const startTs = readInt64(reader);
      sample.startTs = startTs === 0 ? Number.NaN : startTs;
    } else {
      skipField(reader, readTag(reader));
    }
  }
  if (reader.pos !== end) throw malformed(reader, 'a sample that runs past its length');
  closeMessage(reader, outer);
}

/** The type names of a MetricMetadata message, by number; both versions number them alike. */
export const METRIC_TYPES: readonly string[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];

/** The family that a series of this type belongs to, under whose name its metadata is kept. */
export function metricFamily(metric: string, type: string): string {
  if (type === 'histogram' || type === 'gaugehistogram') return metric.replace(/_(bucket|count|sum)$/, '');
  return type === 'summary' ? metric.replace(/_(count|sum)$/, '') : metric;
}

/** Why a sample without a usable time is left out. */
export function timestampOutOfRange(metric: string): string {
  return `a sample of ${quoteShort(metric)} has a timestamp outside +-2^53 milliseconds`;
}

/** Why a native histogram is left out. */
export function nativeHistogramRefused(metric: string): string {
  return `native histograms are not supported: ${quoteShort(metric)} has one (classic histograms, with _bucket series, are)`;
}
