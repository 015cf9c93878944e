import { OpsError } from '#core/errors.ts';
import { compileFlag, type Kill } from '#flags/compile-flag.ts';
import { checkFlagKey, type FlagDefinition } from '#flags/flag-definition.ts';
import type { FlagChanged } from '#model/flag-events.ts';
import type { PlannedShare, RolloutChange, RolloutState } from '#ports/rollouts.ts';
import type { FlagRecord, RolloutSetting } from './flag-record.ts';
import { describeClash, type FileFlag } from './flag-view.ts';

/** What a change starts from: what the table and the files hold of the flag. */
export interface CurrentFlag {
  readonly key: string;
  readonly record: FlagRecord | undefined;
  readonly file: FileFlag | undefined;
}

/** What a change comes to; undefined where there is nothing to do. */
export type PlannedChange = { readonly action: FlagChanged['action']; readonly next: FlagParts } | undefined;

/** What of a record a change decides; the rest follows. */
export type FlagParts = Pick<FlagRecord, 'definition' | 'rollout' | 'kill' | 'boundTo' | 'isDeleted'>;

const MAX_DEFINITION_BYTES = 128 * 1024;

/** The version that a writer has seen: a number, `'any'`, or `'none'` for a flag that must not be there. */
export type Expected = number | 'any' | 'none';

/** The definition that counts, with what was set of its rollout; undefined where there is no such flag. */
export function effectiveDefinition({ record, file }: CurrentFlag): FlagDefinition | undefined {
  if (record?.definition && !record.isDeleted) return record.definition;
  if (!file) return undefined;
  const setting = record?.rollout;
  return setting
    ? { ...file.definition, rollout: { ...file.definition.rollout, ...setting, steps: setting.steps && [...setting.steps] } }
    : file.definition;
}

function partsOf(record: FlagRecord | undefined): FlagParts {
  const { definition, rollout, kill, boundTo, isDeleted = false } = record ?? {};
  return { definition, rollout, kill, boundTo, isDeleted };
}

function mustExist(current: CurrentFlag): FlagDefinition {
  const definition = effectiveDefinition(current);
  if (!definition) throw new OpsError('missing', `there is no flag ${JSON.stringify(current.key)}`, { hint: 'GET /api/flags lists them.' });
  if (current.file && current.record?.definition && !current.record.isDeleted)
    throw new OpsError('conflict', describeClash(current.key, current.file.file));
  return definition;
}

function checkExpected({ key, record, file }: CurrentFlag, expected: Expected): void {
  // What was set of a file's flag outlives the file, and is no flag then.
  const exists = record !== undefined && !record.isDeleted && (record.definition !== undefined || file !== undefined);
  const at = exists ? record.version : 0;
  if (expected === 'any' || expected === at || (expected === 'none' && !exists)) return;
  const said = exists ? `is at version ${at}` : 'is not there';
  const wanted = expected === 'none' ? 'it was to be made' : `version ${expected} was to be changed`;
  throw new OpsError('conflict', `flag ${JSON.stringify(key)} ${said}, and ${wanted}: somebody else has changed it`, {
    hint: 'Read it again, and send If-Match with the version that you have seen.',
  });
}

function refuseBound(key: string, boundTo: string, what: string): never {
  throw new OpsError(
    'conflict',
    `the rollout of flag ${JSON.stringify(key)} is driven by release ${boundTo}: ${what} would give people what its judge does not know of`,
    {
      hint: 'Abort the release, or say that the change is forced; turning the flag off needs neither.',
    },
  );
}

/** Puts a flag in the place of what is there. Undefined where it is there already, as it is. */
export function planPut(current: CurrentFlag, definition: FlagDefinition, expected: Expected, isForced: boolean): PlannedChange {
  const { key, record, file } = current;
  checkFlagKey(key);
  if (file)
    throw new OpsError(
      'conflict',
      `flag ${JSON.stringify(key)} is in ${file.file} of the configuration, and cannot be written by API too`,
      { hint: 'Change the file, or take the flag out of it first.' },
    );
  compileFlag(key, definition);
  const sizeBytes = Buffer.byteLength(JSON.stringify(definition));
  if (sizeBytes > MAX_DEFINITION_BYTES)
    throw new OpsError('limit', `flag ${JSON.stringify(key)} has ${sizeBytes} bytes; at most ${MAX_DEFINITION_BYTES} are taken`);
  const isThere = record?.definition !== undefined && !record.isDeleted;
  if (isThere && isSame(record.definition, definition)) return undefined;
  checkExpected(current, expected);
  if (isThere && record.boundTo !== undefined && !isForced && !isSame(record.definition?.rollout, definition.rollout))
    refuseBound(key, record.boundTo, 'another rollout');
  const kept = isThere ? { kill: record.kill, boundTo: record.boundTo } : {};
  return { action: isThere ? 'changed' : 'created', next: { ...kept, definition, isDeleted: false } };
}

