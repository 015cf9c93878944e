import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { statusOf } from '#api/http-errors.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { decodeBody } from '#ingest/body.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { decodeOtlp, encodeOtlpError, encodeOtlpResponse, type OtlpEncoding, otlpContentType, otlpEncoding } from '#ingest/otlp.ts';
import { type IngestApi, openRequest } from './context.ts';

/** OpenTelemetry metrics over HTTP, in protobuf or JSON; the answer is in the encoding of the request. */
export function otlpRoutes(api: IngestApi): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/v1/metrics', async (c) => {
    const contentType = c.req.header('content-type');
    const encoding = otlpEncoding(contentType);
    if (encoding === undefined) return answer('json', 415, encodeOtlpError('json', unsupported(contentType)));
    try {
      return answer(encoding, 200, encodeOtlpResponse(encoding, await take(api, c, encoding)));
    } catch (error) {
      if (!isOpsError(error)) throw error;
      return answerError(encoding, error);
    }
  });
  return app;
}

async function take(api: IngestApi, c: ApiContext, encoding: OtlpEncoding) {
  const { tenant, body, context } = await openRequest(api, c);
  const message = decodeBody(body, c.req.header('content-encoding'), context.limits);
  const decoded = decodeOtlp({ translator: api.otlpTranslator(api.ingest.tenant(tenant)) }, message, encoding);
  return (await ingestSamples(api.ingest, { tenant, protocol: 'otlp', decoded })).rejections;
}

/** Clients send a request again on 429 and 503 alone, after the time that is named. */
function answerError(encoding: OtlpEncoding, error: OpsError): Response {
  const isRate = error.kind === 'limit' && error.retryAfterMs !== undefined;
  const waitMs = error.retryAfterMs ?? (error.kind === 'unavailable' ? 1_000 : undefined);
  const headers: Record<string, string> = waitMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) };
  return answer(encoding, isRate ? 429 : statusOf[error.kind], encodeOtlpError(encoding, error), headers);
}

function answer(encoding: OtlpEncoding, status: number, body: Uint8Array, headers: Record<string, string> = {}): Response {
  return new Response(new Uint8Array(body), { status, headers: { ...headers, 'content-type': otlpContentType(encoding) } });
}

function unsupported(contentType: string | undefined): OpsError {
  return new OpsError('input', `content type ${JSON.stringify((contentType ?? '').slice(0, 120))} is not supported`, {
    hint: 'OTLP is sent as application/x-protobuf or application/json.',
  });
}
