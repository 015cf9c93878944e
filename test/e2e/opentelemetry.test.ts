import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { AggregationTemporality, AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { type LocalServer, startServer } from '#local/serve.ts';

interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];
  };
}

const { CUMULATIVE, DELTA } = AggregationTemporality;

describe('an OpenTelemetry SDK', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'quarterdeck-otel-'));
  let server: LocalServer;
  beforeAll(async () => {
    const settings = readSettings({ PORT: '0', QUARTERDECK_DATA: dataDir, QUARTERDECK_SCHEDULES: 'off', QUARTERDECK_SELF: 'off' });
    server = await startServer(settings, () => {});
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true });
  });

  async function query(text: string): Promise<string[]> {
    const response = await fetch(`${server.url}/api/v1/query?${new URLSearchParams({ query: text })}`);
    const { data } = (await response.json()) as Answer;
    return data.result.map(({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`).sort();
  }

  function openMeter(kind: string, temporality: AggregationTemporality) {
    const Exporter = kind === 'JSON' ? JsonExporter : ProtobufExporter;
    const exporter = new Exporter({ url: `${server.url}/v1/metrics`, temporalityPreference: temporality });
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const exponential = { instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } } as const;
    const provider = new MeterProvider({ readers: [reader], views: [exponential] });
    return { provider, meter: provider.getMeter('shop', '1.0') };
  }

  it.each([
    ['protobuf', CUMULATIVE],
    ['JSON', CUMULATIVE],
    ['protobuf', DELTA],
  ])('sends in %s, temporality %i, what PromQL then finds', async (kind, temporality) => {
    const { provider, meter } = openMeter(kind, temporality);
    const test = `${kind}-${temporality}`;
    const orders = meter.createCounter('shop.orders', { unit: '{order}' });
    const duration = meter.createHistogram('http.server.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } });
    const memory = meter.createObservableGauge('process.memory', { unit: 'By' });
    memory.addCallback((result) => result.observe(4096, { test }));
    for (const step of [1, 2]) {
      orders.add(3 * step, { test, 'shop.region': 'eu' });
      duration.record(0.5, { test });
      await provider.forceFlush();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await provider.shutdown();
    const by = 'by (__name__, shop_region, le)';
    expect(await query(`sum ${by} (process_memory_bytes{test="${test}"})`)).toEqual(['{"__name__":"process_memory_bytes"} 4096']);
    const orderTotal = temporality === DELTA ? 'increase(shop_orders_total{test="T"}[1m])' : 'shop_orders_total{test="T"}';
    expect(await query(`sum by (shop_region, job) (${orderTotal.replace('T"', `${test}"`)})`)).toEqual([
      expect.stringMatching(/^\{"job":"unknown_service:.*","shop_region":"eu"\} 9$/),
    ]);
    const buckets = 'http_server_duration_seconds_bucket{test="T"}'.replace('T"', `${test}"`);
    const seen = temporality === DELTA ? `increase(${buckets}[1m])` : buckets;
    expect(await query(`sum by (le) (${seen})`)).toEqual(['{"le":"+Inf"} 2', '{"le":"0.1"} 0', '{"le":"1"} 2']);
    expect(await query('count(target_info{telemetry_sdk_language="nodejs"})')).toEqual(['{} 1']);
  });

  it('is told of exponential histograms, which are not taken, while the rest is', async () => {
    const { provider, meter } = openMeter('protobuf', CUMULATIVE);
    meter.createHistogram('sizes').record(5);
    meter.createCounter('seen').add(1);
    await provider.forceFlush();
    await provider.shutdown();
    expect(await query('seen_total')).toHaveLength(1);
    expect(await query('{__name__=~"sizes.*"}')).toEqual([]);
  });
});
