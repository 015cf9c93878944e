import type { MetricFamily } from '#core/metrics.ts';
import type { Clock } from '#core/time.ts';
import { type SampleBatch, STALE } from '#model/samples.ts';
import { type Series, seriesFromLabels } from '#model/series.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';

/** A target that is "scraped" without HTTP: ourselves, and the host. */
export interface SelfTarget {
  readonly job: string;
  readonly collect: () => Promise<readonly MetricFamily[]>;
}

/** What one round found. */
export interface SelfSamples {
  readonly batch: SampleBatch;
  readonly metadata: readonly MetricMetadata[];
}

export interface SelfTelemetryDeps {
  readonly targets: readonly SelfTarget[];
  /** `host:port`, as a scrape would have it. */
  readonly instance: string;
  readonly store: (samples: SelfSamples) => Promise<void>;
  readonly now: Clock;
  /** Told of a round that failed; the next one is made all the same. */
  readonly onFailure: (error: unknown) => void;
}

export interface SelfTelemetry {
  /** Writes stale markers, so that nothing looks alive that has ended. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 15_000;
/** At first the rounds are closer, so that a rate over a minute answers within seconds of the start. */
const FIRST_ROUNDS = 6;
const FIRST_INTERVAL_MS = 5_000;

/** Feeds figures of the targets through ingest, beginning now, with `up` for each. */
export function startSelfTelemetry(deps: SelfTelemetryDeps): SelfTelemetry {
  const known = new Map<string, Series>();
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const round = async () => {
    try {
      await deps.store(await collectRound(deps, known));
    } catch (error) {
      deps.onFailure(error);
    }
    rounds++;
    if (timer) timer = setTimeout(next, rounds < FIRST_ROUNDS ? FIRST_INTERVAL_MS : INTERVAL_MS);
  };
  const next = () => {
    running = round();
  };
  timer = setTimeout(next, 0);
  return {
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await running;
      if (known.size > 0) await deps.store(staleMarkers(known, deps.now())).catch(deps.onFailure);
    },
  };
}

async function collectRound({ targets, instance, now }: SelfTelemetryDeps, known: Map<string, Series>): Promise<SelfSamples> {
  const rows: { series: Series; value: number }[] = [];
  const metadata = new Map<string, MetricMetadata>();
  const tsMs = now();
  for (const { job, collect } of targets) {
    const add = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
      rows.push({ series: intern(known, { ...labels, __name__: name, job, instance }), value });
    for (const { name: metric, type, help, samples } of await collect()) {
      metadata.set(metric, { metric, type, help, unit: '' });
      for (const { name, labels, value } of samples) add(name, labels, value);
    }
    add('up', {}, 1);
  }
  return {
    batch: batchAt(
      tsMs,
      rows.map(({ series }) => series),
      Float64Array.from(rows, ({ value }) => value),
      0,
    ),
    metadata: [...metadata.values()],
  };
}

function staleMarkers(known: ReadonlyMap<string, Series>, tsMs: number): SelfSamples {
  const series = [...known.values()];
  return { batch: batchAt(tsMs, series, new Float64Array(series.length).fill(Number.NaN), STALE), metadata: [] };
}

/** One sample of each series, all at one time. */
function batchAt(tsMs: number, series: readonly Series[], value: Float64Array, flags: number): SampleBatch {
  return {
    series,
    seriesIndex: Uint32Array.from(series, (_, i) => i),
    ts: new Float64Array(series.length).fill(tsMs),
    value,
    flags: new Uint8Array(series.length).fill(flags),
  };
}

function intern(known: Map<string, Series>, labels: Readonly<Record<string, string>>): Series {
  const key = JSON.stringify(Object.entries(labels));
  let series = known.get(key);
  if (!series) {
    series = seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
    known.set(key, series);
  }
  return series;
}
