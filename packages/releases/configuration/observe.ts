import { mapConcurrent } from '#core/batch.ts';
import { retry } from '#core/retry.ts';
import { type Clock, HOUR_MS, SECOND_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { RunningConfiguration } from '#ports/running-configuration.ts';
import type { Table } from '#ports/table.ts';
import { type EnvironmentPlace, readActive, resolvePin } from './activate.ts';
import { type Drift, findDrift, hashValue, type ObservedConfig } from './drift.ts';
import type { ResolvedConfig } from './resolve.ts';
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

/** How each process that told of itself within a day, and each function that is asked, differs from what is active. */
export async function readDrift(
  { table, now, running }: { readonly table: Table; readonly now: Clock; readonly running?: RunningConfiguration | undefined },
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
  const functions = running ? await mapConcurrent(resolved.functions, 4, (name) => readFunction(running, resolved, name, now())) : [];
  return [...instances, ...functions];
}

/** A function is not told what else is set on it: its platform sets some, and files are no matter of it. */
async function readFunction(running: RunningConfiguration, resolved: ResolvedConfig, name: string, nowMs: number): Promise<InstanceDrift> {
  const { values = {} } = (await running.variablesOf(name)) ?? {};
  const env = Object.fromEntries(Object.entries(values).map(([variable, value]) => [variable, hashValue(value)]));
  const drifts = findDrift({ env: resolved.env, files: new Map() }, { instance: name, env, files: {} });
  return { instance: `lambda:${name}`, observedAtMs: nowMs, drifts };
}
