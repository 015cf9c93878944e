import type { Rejection } from '#ingest/decoded.ts';
import { type CreateImportInput, createImport } from '#ingest/imports/create-import.ts';
import { importObjectKey } from '#ingest/imports/import-record.ts';
import { type RunImportDeps, type RunImportInput, type RunImportResult, runImport } from '#ingest/imports/run-import.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { BusEvent } from '#ports/bus.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import type { Table } from '#ports/table.ts';
import { findAggregatedDays } from '#storage/aggregated-days.ts';
import { createSampleStore } from '#storage/append.ts';
import { createMetadataStore } from '#storage/metadata.ts';
import { selectSeries } from '#storage/select.ts';
import { memoryStorage, wholeMetric } from '#test/storage/store.ts';

export const START = Date.parse('2026-11-23T12:00:00Z');
export const TENANT = 't';

/** Imports over memory, with storage behind them and a clock that the test owns. */
export function importWorld() {
  let nowMs = START;
  let ids = 0;
  const clock = () => nowMs;
  const advance = (ms: number) => {
    nowMs += ms;
  };
  const newId = () => `id${String(ids++).padStart(6, '0')}`;
  const blobs = createMemoryBlobs({ clock });
  const table = createMemoryTable();
  const uploads = createMemoryUploads(blobs, { clock });

  /** The dependencies as one process has them: on ports that may fail. */
  const process = (ports: { blobs: Blobs; table: Table } = { blobs, table }): RunImportDeps => {
    const storage = { ...memoryStorage(ports), now: clock, newId };
    const ingest = {
      store: createSampleStore(storage),
      metadata: createMetadataStore(ports.table),
      tenant: () => ({ limits: defaultIngestLimits, pipeline: undefined, keepUtf8Names: false }),
      observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
      now: clock,
      newId,
      findRefusedDays: ({ tenant }: { tenant: string }, dates: readonly string[]) => findAggregatedDays(storage, tenant, dates),
    };
    return { ...ports, ingest, now: clock, newId, sleep: async (delayMs) => advance(delayMs) };
  };

  return {
    blobs,
    table,
    uploads,
    storage: { ...memoryStorage({ blobs, table }), now: clock, newId },
    newId,
    process,
    advance,
    now: clock,
    /** An import whose file is there. */
    async upload(body: Uint8Array | string, input: Partial<CreateImportInput> = {}): Promise<string> {
      const { id, ticket } = await createImport({ table, uploads, now: clock, newId }, { tenant: TENANT, format: 'prometheus', ...input });
      await uploads.receive(ticket.fields, Buffer.from(body));
      return id;
    },
    run: (id: string, input: Partial<RunImportInput> = {}, deps = process()): Promise<RunImportResult> =>
      runImport(deps, { tenant: TENANT, id, ...input }),
    hasObject: (id: string) => blobs.stored.has(importObjectKey({ tenant: TENANT, id })),
    /** What waits to be published. */
    events: () => table.items().flatMap((item): BusEvent[] => (item.pk === 'outbox' ? [JSON.parse(item.event as string)] : [])),
    /** Every sample of a metric as `labels@time=value`, in order. */
    async samples(metric: string): Promise<string[]> {
      const storage = { ...memoryStorage({ blobs, table }), now: clock, newId };
      const found = await selectSeries(storage, wholeMetric(TENANT, metric, START - 14 * 86_400_000, START + 3_600_000));
      if (found.tier !== 'hot') throw new Error('expected raw samples');
      return found.series
        .flatMap(({ series, samples }) => Array.from(samples.ts, (ts, i) => `${series.json}@${ts}=${samples.value[i]}`))
        .sort();
    },
  };
}

/** Lines of a metric, in time order, 1 s apart, every 50th of them bad. */
export function textOf(lines: number): { text: string; good: number; bad: number } {
  const all = Array.from({ length: lines }, (_, i) =>
    i % 50 === 49 ? `up{i="${i}" oops` : `up{i="${i % 7}"} ${i} ${START - (lines - i) * 1_000}`,
  );
  const bad = Math.floor(lines / 50);
  return { text: `${all.join('\n')}\n`, good: lines - bad, bad };
}

export function countOf(rejections: readonly Rejection[]): number {
  return rejections.reduce((sum, { count }) => sum + count, 0);
}
