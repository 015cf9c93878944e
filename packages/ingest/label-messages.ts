import type { Label } from '#model/series.ts';
import { nameTooLong, type RejectedSeries, rejectSeries, startOfText, tooManyLabels, valueTooLong } from './label-rules.ts';
import type { IngestLimits } from './limits.ts';
import {
  BYTES,
  closeMessage,
  createReader,
  decodeUtf8,
  malformed,
  openMessage,
  type ProtoReader,
  readBytes,
  readTag,
  skipField,
} from './protobuf.ts';
import { quoteShort } from './rejections.ts';

const LABELS = 1 * 8 + BYTES;
const NAME = 1 * 8 + BYTES;
const VALUE = 2 * 8 + BYTES;
const EMPTY = new Uint8Array(0);

/**
 * The labels of a TimeSeries' encoded Label messages (field 1 again and again, `[start, end)` of `source`). Text over a limit
 * or not UTF-8 rejects them before a string is made. `input` where the bytes are no such messages.
 */
export function parseLabels(
  source: DataView,
  start: number,
  end: number,
  limits: IngestLimits,
): { labels: Label[]; rejection?: undefined } | RejectedSeries {
  const reader = createReader(new Uint8Array(source.buffer, source.byteOffset + start, end - start));
  const labels: Label[] = [];
  let present = 0;
  while (reader.pos < reader.end) {
    if (readTag(reader) !== LABELS) throw malformed(reader, 'something else than a label');
    const outer = openMessage(reader);
    const parsed = parseLabel(reader, limits);
    closeMessage(reader, outer);
    if (parsed.rejection) return parsed;
    labels.push(parsed.label);
    if (parsed.label.value !== '' && parsed.label.name !== '__name__') present++;
    if (present > limits.maxLabels) return tooManyLabels(`more than ${limits.maxLabels}`, limits);
  }
  return { labels };
}

function parseLabel(reader: ProtoReader, limits: IngestLimits): { label: Label; rejection?: undefined } | RejectedSeries {
  let nameBytes: Uint8Array = EMPTY;
  let valueBytes: Uint8Array = EMPTY;
  while (reader.pos < reader.end) {
    const tag = readTag(reader);
    if (tag === NAME) nameBytes = readBytes(reader);
    else if (tag === VALUE) valueBytes = readBytes(reader);
    else skipField(reader, tag);
  }
  if (nameBytes.length > limits.maxNameBytes) return { rejection: nameTooLong(startOfText(nameBytes), nameBytes.length, limits) };
  const name = decodeUtf8(nameBytes);
  if (name === undefined) return rejectSeries('invalid-utf8', `a label name is not valid UTF-8: ${quoteShort(startOfText(nameBytes))}`);
  if (name === '__name__' && valueBytes.length > limits.maxNameBytes) {
    return { rejection: nameTooLong(startOfText(valueBytes), valueBytes.length, limits) };
  }
  if (valueBytes.length > limits.maxValueBytes) return { rejection: valueTooLong(name, valueBytes.length, limits) };
  const value = decodeUtf8(valueBytes);
  if (value === undefined) return rejectSeries('invalid-utf8', `the value of label ${quoteShort(name)} is not valid UTF-8`);
  return { label: { name, value } };
}
