import { retry } from '#core/retry.ts';
import { type Clock, HOUR_MS, SECOND_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';
import { type EnvironmentPlace, readActive, resolvePin } from './activate.ts';
import { type Drift, findDrift, type ObservedConfig } from './drift.ts';
import { configPartition } from './versions.ts';

/** What one process that has told of itself differs in. */
export interface InstanceDrift {
  readonly instance: string;
  readonly observedAtMs: number;
  readonly drifts: readonly Drift[];
}

/** A process that has told nothing for so long is taken to be gone. */
const KEPT_MS = 24 * HOUR_MS;

/** Keeps what a process says it runs with, in the place of what it said before. */
export async function observeConfig(
  { table, now }: { readonly table: Table; readonly now: Clock },
  place: EnvironmentPlace,
  observed: ObservedConfig,
): Promise<void> {
  const atMs = now();
  const { instance, env, files } = observed;
  await retry(() =>
    table.put({
      ...{ pk: configPartition(place), sk: `observed/${place.environment}/${instance}`, instance, atMs },
      observed: JSON.stringify({ env, files }),
      expiresAtS: Math.ceil((atMs + KEPT_MS) / SECOND_MS),
    }),
  );
}

/** How each process that told of itself within a day differs from what is active. */
export async function readDrift(
  { table, now }: { readonly table: Table; readonly now: Clock },
  place: EnvironmentPlace,
): Promise<InstanceDrift[]> {
  const resolved = await resolvePin(table, place, await readActive(table, place));
  const [from, to] = [`observed/${place.environment}/`, `observed/${place.environment}0`];
  const instances: InstanceDrift[] = [];
  for (const item of await queryItems(table, { pk: configPartition(place), from, to })) {
    if (Number(item.atMs) <= now() - KEPT_MS) continue; // the table drops it in its own time
    const told = JSON.parse(String(item.observed)) as Omit<ObservedConfig, 'instance'>;
    const instance = String(item.instance);
    instances.push({ instance, observedAtMs: Number(item.atMs), drifts: findDrift(resolved, { instance, ...told }) });
  }
  return instances;
}
