import { addProcessMetrics } from '#agent/process-metrics.ts';
import type { AlertObserver } from '#alerts/alert-observer.ts';
import type { ApiDeps } from '#api/create-api.ts';
import { createMetricRegistry, type MetricRegistry } from '#core/metrics.ts';
import type { IngestObserver } from '#ingest/ingest-samples.ts';
import { BlockCommitted } from '#model/events.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { SampleSource } from '#ports/sample-source.ts';
import { alertMetrics } from './alert-metrics.ts';

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** What this process counts about itself. */
export interface OwnMetrics {
  readonly registry: MetricRegistry;
  readonly ingest: IngestObserver;
  readonly alerts: AlertObserver;
  readonly observeRequest: ApiDeps['observe'];
  readonly observeFunction: (run: { name: string; failed: boolean; seconds: number }) => void;
  /** The same source, what it reads counted. */
  readonly observeSource: (source: SampleSource) => SampleSource;
  /** Told of each event `Block Committed`. */
  readonly observeCommit: (event: BusEvent) => void;
  /** Told of each delivery that the bus has given up. */
  readonly observeDeadLetter: (letter: { readonly rule: string }) => void;
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
  const deadLetters = registry.counter('quarterdeck_bus_dead_letters_total', 'Deliveries of events that were given up.');
  addProcessMetrics(registry);
  return {
    registry,
    ingest: ingestObserver(registry),
    alerts: alertMetrics(registry),
    observeSource: sourceObserver(registry),
    observeCommit: commitObserver(registry),
    observeDeadLetter: ({ rule }) => deadLetters.add({ rule }),
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

function sourceObserver(registry: MetricRegistry): OwnMetrics['observeSource'] {
  const selections = registry.counter('quarterdeck_query_selections_total', 'Selectors answered, by the tier that did.');
  const samples = registry.counter('quarterdeck_query_read_samples_total', 'Samples (or rows of aggregates) that selectors read.');
  const requests = registry.counter('quarterdeck_query_read_requests_total', 'Requests to blobs and table that selectors made.');
  const bytes = registry.counter('quarterdeck_query_read_bytes_total', 'Bytes of blobs that selectors read.');
  return (source) => ({
    ...source,
    async select(input) {
      const result = await source.select(input);
      const { tier, read } = result;
      selections.add({ tier });
      samples.add({ tier }, read.samples);
      requests.add({ tier }, read.requests);
      bytes.add({ tier }, read.bytes);
      return result;
    },
  });
}

function commitObserver(registry: MetricRegistry): OwnMetrics['observeCommit'] {
  const commits = registry.counter('quarterdeck_storage_commits_total', 'Compactions and downsamplings committed, by the tier written to.');
  const rows = registry.counter('quarterdeck_storage_written_rows_total', 'Rows of the blocks that commits wrote.');
  const bytes = registry.counter('quarterdeck_storage_written_bytes_total', 'Bytes of the blocks that commits wrote.');
  return ({ detail }) => {
    const { tier, final, rows: written, sizeBytes } = BlockCommitted.parse(detail);
    commits.add({ tier, final: String(final) });
    rows.add({ tier, final: String(final) }, written);
    bytes.add({ tier, final: String(final) }, sizeBytes);
  };
}
