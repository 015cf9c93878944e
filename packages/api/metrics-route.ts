import { Hono } from 'hono';
import { formatMetrics, type MetricFamily, type MetricRegistry } from '#core/metrics.ts';
import type { ApiEnv } from './api-env.ts';

/** GET /metrics: this process' own figures, to be scraped from outside. On a shared server, without those of other tenants. */
export function metricsRoutes({ registry, isShared }: { registry: MetricRegistry; isShared: boolean }): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/metrics', (c) => {
    const families = registry.collect();
    const shown = isShared ? families.map((family) => withoutOthers(family, c.get('tenant'))) : families;
    return c.body(formatMetrics(shown), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  return app;
}

function withoutOthers(family: MetricFamily, tenant: string): MetricFamily {
  return { ...family, samples: family.samples.filter(({ labels }) => (labels.tenant ?? tenant) === tenant) };
}
