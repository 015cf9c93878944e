import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { DELTA } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import { BatchBuilder } from './batch-builder.ts';
import { decodeCloudWatchJson } from './cloudwatch-stream.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { createRejectionList, type RejectionList } from './rejections.ts';

/** The body of an HTTP delivery. */
const FirehoseRequest = z.object({
  requestId: z.string().min(1).max(200),
  records: z.array(z.object({ data: z.string() })),
});

export interface FirehoseContext extends DecodeContext {
  /** Decodes one ExportMetricsServiceRequest; an OpsError where the bytes are none. */
  readonly decodeOtlp: (message: Uint8Array) => Decoded;
}

export interface FirehoseDecoded {
  /** To be given back in the answer. */
  readonly requestId: string;
  readonly decoded: Decoded;
}

/** The only form of answer that Firehose takes for success or failure. */
export interface FirehoseAnswer {
  readonly requestId: string;
  /** When the answer was made, in milliseconds. */
  readonly timestamp: number;
  readonly errorMessage?: string;
}

/**
 * Decodes a delivery of Amazon Data Firehose whose records come from a CloudWatch metric stream, in its JSON or OpenTelemetry 1.0
 * output format (told apart by each record's first bytes). A record, or a piece of one, that cannot be read is rejected as
 * `malformed-record` and the others are kept, since Firehose would deliver all of them again. `input` where the body is no delivery.
 */
export function decodeFirehose(body: Uint8Array, context: FirehoseContext): FirehoseDecoded {
  const { requestId, records } = readRequest(body);
  const merge = startMerge();
  for (const [index, { data }] of records.entries()) {
    const place = `record ${index + 1}`;
    const bytes = decodeBase64(data);
    if (bytes === undefined) merge.reject(`${place}: data is not base64`);
    else if (isJson(bytes)) merge.add(decodeCloudWatchJson(bytes, context), place);
    else decodeMessages(bytes, context, merge, place);
  }
  return { requestId, decoded: merge.finish() };
}

/** The answer to a delivery; with a message it goes with a status other than 200. Firehose takes no longer message than 8 KiB. */
export function firehoseAnswer(requestId: string, nowMs: number, errorMessage?: string): FirehoseAnswer {
  return errorMessage === undefined
    ? { requestId, timestamp: nowMs }
    : { requestId, timestamp: nowMs, errorMessage: errorMessage.slice(0, 2000) };
}

function readRequest(body: Uint8Array): z.infer<typeof FirehoseRequest> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', `the body of a Firehose delivery must be JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
  const parsed = FirehoseRequest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OpsError('input', `not a Firehose delivery: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** A message of 123 bytes begins like JSON, but then comes 0x0a, the tag of its first field, where JSON has a quote. */
function isJson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && bytes[1] !== 0x0a;
}

/** A record of the OpenTelemetry format: any number of messages, each behind its length as a varint. */
function decodeMessages(bytes: Uint8Array, context: FirehoseContext, merge: Merge, place: string): void {
  for (let at = 0; at < bytes.length; ) {
    const start = readLength(bytes, at);
    if (start === undefined || start.at + start.length > bytes.length) {
      merge.reject(`${place}: byte ${at} is neither JSON nor the length of an OpenTelemetry message within the record`);
      return;
    }
    at = start.at + start.length;
    try {
      merge.add(context.decodeOtlp(bytes.subarray(start.at, at)), place);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      merge.reject(`${place}: ${error.message}`);
    }
  }
}

function readLength(bytes: Uint8Array, from: number): { at: number; length: number } | undefined {
  let length = 0;
  for (let i = 0; i < 5 && from + i < bytes.length; i++) {
    const byte = bytes[from + i] as number;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { at: from + i + 1, length };
  }
  return undefined;
}

/** Undefined where a character is not of base64: Buffer leaves those out, and the bytes come out too few. */
function decodeBase64(data: string): Uint8Array | undefined {
  const bytes = Buffer.from(data, 'base64');
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  return bytes.length === Math.floor(((data.length - padding) * 3) / 4) ? bytes : undefined;
}

interface Merge {
  add(decoded: Decoded, place: string): void;
  reject(message: string): void;
  finish(): Decoded;
}

function startMerge(): Merge {
  const builder = new BatchBuilder();
  const rejections: RejectionList = createRejectionList();
  const metadata = new Map<string, MetricMetadata>();
  let exemplars = 0;
  let stampedAtReceipt = false;
  return {
    add(decoded, place) {
      addBatch(builder, decoded);
      for (const { reason, message, count } of decoded.rejections) rejections.add(reason, count, () => `${place}: ${message}`);
      for (const entry of decoded.metadata) metadata.set(entry.metric, entry);
      exemplars += decoded.exemplars;
      stampedAtReceipt ||= decoded.stampedAtReceipt;
    },
    reject: (message) => rejections.add('malformed-record', 1, () => message),
    finish: () => ({
      batch: builder.finish(),
      metadata: [...metadata.values()],
      rejections: rejections.finish(),
      exemplars,
      stampedAtReceipt,
    }),
  };
}

function addBatch(builder: BatchBuilder, { batch }: Decoded): void {
  const isDelta = batch.series.map(isPeriodTotal);
  for (let i = 0; i < batch.ts.length; i++) {
    const index = batch.seriesIndex[i] as number;
    const flags = (batch.flags[i] as number) | (isDelta[index] ? DELTA : 0);
    builder.add(batch.series[index] as Series, batch.ts[i] as number, batch.value[i] as number, flags, batch.startTs?.[i]);
  }
}

/** OpenTelemetry counts a summary's sum and count from its start on; CloudWatch's summaries start anew with each period. */
function isPeriodTotal({ metric, labels }: Series): boolean {
  return /^amazonaws[._]com/.test(metric) && /_(sum|count)$/.test(metric) && !labels.some(({ name }) => name === 'quantile');
}
