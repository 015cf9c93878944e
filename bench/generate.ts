import { BatchBuilder } from '#ingest/batch-builder.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';

/** Series with values that move as such metrics do: two thirds gauges with two decimals, a third counters, a few noisy doubles. */
export interface Generator {
  readonly series: readonly Series[];
  /** The next `size` samples, scrape after scrape every 15 s, in the order of the series. */
  next(size: number): Decoded;
  /** Time of the next sample, ms. */
  nowMs(): number;
}

const STEP_MS = 15_000;

/** What the series look like. */
export interface GeneratedShape {
  readonly seriesCount: number;
  /** Services that share the series evenly (default 20). */
  readonly services?: number | undefined;
  /** Metrics that each service has (default 100); the rest are its instances. */
  readonly metrics?: number | undefined;
}

/** The same numbers give the same samples. */
export function createGenerator({
  seriesCount,
  startMs,
  services = 20,
  metrics = 100,
}: GeneratedShape & { readonly startMs: number }): Generator {
  const series = Array.from({ length: seriesCount }, (_, i) => makeSeries(i, services, metrics));
  const kind = Array.from({ length: seriesCount }, (_, i) => (Math.floor(i / services) % metrics) % 20);
  const value = new Float64Array(seriesCount);
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  let at = 0;
  let scrapeMs = startMs;
  const timeOf = (index: number) => scrapeMs + Math.floor((index / seriesCount) * STEP_MS);
  return {
    series,
    nowMs: () => timeOf(at),
    next(size) {
      const builder = new BatchBuilder();
      for (let i = 0; i < size; i++) {
        value[at] = nextValue(kind[at], value[at], random);
        builder.add(series[at], timeOf(at), value[at]);
        at++;
        if (at === seriesCount) {
          at = 0;
          scrapeMs += STEP_MS;
        }
      }
      return { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
    },
  };
}

function makeSeries(i: number, services: number, metrics: number): Series {
  const service = i % services;
  const metric = Math.floor(i / services) % metrics;
  const instance = Math.floor(i / services / metrics);
  const labels = {
    __name__: `app_metric_${metric}_${metric % 3 === 0 ? 'total' : 'value'}`,
    job: `service-${service}`,
    instance: `10.0.${service}.${instance}:9100`,
    zone: `zone-${instance % 3}`,
  };
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

/** The metric decides how its values move. */
function nextValue(kind: number, before: number, random: () => number): number {
  if (kind < 7) return before + Math.floor(random() * 20);
  if (kind === 19) return random() * 1_000;
  return Math.round((before + (random() - 0.5) * 2) * 100) / 100;
}
