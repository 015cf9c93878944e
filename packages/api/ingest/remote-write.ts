import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { isOpsError } from '#core/errors.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { answerRemoteWrite, answerRemoteWriteError, type RemoteWriteAnswer, readRemoteWrite } from '#ingest/remote-write.ts';
import { type IngestApi, openRequest } from './context.ts';

/** Prometheus remote write 1.0 and 2.0. */
export function remoteWriteRoutes(api: IngestApi): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/api/v1/write', async (c) => {
    const { tenant, body, series } = await openRequest(api, c);
    const reading = readRemoteWrite({ series }, { headers: c.req.raw.headers, body });
    if (reading.refused) return toResponse(reading.refused);
    try {
      const stored = await ingestSamples(api.ingest, { tenant, protocol: 'remote-write', decoded: reading.decoded });
      return toResponse(answerRemoteWrite(reading.version, stored));
    } catch (error) {
      if (isOpsError(error)) return toResponse(answerRemoteWriteError(reading.version, error));
      throw error;
    }
  });
  return app;
}

function toResponse({ status, headers, body }: RemoteWriteAnswer): Response {
  return new Response(status === 204 ? null : body, { status, headers });
}
