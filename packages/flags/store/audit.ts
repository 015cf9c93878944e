import { retry } from '#core/retry.ts';
import type { FlagChanged } from '#model/flag-events.ts';
import type { Item, Table, Write } from '#ports/table.ts';
import type { FlagRecord } from './flag-record.ts';

/** One change of a flag, as it is kept for good: from what to what. */
export interface AuditEntry {
  readonly version: number;
  readonly at: string;
  /** Who it was, as the caller said. */
  readonly by: string;
  readonly reason: string;
  readonly action: FlagChanged['action'];
  readonly before: unknown;
  readonly after: unknown;
}

interface AuditInput {
  readonly by: string;
  readonly reason: string;
  readonly action: FlagChanged['action'];
  readonly before: FlagRecord | undefined;
  readonly after: FlagRecord;
}

const partition = (tenant: string) => `flags/audit/${tenant}`;

/** Flags by name, and the changes of each in their order. */
const sortKey = (key: string, version: number) => `${encodeURIComponent(key)}#${String(version).padStart(12, '0')}`;

/** The write of an entry, for the transaction of its change. It is made once and never again. */
export function auditWrite(tenant: string, { by, reason, action, before, after }: AuditInput): Write {
  const { key, version, changeId, updatedAtMs } = after;
  const said = { version, changeId, at: new Date(updatedAtMs).toISOString(), by, reason, action };
  const item = { pk: partition(tenant), sk: sortKey(key, version), ...said, before: told(before), after: told(after) };
  return { kind: 'put', item, condition: { exists: false } };
}

function told(record: FlagRecord | undefined): string | undefined {
  if (!record || record.isDeleted) return undefined;
  const { definition, rollout, kill, boundTo } = record;
  return JSON.stringify({ definition, rollout, kill, boundTo });
}

/** A page of a flag's changes, the last one first; those before a version if one is given. */
export async function readAudit(
  table: Table,
  tenant: string,
  key: string,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  const [from, to] = [sortKey(key, 0), before === undefined ? `${encodeURIComponent(key)}#~` : sortKey(key, before)];
  for (let after: string | undefined; entries.length < limit; ) {
    const page = await retry(() => table.query({ pk: partition(tenant), from, to, limit: limit - entries.length, after, reverse: true }));
    entries.push(...page.items.map(toEntry));
    if (page.next === undefined) break;
    after = page.next;
  }
  return entries;
}

function toEntry({ version, at, by, reason, action, before, after }: Item): AuditEntry {
  const words = { at: String(at), by: String(by), reason: String(reason), action: String(action) as AuditEntry['action'] };
  return { version: Number(version), ...words, before: parsed(before), after: parsed(after) };
}

/** Null where there was no flag; what is damaged is told as it lies there. */
function parsed(text: unknown): unknown {
  if (text === undefined) return null;
  try {
    return JSON.parse(String(text));
  } catch {
    return String(text);
  }
}
