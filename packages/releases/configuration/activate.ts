import { createHash } from 'node:crypto';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import { ConfigChanged } from '#model/configuration-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Item, Table } from '#ports/table.ts';
import { diffConfigs } from './diff.ts';
import { BASE } from './document.ts';
import { findConfigProblems, type ResolvedConfig, resolveConfig } from './resolve.ts';
import { type ConfigPlace, configPartition, readVersion } from './versions.ts';

/** Which versions of its two layers an environment runs with. */
export interface ConfigPin {
  readonly base: number;
  readonly environment: number;
}

/** What an environment runs with since when and why. Revision 0: nothing was ever activated. */
export interface ActiveConfig extends ConfigPin {
  /** Counts activations; each is kept. */
  readonly revision: number;
  readonly by: string;
  readonly message: string;
  /** The release that brought it. */
  readonly release?: string | undefined;
  readonly atMs: number;
}

export interface EnvironmentPlace extends ConfigPlace {
  readonly environment: string;
}

export interface ActivateInput extends EnvironmentPlace {
  readonly pin: ConfigPin;
  readonly by: string;
  readonly message: string;
  readonly release?: string | undefined;
  /** The revision that holds until then. */
  readonly expectedRevision: number;
}

const DIGITS = 10;
const NAMES_TOLD = 200;

/** What the environment runs with now. */
export async function readActive(table: Table, place: EnvironmentPlace): Promise<ActiveConfig> {
  const item = await retry(() => table.get({ pk: configPartition(place), sk: `active/${place.environment}` }));
  return item ? toActive(item) : { base: 0, environment: 0, revision: 0, by: '', message: '', atMs: 0 };
}

/** A revision that once was active. `missing` where there is none. */
export async function readRevision(table: Table, place: EnvironmentPlace, revision: number): Promise<ActiveConfig> {
  if (revision === 0) return { base: 0, environment: 0, revision: 0, by: '', message: '', atMs: 0 };
  const item = await retry(() => table.get({ pk: configPartition(place), sk: revisionKey(place.environment, revision) }));
  if (!item) throw new OpsError('missing', `${place.application} in ${place.environment} never had revision ${revision}`);
  return toActive(item);
}

/** Revisions, the newest first, at most `limit`. */
export async function listRevisions(table: Table, place: EnvironmentPlace, limit: number): Promise<ActiveConfig[]> {
  const [from, to] = [`revision/${place.environment}/`, `revision/${place.environment}0`];
  const page = await retry(() => table.query({ pk: configPartition(place), from, to, reverse: true, limit }));
  return page.items.map(toActive);
}

/** What an environment would run with under the pin. `missing` where a version does not exist. */
export async function resolvePin(table: Table, place: EnvironmentPlace, pin: ConfigPin): Promise<ResolvedConfig> {
  const [base, upper] = await Promise.all([
    readVersion(table, place, BASE, pin.base),
    readVersion(table, place, place.environment, pin.environment),
  ]);
  return resolveConfig(base.document, place.environment, upper.document);
}

/**
 * Makes the pinned versions what the environment runs with, and tells of it. What is active already is left as it is, so that the call may be
 * repeated. `input` with every expectation that would not be met, `conflict` where another revision holds than was expected.
 */
export async function activateConfig(deps: { readonly table: Table; readonly now: Clock }, input: ActivateInput): Promise<ActiveConfig> {
  const { table, now } = deps;
  const { pin, by, message, release, expectedRevision } = input;
  const active = await readActive(table, input);
  if (isSame(active, input)) return active;
  if (active.revision !== expectedRevision) throw changedSince(input, active.revision);
  const [before, after] = await Promise.all([resolvePin(table, input, active), resolvePin(table, input, pin)]);
  const problems = findConfigProblems(after);
  if (problems.length > 0) throw new OpsError('input', problems.slice(0, 20).join('\n'), { hint: 'What is active stays active.' });
  const next: ActiveConfig = { ...pin, revision: expectedRevision + 1, by, message, release, atMs: now() };
  const changed = diffConfigs(before, after).map(({ name }) => name);
  try {
    await retry(() => table.transact(activationWrites(input, next, changed)));
    return next;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const held = await readActive(table, input); // a write whose answer got lost meets itself
    if (!isSame(held, input)) throw changedSince(input, held.revision);
    return held;
  }
}

function activationWrites(input: ActivateInput, next: ActiveConfig, changed: readonly string[]) {
  const { tenant, application, environment, expectedRevision } = input;
  const pk = configPartition(input);
  const { base, environment: upper, revision, by, message, release, atMs } = next;
  const fields = { base, environment: upper, revision, by, message, release, atMs };
  const id = createHash('sha256')
    .update(JSON.stringify([pk, environment, revision]))
    .digest('hex')
    .slice(0, 32);
  const detail = ConfigChanged.parse({
    ...{ id, tenant, at: new Date(atMs).toISOString(), application, environment, revision, by, message, release },
    names: changed.slice(0, NAMES_TOLD),
    truncatedNames: Math.max(0, changed.length - NAMES_TOLD),
  });
  return [
    {
      kind: 'put',
      item: { pk, sk: `active/${environment}`, ...fields },
      condition: expectedRevision === 0 ? { exists: false } : { equals: { revision: expectedRevision } },
    },
    { kind: 'put', item: { pk, sk: revisionKey(environment, revision), ...fields }, condition: { exists: false } },
    outboxWrite({ source: 'quarterdeck.releases', detailType: 'Config Changed', detail }),
  ] as const;
}

function isSame(active: ActiveConfig, { pin, release }: ActivateInput): boolean {
  return active.revision > 0 && active.base === pin.base && active.environment === pin.environment && active.release === release;
}

function changedSince({ application, environment, expectedRevision }: ActivateInput, revision: number): OpsError {
  return new OpsError('conflict', `${application} in ${environment} is at revision ${revision}, and ${expectedRevision} was expected`, {
    hint: 'Somebody else has activated a configuration since. Read what is active and decide again.',
  });
}

function revisionKey(environment: string, revision: number): string {
  return `revision/${environment}/${String(revision).padStart(DIGITS, '0')}`;
}

function toActive({ base, environment, revision, by, message, release, atMs }: Item): ActiveConfig {
  return {
    base: Number(base),
    environment: Number(environment),
    revision: Number(revision),
    by: String(by),
    message: String(message),
    release: release === undefined ? undefined : String(release),
    atMs: Number(atMs),
  };
}
