import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import {
  type ActiveConfig,
  activateConfig,
  type ConfigPin,
  type EnvironmentPlace,
  listRevisions,
  readActive,
  readRevision,
} from './activate.ts';
import { BASE } from './document.ts';
import { configPartition, listLayers } from './versions.ts';

/** What became of a release, as far as its configuration is concerned. */
export interface ReleaseStep extends EnvironmentPlace {
  readonly kind: 'started' | 'promoted' | 'rolled-back';
  readonly release: string;
  readonly version: string;
}

interface FollowDeps {
  readonly table: Table;
  readonly now: Clock;
}

const ATTEMPTS = 5;
const LOOKED_AT = 100;

/**
 * The configuration goes with a release: when it starts, the latest versions are noted as its own; when it is promoted they are what the
 * environment runs with; when it is rolled back after that, what was there before is again. Any step may come twice, late, and after the one
 * that followed it: a release that was rolled back is promoted no more. Undefined where there was nothing to do. `input` where what the release
 * brought does not meet its own expectations: what is active stays active.
 */
export async function followRelease(deps: FollowDeps, step: ReleaseStep): Promise<ActiveConfig | undefined> {
  if (step.kind === 'started') {
    await notePin(deps.table, step);
    return undefined;
  }
  if (step.kind === 'rolled-back') await noteReturn(deps.table, step);
  else if (!(await isReturned(deps.table, step))) {
    const active = await followTo(deps, step);
    // Noted before this was active, the return has found nothing to return.
    if (!(await isReturned(deps.table, step))) return active;
  }
  return followTo(deps, { ...step, kind: 'rolled-back' });
}

async function followTo(deps: FollowDeps, step: ReleaseStep): Promise<ActiveConfig | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const active = await readActive(deps.table, step);
    const next = await (step.kind === 'promoted' ? planPromotion(deps.table, step, active) : planReturn(deps.table, step, active));
    if (!next) return undefined;
    try {
      return await activateConfig(deps, { ...step, ...next, by: 'releases', expectedRevision: active.revision });
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error; // somebody has activated another: decided anew
    }
  }
  throw new OpsError('unavailable', `the configuration of ${step.application} in ${step.environment} is being changed all the time`);
}

/** The versions that a release brings along; undefined where its application has no configuration. */
export async function readPin(
  table: Table,
  { release, ...place }: EnvironmentPlace & { readonly release: string },
): Promise<ConfigPin | undefined> {
  const item = await retry(() => table.get({ pk: configPartition(place), sk: `pin/${place.environment}/${release}` }));
  return item && { base: Number(item.base), environment: Number(item.environment) };
}

async function notePin(table: Table, step: ReleaseStep): Promise<ConfigPin | undefined> {
  const layers = await listLayers(table, step);
  if (layers.size === 0) return undefined;
  const pin = { base: layers.get(BASE) ?? 0, environment: layers.get(step.environment) ?? 0 };
  const item = { pk: configPartition(step), sk: `pin/${step.environment}/${step.release}`, ...pin };
  try {
    await retry(() => table.put(item, { exists: false }));
    return pin;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return readPin(table, step); // noted before: the first counts
  }
}

function returnKey(step: ReleaseStep) {
  return { pk: configPartition(step), sk: `returned/${step.environment}/${step.release}` };
}

async function noteReturn(table: Table, step: ReleaseStep): Promise<void> {
  await retry(() => table.put(returnKey(step)));
}

async function isReturned(table: Table, step: ReleaseStep): Promise<boolean> {
  return (await retry(() => table.get(returnKey(step)))) !== undefined;
}

type Next = { readonly pin: ConfigPin; readonly message: string; readonly release: string };

async function planPromotion(table: Table, step: ReleaseStep, active: ActiveConfig): Promise<Next | undefined> {
  const pin = (await readPin(table, step)) ?? (await notePin(table, step));
  if (!pin || (active.base === pin.base && active.environment === pin.environment)) return undefined;
  // Told once before, and something else has been activated since: that was meant.
  if ((await listRevisions(table, step, LOOKED_AT)).some(({ release }) => release === step.release)) return undefined;
  return { pin, release: step.release, message: `${step.version} was promoted` };
}

async function planReturn(table: Table, step: ReleaseStep, active: ActiveConfig): Promise<Next | undefined> {
  if (active.release !== step.release || active.message.endsWith('was rolled back')) return undefined;
  const { base, environment } = await readRevision(table, step, active.revision - 1);
  return { pin: { base, environment }, release: step.release, message: `${step.version} was rolled back` };
}
