import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResponseStream, UrlEvent, UrlResult } from '#aws/function-url.ts';
import { bundleFunction } from '#test/stacks/bundle-function.ts';
import { root } from '#test/stacks/sst-platform.ts';

/** Handlers as they are deployed, in this process. */
export interface BundledLambda {
  /** Calls a function as Lambda's Invoke does. */
  invoke(name: string, event: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Sends a request to a function's URL. */
  request(name: string, path: string, request?: UrlRequest): Promise<UrlAnswer>;
  close(): Promise<void>;
}

export interface UrlRequest {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
}

export interface UrlAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const context = { getRemainingTimeInMillis: () => 300_000 };

/**
 * Bundles functions as the deployment does and loads them from their bundles, on first use; the environment is read then. `onRunning`
 * is told which one runs, its start included, and undefined when it has ended.
 */
export async function openBundledLambda(onRunning: (name: string | undefined) => void): Promise<BundledLambda> {
  (globalThis as { awslambda?: unknown }).awslambda = streamingRuntime;
  await mkdir(join(root, 'node_modules', '.cache'), { recursive: true }); // where native packages are found from
  const folder = await mkdtemp(join(root, 'node_modules', '.cache', 'quarterdeck-lambda-'));
  const loaded = new Map<string, Promise<Handler>>();

  const load = async (name: string): Promise<Handler> => {
    const { code } = await bundleFunction(join(root, 'functions', `${name.replace('-', '/')}.ts`));
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, code);
    return ((await import(pathToFileURL(file).href)) as { handler: Handler }).handler;
  };
  const handlerOf = (name: string) => {
    const handler = loaded.get(name) ?? load(name);
    loaded.set(name, handler);
    return handler;
  };

  const call = async (name: string, event: unknown) => {
    onRunning(name);
    try {
      return await (await handlerOf(name))(event, context);
    } finally {
      onRunning(undefined);
    }
  };

  return {
    invoke: (name, event) => call(name, JSON.parse(JSON.stringify(event))),
    async request(name, path, request = {}) {
      return toAnswer((await call(name, toEvent(path, request))) as UrlResult);
    },
    close: () => rm(folder, { recursive: true }),
  };
}

function toEvent(path: string, { method = 'GET', headers = {}, body }: UrlRequest): UrlEvent {
  const [rawPath, rawQueryString = ''] = path.split('?', 2);
  const requestContext = { domainName: 'test.lambda-url.eu-west-1.on.aws', http: { method } };
  const sent = body && { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  return { rawPath, rawQueryString, headers, requestContext, ...sent };
}

function toAnswer({ statusCode, headers, body, isBase64Encoded }: UrlResult): UrlAnswer {
  return { status: statusCode, headers, body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString() };
}

interface Streamed {
  statusCode: number;
  headers: Record<string, string>;
}

/** Lambda's side of a streamed answer: what is written is put together again. */
const streamingRuntime = {
  streamifyResponse:
    (handler: (event: unknown, stream: ResponseStream) => Promise<void>) =>
    async (event: unknown): Promise<UrlResult> => {
      const pieces: Buffer[] = [];
      const head: Streamed = { statusCode: 0, headers: {} };
      const stream = {
        head,
        write: (piece: Uint8Array | string) => pieces.push(Buffer.from(piece as string)) > 0,
        once: () => undefined,
        end: () => undefined,
      };
      await handler(event, stream);
      return { ...head, body: Buffer.concat(pieces).toString('base64'), isBase64Encoded: true };
    },
  HttpResponseStream: {
    from: (stream: ResponseStream & { head: Streamed }, head: Streamed) => {
      Object.assign(stream.head, head);
      return stream;
    },
  },
};
