import { Hono } from 'hono';
import { formatMetrics, type MetricRegistry } from '#core/metrics.ts';
import type { ApiEnv } from './api-env.ts';

/** GET /metrics: this process' own figures, to be scraped from outside. */
export function metricsRoutes(registry: MetricRegistry): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/metrics', (c) =>
    c.body(formatMetrics(registry.collect()), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  return app;
}
