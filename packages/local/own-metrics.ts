import { addProcessMetrics } from '#agent/process-metrics.ts';
import type { ApiDeps } from '#api/create-api.ts';
import { createMetricRegistry, type MetricRegistry } from '#core/metrics.ts';
import type { IngestObserver } from '#ingest/ingest-samples.ts';

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** What this process counts about itself. */
export interface OwnMetrics {
  readonly registry: MetricRegistry;
  readonly ingest: IngestObserver;
  readonly observeRequest: ApiDeps['observe'];
  readonly observeFunction: (run: { name: string; failed: boolean; seconds: number }) => void;
}

/** Makes the registry with every metric of ours; docs/monitoring/guide.md explains them. */
export function createOwnMetrics(cache: { readonly sizeBytes: number }): OwnMetrics {
  const registry = createMetricRegistry();
  const requests = registry.counter('quarterdeck_http_requests_total', 'Requests answered.');
  const requestSeconds = registry.histogram('quarterdeck_http_request_duration_seconds', 'Time to an answer.', SECONDS);
  const runs = registry.counter('quarterdeck_function_runs_total', 'Runs of functions.');
  const runSeconds = registry.histogram('quarterdeck_function_duration_seconds', 'Time that functions ran.', SECONDS);
  const cacheBytes = registry.gauge('quarterdeck_storage_cache_bytes', 'What the read cache holds.');
  registry.onCollect(() => cacheBytes.set({}, cache.sizeBytes));
  addProcessMetrics(registry);
  return {
    registry,
    ingest: ingestObserver(registry),
    observeRequest({ method, route, status, seconds }) {
      requests.add({ method, route, status: String(status) });
      requestSeconds.observe({ route }, seconds);
    },
    observeFunction({ name, failed, seconds }) {
      runs.add({ function: name, outcome: failed ? 'failed' : 'done' });
      runSeconds.observe({ function: name }, seconds);
    },
  };
}

function ingestObserver(registry: MetricRegistry): IngestObserver {
  const samples = registry.counter('quarterdeck_ingest_samples_total', 'Samples taken in.');
  const rejected = registry.counter('quarterdeck_ingest_rejected_samples_total', 'Samples left out, by reason.');
  const exemplars = registry.counter('quarterdeck_ingest_exemplars_total', 'Exemplars met; they are not kept.');
  const rules = registry.counter(
    'quarterdeck_pipeline_rule_samples_total',
    'Samples that pipeline rules touched, dropped, rejected or added.',
  );
  return {
    samples: (protocol, tenant, count) => samples.add({ protocol, tenant }, count),
    rejected: (protocol, tenant, reason, count) => rejected.add({ protocol, tenant, reason }, count),
    exemplars: (protocol, tenant, count) => exemplars.add({ protocol, tenant }, count),
    rule(tenant, counts) {
      for (const what of ['touched', 'dropped', 'rejected', 'added'] as const) {
        if (counts[what] > 0) rules.add({ tenant, rule: counts.rule, what }, counts[what]);
      }
    },
  };
}
