import type { SampleBatch } from '#model/samples.ts';
import { seriesFromLabels } from '#model/series.ts';
import { defaultRetentionMs } from '#model/tier.ts';
import type { Blobs } from '#ports/blobs.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { SelectInput } from '#ports/sample-source.ts';
import type { Table } from '#ports/table.ts';
import { createReadCache } from '#storage/read-cache.ts';
import type { StorageDeps } from '#storage/storage-deps.ts';

/** Storage over memory, with a clock that the test sets. */
export interface TestStorage extends StorageDeps {
  setNow(nowMs: number): void;
}

export function memoryStorage(
  ports: { blobs?: Blobs; table?: Table; nowMs?: number; inlineBytes?: number; cacheBytes?: number } = {},
): TestStorage {
  let nowMs = ports.nowMs ?? Date.parse('2026-11-23T12:00:00Z');
  let ids = 0;
  return {
    blobs: ports.blobs ?? createMemoryBlobs({ clock: () => nowMs }),
    table: ports.table ?? createMemoryTable(),
    now: () => nowMs,
    newId: () => `id${String(ids++).padStart(8, '0')}`,
    cache: createReadCache(ports.cacheBytes ?? 64 * 1024 * 1024),
    settings: () => ({ retentionMs: defaultRetentionMs, segmentShards: 2 }),
    namespaces: (tenant) => [tenant],
    inlineBytes: ports.inlineBytes ?? 512,
    graceMs: 60_000,
    pause: async () => {},
    setNow: (ms) => {
      nowMs = ms;
    },
  };
}

/** A row of a batch: labels as a short text (`up{job="a"}` is `up,job=a`), time, value. */
export interface Row {
  readonly series: string;
  readonly ts: number;
  readonly value: number;
  readonly flags?: number;
}

/** A batch of rows. */
export function batchOf(rows: readonly Row[]): SampleBatch {
  const names = [...new Set(rows.map((row) => row.series))];
  return {
    series: names.map((name) => {
      const [metric, ...labels] = name.split(',');
      return seriesFromLabels([
        { name: '__name__', value: metric },
        ...labels.map((label) => ({ name: label.split('=')[0], value: label.split('=')[1] })),
      ]);
    }),
    seriesIndex: Uint32Array.from(rows, (row) => names.indexOf(row.series)),
    ts: Float64Array.from(rows, (row) => row.ts),
    value: Float64Array.from(rows, (row) => row.value),
    flags: Uint8Array.from(rows, (row) => row.flags ?? 0),
  };
}

export const noLimits = { maxSeries: 1e9, maxSamples: 1e12, maxBytes: 1e15 };

/** Selects everything of a metric between two times. */
export function wholeMetric(tenant: string, metric: string, startMs: number, endMs: number): SelectInput {
  return {
    tenant,
    matchers: [{ name: '__name__', op: '=', value: metric }],
    startMs,
    endMs,
    rangeMs: 0,
    stepMs: 0,
    func: '',
    limits: noLimits,
  };
}
