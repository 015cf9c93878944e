import { isOpsError, type OpsError } from '#core/errors.ts';
import { decodeBody } from './body.ts';
import type { Decoded, Rejection } from './decoded.ts';
import { decodeRemoteWriteV1 } from './remote-write-v1.ts';
import { decodeRemoteWriteV2 } from './remote-write-v2.ts';
import type { SeriesCache } from './series-cache.ts';

export type RemoteWriteVersion = 1 | 2;

/** What goes back to the sender, whose form of errors is plain text. */
export interface RemoteWriteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RemoteWriteRequest {
  /** As `Headers.get`: names in any case, nothing where the header is absent. */
  readonly headers: { get(name: string): string | null | undefined };
  readonly body: Uint8Array;
}

/** A request that can be taken, at least in part, or the answer that refuses it. */
export type RemoteWriteReading =
  | { readonly version: RemoteWriteVersion; readonly decoded: Decoded; readonly refused?: undefined }
  | { readonly refused: RemoteWriteAnswer };

const MESSAGES: ReadonlyMap<string, RemoteWriteVersion> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
]);

/**
 * Reads a remote-write request of either version: which one, the content type says. Refuses with 415 other types and encodings
 * than snappy (a missing header is taken for 1.0 and snappy, as early senders have it), with 400 a broken body, with 413 a large one.
 */
export function readRemoteWrite(deps: { readonly series: SeriesCache }, { headers, body }: RemoteWriteRequest): RemoteWriteReading {
  const version = messageVersion(headers.get('content-type') ?? '');
  if (version === undefined) return { refused: unsupported(`content type ${shown(headers.get('content-type'))}`, acceptedTypes) };
  const encoding = (headers.get('content-encoding') ?? '').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'snappy') {
    return { refused: unsupported(`content encoding ${shown(encoding)}`, 'remote write is sent with snappy (block format)') };
  }
  try {
    const message = decodeBody(body, 'snappy', deps.series.limits);
    const decoded = version === 1 ? decodeRemoteWriteV1(deps, message) : decodeRemoteWriteV2(deps, message);
    return { version, decoded };
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return { refused: answerRemoteWriteError(version, error) };
  }
}

/**
 * The answer once the batch is durable, or found empty: 204, or 400 where something was left out (a sender must not repeat
 * it: what was good is stored). Version 2.0 is told what was written; exemplars count as written though they are not kept.
 */
export function answerRemoteWrite(version: RemoteWriteVersion, decoded: Decoded): RemoteWriteAnswer {
  const headers = version === 2 ? writtenHeaders({ samples: decoded.batch.ts.length, histograms: 0, exemplars: decoded.exemplars }) : {};
  const left = decoded.rejections.filter((rejection) => rejection.count > 0);
  if (left.length === 0) return { status: 204, headers, body: '' };
  return { status: 400, headers: { ...headers, ...plainText }, body: `${describeRejections(left)}\n` };
}

/** The answer to a request of which nothing was stored. 429 and 503 may be repeated, the others not. */
export function answerRemoteWriteError(version: RemoteWriteVersion, error: OpsError): RemoteWriteAnswer {
  const written = version === 2 ? writtenHeaders({ samples: 0, histograms: 0, exemplars: 0 }) : {};
  const retry = error.retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) };
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return { status: statusOf(error), headers: { ...written, ...retry, ...plainText }, body: `${error.message}${hint}\n` };
}

/** The response headers of version 2.0 that say how much was written. */
function writtenHeaders(counts: { samples: number; histograms: number; exemplars: number }): Record<string, string> {
  return {
    'X-Prometheus-Remote-Write-Samples-Written': String(counts.samples),
    'X-Prometheus-Remote-Write-Histograms-Written': String(counts.histograms),
    'X-Prometheus-Remote-Write-Exemplars-Written': String(counts.exemplars),
  };
}

/** What was left out, in one line. */
export function describeRejections(rejections: readonly Rejection[]): string {
  const total = rejections.reduce((sum, rejection) => sum + rejection.count, 0);
  const parts = rejections.map(({ reason, message, count }) => `${reason} (${count}): ${message}`);
  return `${total} ${total === 1 ? 'sample was' : 'samples were'} left out, the rest is stored; ${parts.join('; ')}`;
}

const plainText = { 'Content-Type': 'text/plain; charset=utf-8' };
const acceptedTypes = `remote write is sent as application/x-protobuf, with proto=${[...MESSAGES.keys()].join(' or proto=')}`;

/** `application/x-protobuf` alone means 1.0; the `proto` parameter names the message. */
function messageVersion(contentType: string): RemoteWriteVersion | undefined {
  if (contentType.trim() === '') return 1;
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim());
  if (type?.toLowerCase() !== 'application/x-protobuf') return undefined;
  let version: RemoteWriteVersion | undefined = 1;
  for (const parameter of parameters) {
    const [name, value] = parameter.split('=', 2).map((part) => part.trim());
    if (name?.toLowerCase() === 'proto') version = MESSAGES.get((value ?? '').replace(/^"(.*)"$/, '$1'));
  }
  return version;
}

function unsupported(what: string, accepted: string): RemoteWriteAnswer {
  return { status: 415, headers: plainText, body: `${what} is not supported: ${accepted}\n` };
}

function shown(text: string | null | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 120));
}

function statusOf(error: OpsError): number {
  switch (error.kind) {
    case 'limit':
      return error.retryAfterMs === undefined ? 413 : 429;
    case 'unavailable':
      return 503;
    case 'denied':
      return 403;
    case 'missing':
      return 404;
    case 'conflict':
      return 409;
    case 'input':
      return 400;
  }
}
