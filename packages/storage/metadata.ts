import { retry } from '#core/retry.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import type { Table } from '#ports/table.ts';
import { queryAll } from './catalog.ts';

/** Keeps what senders say of their metrics: type, help, unit. The last word counts. */
export interface MetadataStore {
  put(tenant: string, metadata: readonly MetricMetadata[]): Promise<void>;
}

const MAX_KNOWN = 50_000;

function partition(tenant: string): string {
  return `meta/metrics/${tenant}`;
}

/** A store that writes only what this process has not just written: senders repeat their metadata every minute. */
export function createMetadataStore(table: Table): MetadataStore {
  const known = new Map<string, string>();
  return {
    async put(tenant, metadata) {
      const fresh = metadata.filter((one) => known.get(`${tenant}/${one.metric}`) !== fingerprint(one));
      if (fresh.length === 0) return;
      const byMetric = new Map(fresh.map((one) => [one.metric, one]));
      await retry(() =>
        table.batch(
          Array.from(byMetric.values(), ({ metric, type, help, unit }) => ({
            kind: 'put' as const,
            item: { pk: partition(tenant), sk: metric, type, help, unit },
          })),
        ),
      );
      if (known.size > MAX_KNOWN) known.clear();
      for (const one of fresh) known.set(`${tenant}/${one.metric}`, fingerprint(one));
    },
  };
}

function fingerprint({ type, help, unit }: MetricMetadata): string {
  return JSON.stringify([type, help, unit]);
}

/** A tenant's metadata, of one metric or of all. */
export async function readMetadata(table: Table, tenant: string, metric?: string): Promise<MetricMetadata[]> {
  const items =
    metric === undefined
      ? await queryAll(table, { pk: partition(tenant) })
      : [await retry(() => table.get({ pk: partition(tenant), sk: metric }))].filter((item) => item !== undefined);
  return items.map((item) => ({ metric: item.sk, type: String(item.type), help: String(item.help), unit: String(item.unit) }));
}
