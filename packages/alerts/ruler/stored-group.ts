import { groupId } from '#alerts/evaluate/group-pointer.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Clock } from '#core/time.ts';
import type { Item, Table, Write } from '#ports/table.ts';

/** A rule group that was written by API. */
export interface StoredGroup {
  readonly namespace: string;
  readonly name: string;
  /** YAML as it was sent. */
  readonly text: string;
  /** How often it was written. */
  readonly version: number;
  readonly updatedAtMs: number;
}

/** One item for each tenant, whose version changes with every group: who knows the version knows the groups. */
const RULERS = 'alerts/rulers';
const MAX_GROUPS = 1_000;
/** An item holds 400 KB. */
const MAX_TEXT_BYTES = 350_000;
const MAX_NAME_BYTES = 1_024;
const ATTEMPTS = 10;
const PER_TRANSACTION = 90;

function partition(tenant: string): string {
  return `alerts/rules/${tenant}`;
}

/** The tenants that wrote rule groups by API, and the versions of what they have. */
export async function readRulers(table: Table): Promise<Map<string, number>> {
  const rulers = new Map<string, number>();
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: RULERS, after }));
    for (const { sk, version } of page.items) rulers.set(sk, Number(version));
    if (page.next === undefined) return rulers;
    after = page.next;
  }
}

/** The version of what a tenant has; 0 where it never wrote any. */
export async function readRulerVersion(table: Table, tenant: string): Promise<number> {
  return Number((await retry(() => table.get({ pk: RULERS, sk: tenant })))?.version ?? 0);
}

/** Every group that a tenant wrote, by namespace and name. */
export async function listStoredGroups(table: Table, tenant: string): Promise<StoredGroup[]> {
  const groups: StoredGroup[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: partition(tenant), after }));
    groups.push(...page.items.map(toGroup));
    if (page.next === undefined) break;
    after = page.next;
  }
  return groups.sort((a, b) => compareUtf8(a.namespace, b.namespace) || compareUtf8(a.name, b.name));
}

function toGroup({ namespace, name, text, version, updatedAtMs }: Item): StoredGroup {
  return {
    namespace: String(namespace),
    name: String(name),
    text: String(text),
    version: Number(version),
    updatedAtMs: Number(updatedAtMs),
  };
}

/** Puts a group in the place of the one of its name. `limit` for one that is too large, or too many. */
export async function putStoredGroup(
  deps: { readonly table: Table; readonly now: Clock },
  tenant: string,
  { namespace, name, text }: Pick<StoredGroup, 'namespace' | 'name' | 'text'>,
): Promise<void> {
  checkSizes(namespace, name, text);
  const key = { pk: partition(tenant), sk: groupId(namespace, name) };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = await retry(() => deps.table.get(key));
    if (!before && (await listStoredGroups(deps.table, tenant)).length >= MAX_GROUPS)
      throw new OpsError('limit', `there are ${MAX_GROUPS} rule groups, and no more are taken`);
    const item = { ...key, namespace, name, text, version: Number(before?.version ?? 0) + 1, updatedAtMs: deps.now() };
    const condition = before ? { equals: { version: Number(before.version) } } : { exists: false };
    if (await writeOver(deps.table, tenant, [{ kind: 'put', item, condition }])) return;
  }
  throw new OpsError('unavailable', 'the rule group is being changed by others all the time', { retryAfterMs: 1_000 });
}

function checkSizes(namespace: string, name: string, text: string): void {
  if (namespace === '') throw new OpsError('input', 'a namespace must not be empty');
  for (const [what, value] of [
    ['namespace', namespace],
    ['name of a group', name],
  ] as const) {
    if (Buffer.byteLength(value) > MAX_NAME_BYTES) throw new OpsError('limit', `the ${what} has more than ${MAX_NAME_BYTES} bytes`);
  }
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES)
    throw new OpsError('limit', `the rule group has more than ${MAX_TEXT_BYTES} bytes`, { hint: 'Make several groups of it.' });
}

/** Deletes a group, or a namespace; false where there is nothing of the kind. */
export async function deleteStoredGroups(table: Table, tenant: string, namespace: string, name?: string): Promise<boolean> {
  const all = await listStoredGroups(table, tenant);
  const gone = all.filter((group) => group.namespace === namespace && (name === undefined || group.name === name));
  for (let i = 0; i < gone.length; i += PER_TRANSACTION) {
    const some = gone.slice(i, i + PER_TRANSACTION);
    const writes = some.map((group): Write => ({ kind: 'delete', key: { pk: partition(tenant), sk: groupId(namespace, group.name) } }));
    await writeOver(table, tenant, writes);
  }
  return gone.length > 0;
}

async function writeOver(table: Table, tenant: string, writes: readonly Write[]): Promise<boolean> {
  const version: Write = { kind: 'update', key: { pk: RULERS, sk: tenant }, changes: { add: { version: 1 } } };
  try {
    await retry(() => table.transact([...writes, version]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return false;
  }
}
