import { retry } from '#core/retry.ts';
import { isKeyPart } from '#ports/item-rules.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import type { Table } from '#ports/table.ts';
import { queryAll } from './catalog.ts';

/**
 * Keeps what senders say of their metrics: type, help, unit. The last word counts. Help and unit are cut where they are long; of a
 * metric whose name no key can be nothing is kept, as its samples are what counts.
 */
export interface MetadataStore {
  put(tenant: string, metadata: readonly MetricMetadata[]): Promise<void>;
}

const MAX_KNOWN = 50_000;
/** Both texts and the name fit into an item, in whatever script. */
const MAX_TEXT = 32 * 1024;

function partition(tenant: string): string {
  return `meta/metrics/${tenant}`;
}

/** A store that writes only what this process has not just written: senders repeat their metadata every minute. */
export function createMetadataStore(table: Table): MetadataStore {
  const known = new Map<string, string>();
  return {
    async put(tenant, metadata) {
      const fresh = metadata
        .filter(({ metric }) => isKeyPart(metric))
        .map((one) => ({ ...one, help: cut(one.help), unit: cut(one.unit) }))
        .filter((one) => known.get(`${tenant}/${one.metric}`) !== fingerprint(one));
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

/** Cutting between the halves of a character leaves text that no table takes. */
function cut(text: string): string {
  return text.slice(0, MAX_TEXT).toWellFormed();
}

function fingerprint({ type, help, unit }: MetricMetadata): string {
  return JSON.stringify([type, help, unit]);
}

/** A tenant's metadata, of one metric or of all. */
export async function readMetadata(table: Table, tenant: string, metric?: string): Promise<MetricMetadata[]> {
  if (metric !== undefined && !isKeyPart(metric)) return [];
  const items =
    metric === undefined
      ? await queryAll(table, { pk: partition(tenant) })
      : [await retry(() => table.get({ pk: partition(tenant), sk: metric }))].filter((item) => item !== undefined);
  return items.map((item) => ({ metric: item.sk, type: String(item.type), help: String(item.help), unit: String(item.unit) }));
}
