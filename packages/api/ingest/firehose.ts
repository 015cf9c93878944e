import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { statusOf } from '#api/http-errors.ts';
import { isOpsError } from '#core/errors.ts';
import { decodeBody } from '#ingest/body.ts';
import { decodeFirehose, firehoseAnswer } from '#ingest/firehose.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { type IngestApi, openRequest } from './context.ts';

/**
 * Deliveries of Amazon Data Firehose. It sends again whatever is not answered with 200 and its own request id, so what could not
 * be read of a delivery is counted, and the delivery taken.
 */
export function firehoseRoutes(api: IngestApi): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/firehose', async (c) => {
    const requestId = c.req.header('x-amz-firehose-request-id') ?? '';
    try {
      return c.json(firehoseAnswer(await take(api, c), api.ingest.now()), 200);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      return c.json(firehoseAnswer(requestId, api.ingest.now(), error.message), statusOf[error.kind]);
    }
  });
  return app;
}

async function take(api: IngestApi, c: ApiContext): Promise<string> {
  const { tenant, body, context } = await openRequest(api, c);
  const translator = api.otlpTranslator(api.ingest.tenant(tenant));
  const { requestId, decoded } = decodeFirehose(decodeBody(body, c.req.header('content-encoding'), context.limits), {
    ...context,
    decodeOtlp: (message) => decodeOtlp({ translator }, message, 'protobuf'),
  });
  await ingestSamples(api.ingest, { tenant, protocol: 'firehose', decoded });
  return requestId;
}
