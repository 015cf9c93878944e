import { retry } from '#core/retry.ts';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';
import type { Answer } from './plan-answers.ts';

/** What one place is to be told, or was told last: there is one of these for each place. */
export interface PendingAnswer {
  readonly tenant: string;
  readonly answer: Answer;
  /** The event that it tells of, and when that happened: what happened before is not told any more. */
  readonly eventId: string;
  readonly eventAtMs: number;
  /** Undefined once it is told, or given up. */
  readonly dueAtMs: number | undefined;
  /** How it ended: '', 'sent' or 'gave up'. */
  readonly outcome: '' | 'sent' | 'gave up';
  readonly createdAtMs: number;
  /** Tries begun so far. */
  readonly attempts: number;
  /** Tries to tell a protection rule something without a decision: the place takes few of them. */
  readonly comments: number;
  /** Of the write that left it as it is; every write finds the one before it by this, and itself where its answer got lost. */
  readonly stamp: string;
  /** The stamp of the try that is under way, and when it is over at the latest: what comes meanwhile waits for it. */
  readonly heldBy: string;
  readonly heldUntilMs: number;
}

/** Where an answer stands in the order of what is due. */
export interface DueAnswer {
  readonly tenant: string;
  readonly lane: string;
  readonly dueAtMs: number;
}

const PARTITION = 'releases/answers/_due'; // no tenant's name begins so
/** Later than any try is put off: such a time was made by a clock that has gone back since. */
const FARTHEST_MS = 2 * HOUR_MS;
/** Longer than GitHub lets a protection rule wait: so long a late event can tell that it is late. */
const REMEMBERED_MS = 35 * DAY_MS;

/** Answers whose time has come, the longest due first. */
export async function listDueAnswers(table: Table, nowMs: number, limit: number, onlyTenant: string | undefined): Promise<DueAnswer[]> {
  const wanted = ({ tenant }: Item) => onlyTenant === undefined || tenant === onlyTenant;
  const due = await queryItems(table, { pk: PARTITION, to: dueKey(nowMs + 1, '', '') }, { limit, wanted });
  if (due.length > 0) return due.map(toDue);
  return (await queryItems(table, { pk: PARTITION, from: dueKey(nowMs + FARTHEST_MS, '', '') }, { limit, wanted })).map(toDue);
}

function toDue({ sk, tenant, lane }: Item): DueAnswer {
  return { tenant: String(tenant), lane: String(lane), dueAtMs: Number(sk.split('#', 1)[0]) };
}

/** The answer of a place; undefined where it was never told anything. */
export async function readAnswer(table: Table, tenant: string, lane: string): Promise<PendingAnswer | undefined> {
  const item = await retry(() => table.get(laneKey(tenant, lane)));
  return item && toAnswer(item);
}

/** The writes that put an answer in the place of the one before it; they fail unless that one is as it was read. */
export function replaceAnswer(before: PendingAnswer | undefined, after: PendingAnswer): Write[] {
  const condition = before ? { equals: { stamp: before.stamp } } : { exists: false };
  const writes: Write[] = [{ kind: 'put', item: toItem(after), condition }];
  const [left, taken] = [before, after].map((each) => each && indexKey(each));
  if (left && left.sk !== taken?.sk) writes.push({ kind: 'delete', key: left });
  if (taken) writes.push({ kind: 'put', item: { ...taken, tenant: after.tenant, lane: after.answer.lane } });
  return writes;
}

function indexKey({ dueAtMs, tenant, answer }: PendingAnswer): ItemKey | undefined {
  return dueAtMs === undefined ? undefined : { pk: PARTITION, sk: dueKey(dueAtMs, tenant, answer.lane) };
}

function dueKey(dueAtMs: number, tenant: string, lane: string): string {
  return `${String(Math.max(0, Math.ceil(dueAtMs))).padStart(16, '0')}#${tenant}#${lane}`;
}

function laneKey(tenant: string, lane: string): ItemKey {
  return { pk: `releases/answers/${tenant}`, sk: lane };
}

function toItem({ tenant, answer, ...fields }: PendingAnswer): Item {
  const expiresAtS = fields.dueAtMs === undefined ? Math.ceil((fields.createdAtMs + REMEMBERED_MS) / 1_000) : undefined;
  return { ...laneKey(tenant, answer.lane), ...fields, tenant, answer: JSON.stringify(answer), expiresAtS };
}

function toAnswer(item: Item): PendingAnswer {
  return {
    tenant: String(item.tenant),
    answer: JSON.parse(String(item.answer)) as Answer,
    eventId: String(item.eventId),
    eventAtMs: Number(item.eventAtMs),
    dueAtMs: item.dueAtMs === undefined ? undefined : Number(item.dueAtMs),
    outcome: item.outcome as PendingAnswer['outcome'],
    createdAtMs: Number(item.createdAtMs),
    attempts: Number(item.attempts),
    comments: Number(item.comments),
    stamp: String(item.stamp),
    heldBy: String(item.heldBy),
    heldUntilMs: Number(item.heldUntilMs),
  };
}
