import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { OpsError } from '#core/errors.ts';
import type { OutgoingResponse, OutgoingTls } from '#ports/outgoing.ts';
import { answerWith, isChecked } from './checked-socket.ts';
import type { Address } from './guard.ts';

/** One request to one host, at addresses that have been checked. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly tls: OutgoingTls | undefined;
  readonly addresses: readonly Address[];
  /** For TCP and TLS. */
  readonly connectTimeoutMs: number;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
}

/** Sends and reads, over a connection of its own to one of the addresses given. Errors as the port Outgoing tells. */
export async function exchange(hop: Hop): Promise<OutgoingResponse> {
  const untilMs = performance.now() + hop.timeoutMs;
  const response = await awaitResponse(hop);
  const read = await readBody(response, hop.maxResponseBytes, Math.max(1, untilMs - performance.now()));
  return { status: response.statusCode ?? 0, headers: flatten(response), ...read };
}

/** Resolves with the head of the answer. */
function awaitResponse(hop: Hop): Promise<IncomingMessage> {
  const body = Buffer.from(hop.body);
  const request = startRequest(hop, body.length);
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      reject(new OpsError('unavailable', `${hop.method} ${hop.url.origin}: ${why}`));
      request.destroy();
    };
    const connecting = setTimeout(() => fail('no connection in time'), hop.connectTimeoutMs);
    const waiting = setTimeout(() => fail('no answer in time'), hop.timeoutMs);
    request.on('socket', (socket) => {
      socket.once(hop.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        clearTimeout(connecting);
        if (isChecked(socket, hop.addresses)) request.end(body);
        else fail('connected to an address that was not checked');
      });
    });
    request.on('response', (response) => {
      clearTimeout(waiting);
      resolve(response);
    });
    // Once the head is there, how the body ended is for readBody to tell.
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'failed'));
    request.on('close', () => {
      clearTimeout(connecting);
      clearTimeout(waiting);
      reject(new OpsError('unavailable', `${hop.method} ${hop.url.origin}: closed without an answer`));
    });
  });
}

function startRequest(hop: Hop, bodyBytes: number) {
  const { url, tls } = hop;
  const options = {
    method: hop.method,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...hop.headers, ...(bodyBytes > 0 ? { 'content-length': String(bodyBytes) } : {}) },
    // A connection for each request: none is shared between tenants, or between settings of TLS.
    agent: false as const,
    lookup: answerWith(hop.addresses),
  };
  if (url.protocol === 'http:') return requestHttp(options);
  try {
    return requestHttps({ ...options, ...toTlsOptions(tls) });
  } catch (error) {
    // OpenSSL's words for a key or certificate that it cannot read; they do not quote it.
    throw new OpsError(
      'input',
      `the TLS settings for ${url.origin} cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`,
    );
  }
}

/** Node's options for TLS. */
export function toTlsOptions(tls: OutgoingTls | undefined): ConnectionOptions {
  const options = {
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    servername: tls?.serverName,
    rejectUnauthorized: tls?.insecureSkipVerify === true ? false : undefined,
    minVersion: tls?.minVersion,
    maxVersion: tls?.maxVersion,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Reads up to the limit or the time; what is then missing is `truncated`, and the connection is of no more use. */
function readBody(response: IncomingMessage, maxBytes: number, timeoutMs: number): Promise<{ body: string; truncated: boolean }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (truncated: boolean) => {
      clearTimeout(timer);
      resolve({ body: Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'), truncated });
      response.destroy();
    };
    const timer = setTimeout(() => finish(true), timeoutMs);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) finish(true);
    });
    response.on('end', () => finish(!response.complete));
    response.on('error', () => finish(true));
    response.on('aborted', () => finish(true));
  });
}

function flatten(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
