import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import { decodeBody } from '#ingest/body.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { decodeExposition } from '#ingest/exposition.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { decodeJsonLines } from '#ingest/json-lines.ts';
import { countAccepted } from '#ingest/refuse-days.ts';
import { describeRejections } from '#ingest/remote-write.ts';
import { type IngestApi, type IngestRequest, openRequest } from './context.ts';

/** Prometheus text, OpenMetrics and JSON lines in one request; history is welcome here. */
export function textRoutes(api: IngestApi): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/api/v1/import/prometheus', (c) =>
    take(api, c, 'prometheus-text', ({ context }, text) => decodeExposition(text, context, { contentType: c.req.header('content-type') })),
  );
  app.post('/api/v1/import', (c) => take(api, c, 'json-lines', ({ context }, text) => decodeJsonLines(text, context)));
  return app;
}

async function take(
  api: IngestApi,
  c: ApiContext,
  protocol: string,
  decode: (request: IngestRequest, text: Uint8Array) => Decoded,
): Promise<Response> {
  const request = await openRequest(api, c);
  const text = decodeBody(request.body, c.req.header('content-encoding'), request.context.limits);
  const stored = await ingestSamples(api.ingest, { tenant: request.tenant, protocol, decoded: decode(request, text), isHistory: true });
  c.header('x-quarterdeck-samples', String(countAccepted(stored)));
  const left = stored.rejections.filter(({ count }) => count > 0);
  if (left.length > 0) throw new OpsError('input', describeRejections(left), { hint: 'Correct those and send only them again.' });
  return c.body(null, 204);
}