/** Two parts are the same if they are written the same: the order of fields counts as a change. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Deletes a flag that was written by API; undefined where it is gone. */
export function planDelete(current: CurrentFlag, expected: Expected, isForced: boolean): PlannedChange {
  const { key, record, file } = current;
  if (!record?.definition || record.isDeleted) {
    if (file) throw new OpsError('conflict', `flag ${JSON.stringify(key)} is in ${file.file} of the configuration: delete it there`);
    return undefined;
  }
  checkExpected(current, expected);
  if (record.boundTo !== undefined && !isForced) refuseBound(key, record.boundTo, 'deleting it');
  return { action: 'deleted', next: { isDeleted: true } };
}

/** Turns a flag off for everybody; undefined where it is off already. What it is driven by stays. */
export function planKill(current: CurrentFlag, kill: Kill): PlannedChange {
  const definition = mustExist(current);
  const before = current.record?.isDeleted ? undefined : current.record;
  const variant = kill.variant ?? offVariant(definition);
  if (variant !== undefined && !Object.hasOwn(definition.variants, variant))
    throw new OpsError('input', `${JSON.stringify(variant)} is no variant of flag ${JSON.stringify(current.key)}`);
  if (before?.kill && before.kill.variant === variant) return undefined;
  return { action: 'killed', next: { ...partsOf(before), kill: { ...kill, variant } } };
}

/** Lets a flag give again what it gave before; undefined where it does. */
export function planRevive(current: CurrentFlag): PlannedChange {
  mustExist(current);
  if (!current.record?.kill) return undefined;
  return { action: 'revived', next: { ...partsOf(current.record), kill: undefined } };
}

/** What off is: false of a flag of true and false, else the default variant, else the code's own default. */
function offVariant({ variants, defaultVariant }: FlagDefinition): string | undefined {
  return Object.keys(variants).find((name) => variants[name] === false) ?? defaultVariant ?? undefined;
}

/** How far the rollout is. `input` for a flag that has none and of which nothing tells who would get what. */
export function rolloutState(current: CurrentFlag, variant?: string): RolloutState {
  const definition = mustExist(current);
  const { rollout } = definition;
  const record = current.record?.isDeleted ? undefined : current.record;
  return {
    variant: variant ?? rollout?.variant ?? otherVariant(current.key, definition),
    percentage: rollout?.percentage ?? 0,
    steps: rollout?.steps ?? [],
    version: record?.version ?? 0,
    boundTo: record?.boundTo,
    isKilled: record?.kill !== undefined,
  };
}

/** Of two variants the one that is not the default. */
function otherVariant(key: string, { variants, defaultVariant }: FlagDefinition): string {
  const others = Object.keys(variants).filter((name) => name !== defaultVariant);
  if (others.length === 1 && defaultVariant) return others[0] as string;
  throw new OpsError(
    'input',
    `flag ${JSON.stringify(key)} has no rollout, and its variants do not tell which one to roll out: name a variant`,
  );
}

/** Sets the percentage; see the port Rollouts. */
export function planRollout(current: CurrentFlag, percentage: number, change: RolloutChange): PlannedChange {
  const { key } = current;
  const definition = mustExist(current);
  const state = rolloutState(current, change.variant);
  if (!(percentage >= 0 && percentage <= 100)) throw new OpsError('input', `a percentage is from 0 to 100; got ${percentage}`);
  if (!Object.hasOwn(definition.variants, state.variant))
    throw new OpsError('input', `${JSON.stringify(state.variant)} is no variant of flag ${JSON.stringify(key)}`);
  const steps: readonly PlannedShare[] = change.steps ?? [];
  const setting = {
    variant: state.variant,
    percentage: Math.round(percentage * 1_000) / 1_000,
    ...(steps.length > 0 && { steps: [...steps] }),
  };
  const boundTo = change.boundTo === undefined ? state.boundTo : (change.boundTo ?? undefined);
  if (boundTo === state.boundTo && isSet(definition, setting, steps)) return undefined;
  if (change.expectedVersion !== undefined) checkExpected(current, change.expectedVersion);
  const isTheirs = state.boundTo !== undefined && change.boundTo !== null && change.boundTo !== state.boundTo;
  if (isTheirs && change.isForced !== true)
    refuseBound(
      key,
      state.boundTo as string,
      `setting ${percentage} % ${change.boundTo === undefined ? 'by hand' : `for release ${change.boundTo}`}`,
    );
  return { action: 'rollout', next: { ...withRollout(current, definition, setting), boundTo } };
}

function isSet({ rollout }: FlagDefinition, setting: RolloutSetting, steps: readonly PlannedShare[]): boolean {
  return rollout?.variant === setting.variant && rollout.percentage === setting.percentage && isSame(rollout.steps ?? [], steps);
}

/** Into the definition of a flag written by API, beside that of a file. */
function withRollout({ record, file }: CurrentFlag, definition: FlagDefinition, setting: RolloutSetting): FlagParts {
  const parts = partsOf(record?.isDeleted ? undefined : record);
  if (file) return { ...parts, rollout: setting };
  const { variant, percentage, steps } = setting;
  const { steps: _, ...kept } = definition.rollout ?? {};
  return { ...parts, definition: { ...definition, rollout: { ...kept, variant, percentage, ...(steps && { steps: [...steps] }) } } };
}
