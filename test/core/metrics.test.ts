import { describe, expect, it } from 'vitest';
import { createMetricRegistry, formatMetrics } from '#core/metrics.ts';

describe('the registry', () => {
  it('adds counters, sets gauges and fills the buckets of histograms', () => {
    const registry = createMetricRegistry();
    const requests = registry.counter('requests_total', 'Requests.');
    requests.add({ path: '/a' });
    requests.add({ path: '/a' }, 2);
    const depth = registry.gauge('depth', 'Depth.');
    registry.onCollect(() => depth.set({}, 7));
    registry.histogram('seconds', 'Time.', [0.1, 1]).observe({}, 0.5);
    expect(formatMetrics(registry.collect()).split('\n')).toEqual([
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{path="/a"} 3',
      '# HELP depth Depth.',
      '# TYPE depth gauge',
      'depth 7',
      '# HELP seconds Time.',
      '# TYPE seconds histogram',
      'seconds_bucket{le="0.1"} 0',
      'seconds_bucket{le="1"} 1',
      'seconds_bucket{le="+Inf"} 1',
      'seconds_sum 0.5',
      'seconds_count 1',
      '',
    ]);
  });

  it('escapes label values', () => {
    const registry = createMetricRegistry();
    registry.counter('x_total', 'X.').add({ a: 'q"\\\n' });
    expect(formatMetrics(registry.collect())).toContain('x_total{a="q\\"\\\\\\n"} 1');
  });

  it('counts what is past the thousandth label set together', () => {
    const registry = createMetricRegistry();
    const counter = registry.counter('x_total', 'X.');
    for (let i = 0; i < 1_500; i++) counter.add({ tenant: `t${i}` });
    const [{ samples }] = registry.collect();
    expect(samples).toHaveLength(1_001);
    expect(samples.at(-1)).toEqual({ name: 'x_total', labels: { tenant: 'other' }, value: 500 });
  });
});
