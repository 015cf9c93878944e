import { Hono } from 'hono';
import type { ApiEnv } from './api-env.ts';

/** The short page at `/`: what runs here, where to go, a first query. */
export function rootRoutes(functionNames: readonly string[]): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/', (c) => c.html(rootPage(new URL(c.req.url).origin, functionNames)));
  return app;
}

const firstQueries = ['up', 'rate(node_cpu_seconds_total[1m])', 'quarterdeck_ingest_samples_total'];

function rootPage(origin: string, functionNames: readonly string[]): string {
  const query = (expr: string) => `<li><a href="/api/v1/query?query=${encodeURIComponent(expr)}"><code>${escapeHtml(expr)}</code></a></li>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Quarterdeck</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  pre { padding: .8rem; overflow-x: auto; border: 1px solid #8886; border-radius: 6px; }
</style>
<h1>Quarterdeck is running</h1>
<p>Metrics come in, are kept in tiers, and answer PromQL. Its own and this host's figures flow in by themselves.</p>
<h2>First queries</h2>
<ul>${firstQueries.map(query).join('')}</ul>
<pre>curl '${escapeHtml(origin)}/api/v1/query?query=up'</pre>
<h2>Send metrics here</h2>
<pre># prometheus.yml
remote_write:
  - url: ${escapeHtml(origin)}/api/v1/write

# an OpenTelemetry SDK
OTEL_EXPORTER_OTLP_ENDPOINT=${escapeHtml(origin)}</pre>
<h2>More</h2>
<ul>
  <li><a href="/api/openapi.json">All paths (OpenAPI)</a></li>
  <li><a href="/metrics">Own metrics, as text</a></li>
  <li>Grafana: add a Prometheus data source with the address <code>${escapeHtml(origin)}</code></li>
  <li>Functions: ${functionNames.map((name) => `<code>${escapeHtml(name)}</code>`).join(', ')}</li>
</ul>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
