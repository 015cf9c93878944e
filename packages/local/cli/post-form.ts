import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OpsError } from '#core/errors.ts';
import { unreachable } from './api-client.ts';

export interface PostFormInput {
  readonly url: string;
  /** Before the file, in this order. */
  readonly fields: Readonly<Record<string, string>>;
  readonly path: string;
  readonly sizeBytes: number;
  /** Told of the file's bytes as they are handed to the network. */
  readonly onSent: (bytes: number) => void;
}

const IDLE_MS = 120_000;

/**
 * Posts a form whose last field is a file, streamed from disk, with its length said beforehand, which S3 asks for and `fetch` cannot
 * do. The answer, whatever its status; `unavailable` if there is none.
 */
export async function postForm({ url, fields, path, sizeBytes, onSent }: PostFormInput): Promise<Response> {
  const boundary = `quarterdeck-${randomUUID()}`;
  const head = Buffer.from(`${fieldParts(fields, boundary)}--${boundary}\r\n${disposition('file"; filename="file')}\r\n\r\n`);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const headers = {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    'content-length': head.length + sizeBytes + tail.length,
  };
  const outgoing = (url.startsWith('https:') ? requestHttps : requestHttp)(url, { method: 'POST', headers });
  outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error(`nothing moved for ${IDLE_MS / 1_000} s`)));
  const answered = once(outgoing, 'response').then(([response]) => toResponse(response as IncomingMessage));
  const sent = pipeline(Readable.from(formBytes(head, path, sizeBytes, tail, onSent)), outgoing);
  const failure = sent.catch((error: unknown) => error);
  try {
    return await answered; // a store that refuses answers before it has read everything
  } catch (error) {
    const cause = (await failure) ?? error;
    throw cause instanceof OpsError ? cause : unreachable(new URL(url).origin, error as Error);
  } finally {
    outgoing.destroy();
    await failure;
  }
}

async function* formBytes(head: Buffer, path: string, sizeBytes: number, tail: Buffer, onSent: (bytes: number) => void) {
  yield head;
  let sentBytes = 0;
  // No further than was announced, should the file grow meanwhile.
  for await (const chunk of sizeBytes > 0 ? createReadStream(path, { end: sizeBytes - 1, highWaterMark: 256 * 1024 }) : []) {
    yield chunk as Buffer;
    sentBytes += (chunk as Buffer).length;
    onSent(sentBytes);
  }
  if (sentBytes < sizeBytes) throw new OpsError('input', `${path} became shorter while it was sent`);
  yield tail;
}

function fieldParts(fields: Readonly<Record<string, string>>, boundary: string): string {
  return Object.entries(fields)
    .map(([name, value]) => `--${boundary}\r\n${disposition(name)}\r\n\r\n${value}\r\n`)
    .join('');
}

function disposition(name: string): string {
  return `Content-Disposition: form-data; name="${name}"`;
}

async function toResponse(message: IncomingMessage): Promise<Response> {
  const status = message.statusCode ?? 500;
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return new Response(status === 204 ? null : Buffer.concat(chunks), { status });
}
