import { createHash } from 'node:crypto';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { Json } from '#model/json.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Condition, Item, ItemKey, Table, Write } from '#ports/table.ts';
import type { Rollout } from './flagger-payload.ts';
import type { LookSummary } from './look-summary.ts';

/** Which analysis of which application looks at a rollout. */
export interface AnalysisName {
  readonly application: string;
  readonly analysis: string;
}

/** How far the looks of one analysis at one rollout are. */
export interface LookRecord extends AnalysisName {
  /** Names the write that made it; the next one is on condition of it. */
  readonly commitId: string;
  /** The end of the rollout that it came after, by its commit; empty for none. */
  readonly afterEnd: string;
  /** Telemetry from here on is looked at. */
  readonly fromMs: number;
  /** When the last look was made, and when it was last asked for. */
  readonly lookAtMs: number;
  readonly calledAtMs: number;
  readonly summary: LookSummary;
  readonly state: Json;
}

/** That a rollout ended, by what Flagger said last. */
export interface EndRecord {
  readonly commitId: string;
  readonly phase: string;
  readonly endedAtMs: number;
}

/** Everything that is held of a rollout. */
export interface RolloutRecords {
  readonly looks: readonly LookRecord[];
  readonly ended?: EndRecord | undefined;
}

const KEPT_MS = 30 * DAY_MS;

function partition(tenant: string): string {
  return `releases/kubernetes/${tenant}`;
}

function endKey({ tenant, namespace, name, checksum }: Rollout): ItemKey {
  return { pk: partition(tenant), sk: `rollout/${namespace}/${name}/${checksum}` };
}

/** Names that people gave may be long, and have any characters. */
function lookKey(rollout: Rollout, { application, analysis }: AnalysisName): ItemKey {
  const { pk, sk } = endKey(rollout);
  const hash = createHash('sha256')
    .update(JSON.stringify([application, analysis]))
    .digest('hex');
  return { pk, sk: `${sk}#${hash.slice(0, 32)}` };
}

/** When an item may go from the table. */
function expiryS(nowMs: number): number {
  return Math.ceil((nowMs + KEPT_MS) / 1000);
}

/** The looks at a rollout, and how it ended. Neither checksums nor names have a `#`, so that no other rollout's are among them. */
export async function readRollout(table: Table, rollout: Rollout): Promise<RolloutRecords> {
  const { pk, sk } = endKey(rollout);
  const items = await queryItems(table, { pk, from: sk, to: `${sk}$` });
  const ending = items.find((item) => item.sk === sk);
  return { looks: items.filter((item) => item.sk.startsWith(`${sk}#`)).map(toLook), ended: ending && toEnding(ending) };
}

/** The look of one analysis. */
export function findLook({ looks }: RolloutRecords, { application, analysis }: AnalysisName): LookRecord | undefined {
  return looks.find((look) => look.application === application && look.analysis === analysis);
}

/** Puts a look in the place of the one that was read, together with other writes; false where somebody else has, and nothing was done. */
export async function commitLook(
  deps: { table: Table },
  rollout: Rollout,
  before: LookRecord | undefined,
  after: LookRecord,
  alongside: readonly Write[],
): Promise<boolean> {
  const { application, analysis, commitId, afterEnd, fromMs, lookAtMs, calledAtMs, summary, state } = after;
  const item: Item = {
    ...lookKey(rollout, after),
    ...{ application, analysis, commitId, afterEnd, fromMs, lookAtMs, calledAtMs },
    summary: JSON.stringify(summary),
    state: JSON.stringify(state),
    expiresAtS: expiryS(lookAtMs),
  };
  return commit(deps.table, [{ kind: 'put', item, condition: asRead(before) }, ...alongside]);
}

/** Notes that the last look was asked for once more. Nothing is lost where another call does so at the same time. */
export async function noteCall({ table }: { table: Table }, rollout: Rollout, look: LookRecord, calledAtMs: number): Promise<void> {
  const write: Write = { kind: 'update', key: lookKey(rollout, look), changes: { set: { calledAtMs } }, condition: asRead(look) };
  await commit(table, [write]);
}

/** Notes how a rollout ended; as `commitLook`. */
export async function commitEnding(
  deps: { table: Table },
  rollout: Rollout,
  before: EndRecord | undefined,
  { commitId, phase, endedAtMs }: EndRecord,
  alongside: readonly Write[],
): Promise<boolean> {
  const item: Item = { ...endKey(rollout), commitId, phase, endedAtMs, expiresAtS: expiryS(endedAtMs) };
  return commit(deps.table, [{ kind: 'put', item, condition: asRead(before) }, ...alongside]);
}

/** Puts what was told once, together with other writes; false where it had been told before. */
export async function commitOnce(
  { table }: { table: Table },
  tenant: string,
  told: { readonly kind: string; readonly id: string; readonly text: string; readonly atMs: number },
  alongside: readonly Write[],
): Promise<boolean> {
  const { kind, id, text, atMs } = told;
  const item: Item = { pk: partition(tenant), sk: `${kind}/${id}`, text, atMs, expiresAtS: expiryS(atMs) };
  return commit(table, [{ kind: 'put', item, condition: { exists: false } }, ...alongside]);
}

/** The item is as it was read, or not there as it was not. */
function asRead(before: { readonly commitId: string } | undefined): Condition {
  return before ? { equals: { commitId: before.commitId } } : { exists: false };
}

async function commit(table: Table, writes: readonly Write[]): Promise<boolean> {
  try {
    await retry(() => table.transact(writes));
    return true;
  } catch (error) {
    if (isOpsError(error, 'conflict')) return false;
    throw error;
  }
}

function toLook(item: Item): LookRecord {
  const { application, analysis, commitId, afterEnd, fromMs, lookAtMs, calledAtMs, summary, state } = item;
  return {
    ...{ application: String(application), analysis: String(analysis), commitId: String(commitId), afterEnd: String(afterEnd) },
    ...{ fromMs: Number(fromMs), lookAtMs: Number(lookAtMs), calledAtMs: Number(calledAtMs) },
    summary: JSON.parse(String(summary)) as LookSummary,
    state: JSON.parse(String(state)) as Json,
  };
}

function toEnding({ commitId, phase, endedAtMs }: Item): EndRecord {
  return { commitId: String(commitId), phase: String(phase), endedAtMs: Number(endedAtMs) };
}
