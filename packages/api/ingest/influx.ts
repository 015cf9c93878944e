import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { statusOf } from '#api/http-errors.ts';
import { isOpsError } from '#core/errors.ts';
import { decodeBody } from '#ingest/body.ts';
import { decodeInflux } from '#ingest/influx.ts';
import {
  findInfluxProblem,
  type InfluxProblem,
  type InfluxVersion,
  influxErrorBody,
  parseInfluxPrecision,
} from '#ingest/influx-protocol.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { type IngestApi, openRequest } from './context.ts';

/** InfluxDB line protocol, with the answers that clients of either version read. */
export function influxRoutes(api: IngestApi): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/write', (c) => write(api, c, 1));
  app.post('/api/v2/write', (c) => write(api, c, 2));
  return app;
}

async function write(api: IngestApi, c: ApiContext, version: InfluxVersion): Promise<Response> {
  try {
    const { tenant, body, context } = await openRequest(api, c);
    const precision = parseInfluxPrecision(version, c.req.query('precision'));
    const { keepUtf8Names } = api.ingest.tenant(tenant);
    const decoded = decodeInflux(decodeBody(body, c.req.header('content-encoding'), context.limits), context, { precision, keepUtf8Names });
    const problem = findInfluxProblem((await ingestSamples(api.ingest, { tenant, protocol: 'influx', decoded })).rejections);
    return problem ? refuse(c, version, problem) : c.body(null, 204);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    if (error.kind === 'unavailable') c.header('retry-after', '1');
    return refuse(c, version, error);
  }
}

function refuse(c: ApiContext, version: InfluxVersion, problem: InfluxProblem): Response {
  return c.json(influxErrorBody(version, problem), statusOf[problem.kind]);
}
