import type { OpsError } from '#core/errors.ts';
import type { Decoded, Rejection } from './decoded.ts';
import { otlpJsonToProtobuf } from './otlp-json.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import type { OtlpTranslator } from './otlp-translator.ts';
import { createProtoWriter, type ProtoWriter } from './proto-writer.ts';

/** The two encodings of OTLP/HTTP; an answer has its request's. */
export type OtlpEncoding = 'protobuf' | 'json';

/** The encoding that a content type names, or undefined where OTLP is not sent as that. */
export function otlpEncoding(contentType: string | undefined): OtlpEncoding | undefined {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  return type === 'application/json' ? 'json' : undefined;
}

/** The content type of an answer. */
export function otlpContentType(encoding: OtlpEncoding): string {
  return encoding === 'json' ? 'application/json' : 'application/x-protobuf';
}

/** Decodes an ExportMetricsServiceRequest, uncompressed; see decodeOtlpProtobuf and otlpJsonToProtobuf for what is refused. */
export function decodeOtlp(deps: { readonly translator: OtlpTranslator }, body: Uint8Array, encoding: OtlpEncoding): Decoded {
  if (encoding === 'protobuf') return decodeOtlpProtobuf(deps, body);
  return decodeOtlpProtobuf(deps, otlpJsonToProtobuf(body, deps.translator.cache.limits.maxBodyBytes));
}

/** An ExportMetricsServiceResponse: empty, or a partial success with how many data points were left out, and why. */
export function encodeOtlpResponse(encoding: OtlpEncoding, rejections: readonly Rejection[]): Uint8Array {
  const rejected = rejections.reduce((sum, { count }) => sum + count, 0);
  const message = rejections.map(({ reason, count, message }) => `${reason} (${count}): ${message}`).join('; ');
  if (encoding === 'json') {
    return json(rejections.length === 0 ? {} : { partialSuccess: { rejectedDataPoints: String(rejected), errorMessage: message } });
  }
  if (rejections.length === 0) return new Uint8Array(0);
  const partial = protobuf((writer) => {
    if (rejected > 0) writer.varint(1, rejected);
    writer.text(2, message);
  });
  return protobuf((writer) => writer.bytes(1, partial));
}

/** The google.rpc.Status of an error. */
export function encodeOtlpError(encoding: OtlpEncoding, error: Pick<OpsError, 'kind' | 'message' | 'hint'>): Uint8Array {
  const code = CODES[error.kind];
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  if (encoding === 'json') return json({ code, message });
  return protobuf((writer) => {
    writer.varint(1, code);
    writer.text(2, message);
  });
}

/** gRPC's codes: INVALID_ARGUMENT, NOT_FOUND, ABORTED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const CODES: Readonly<Record<OpsError['kind'], number>> = { input: 3, missing: 5, conflict: 10, denied: 7, limit: 8, unavailable: 14 };

const MAX_ANSWER = 1_048_576;

function protobuf(write: (writer: ProtoWriter) => void): Uint8Array {
  const writer = createProtoWriter(MAX_ANSWER);
  write(writer);
  return writer.finish();
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
