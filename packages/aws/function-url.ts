/** The request that a Lambda function URL hands over (payload format 2.0), as far as it is read here. */
export interface UrlEvent {
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly domainName: string; readonly http: { readonly method: string } };
  readonly body?: string | undefined;
  readonly isBase64Encoded?: boolean | undefined;
}

/** The answer as Lambda takes it from a function that does not stream. */
export interface UrlResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** The request that a function URL's event stands for. TypeError where it is none that HTTP knows. */
export function toRequest(event: UrlEvent): Request {
  const { rawPath, rawQueryString, requestContext, body } = event;
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers)) if (value !== undefined) headers.set(name, value);
  const url = new URL(`https://${requestContext.domainName}`);
  url.pathname = rawPath;
  url.search = rawQueryString;
  const { method } = requestContext.http;
  if (!body || method === 'GET' || method === 'HEAD') return new Request(url, { method, headers });
  const bytes = Buffer.from(body, event.isBase64Encoded ? 'base64' : 'utf8');
  headers.set('content-length', String(bytes.length));
  return new Request(url, { method, headers, body: bytes });
}

/** The answer in one piece: at most 6 MB, text as it is and the rest in base64. */
export async function toUrlResult(response: Response): Promise<UrlResult> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const isText = /^(text\/|application\/json)/.test(response.headers.get('content-type') ?? '');
  const headers = Object.fromEntries(response.headers);
  return { statusCode: response.status, headers, body: bytes.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

/** Where Lambda takes a streamed answer. */
export interface ResponseStream {
  /** False: wait for `drain` before the next piece. */
  write(piece: Uint8Array | string): boolean;
  once(event: 'drain' | 'close' | 'error', listener: () => void): unknown;
  end(): void;
}

/** What Lambda's Node runtime offers to functions that stream, as the global `awslambda`. */
export interface StreamingRuntime {
  streamifyResponse(handler: (event: UrlEvent, stream: ResponseStream) => Promise<void>): unknown;
  HttpResponseStream: {
    from(stream: ResponseStream, head: { statusCode: number; headers: Readonly<Record<string, string>> }): ResponseStream;
  };
}

/** Sends an answer of any length as it is made, waiting where the client is slower. */
export async function streamResponse(runtime: StreamingRuntime, target: ResponseStream, response: Response): Promise<void> {
  const stream = runtime.HttpResponseStream.from(target, { statusCode: response.status, headers: Object.fromEntries(response.headers) });
  stream.write(''); // the head goes out with the first write, were it of nothing
  for await (const piece of response.body ?? []) {
    if (!stream.write(piece)) await drained(stream);
  }
  stream.end();
}

function drained(stream: ResponseStream): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['drain', 'close', 'error'] as const) stream.once(event, resolve);
  });
}
