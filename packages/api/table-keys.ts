import { createHash } from 'node:crypto';
import { createCache } from '#core/bounded-cache.ts';
import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Item, Table } from '#ports/table.ts';
import type { Authenticate, Grant, Scope } from './auth.ts';

/** What a key is made for. */
export interface KeyInput {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  /** Whose it is, for the one who looks through the keys later. */
  readonly note?: string | undefined;
}

/** A key as it is told once: the secret is kept nowhere. */
export interface CreatedKey {
  /** Names the key without giving it away. */
  readonly id: string;
  readonly secret: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}

const PARTITION = 'api-keys';
/** A key that was deleted goes on working for as long, in processes that knew it. */
const KNOWN_MS = 60_000;
/** A key made after it was tried works this soon. */
const UNKNOWN_MS = 5_000;
const MAX_CACHED = 10_000;
const ID_CHARACTERS = 16;

/**
 * Keys in the table, by the SHA-256 of the secret: 256 random bits, so that nothing slower is needed, and looking a hash up tells
 * nothing by its time. Answers are remembered for a minute, refusals for five seconds.
 */
export function authenticateByTable(table: Table, now: Clock): Authenticate {
  const cache = createCache<{ readonly grants: readonly Grant[]; readonly untilMs: number }>({ maxEntries: MAX_CACHED });
  return async (secret) => {
    if (secret === undefined || secret === '') return [];
    const hash = hashOf(secret);
    const cached = cache.get(hash);
    if (cached && now() < cached.untilMs) return cached.grants;
    const item = await retry(() => table.get({ pk: PARTITION, sk: hash }));
    const grants = item ? [toGrant(item)] : [];
    cache.set(hash, { grants, untilMs: now() + (item ? KNOWN_MS : UNKNOWN_MS) });
    return grants;
  };
}

/** Makes a key and keeps its hash. `newSecret` gives 256 random bits as visible ASCII. */
export async function createKey(
  deps: { table: Table; now: Clock; newSecret: () => string },
  { tenant, scopes, note }: KeyInput,
): Promise<CreatedKey> {
  const secret = deps.newSecret();
  const hash = hashOf(secret);
  const distinct = [...new Set(scopes)];
  const item = { pk: PARTITION, sk: hash, tenant, scopes: distinct, note, createdAt: new Date(deps.now()).toISOString() };
  await retry(() => deps.table.put(item));
  return { id: hash.slice(0, ID_CHARACTERS), secret, tenant, scopes: distinct };
}

/** Deletes the key of that id; `missing` if there is none. Processes that knew it refuse it within a minute. */
export async function deleteKey(deps: { table: Table }, id: string): Promise<{ readonly id: string; readonly tenant: string }> {
  const page = await retry(() => deps.table.query({ pk: PARTITION, from: id, to: `${id}~`, limit: 1 }));
  const item = id.length === ID_CHARACTERS ? page.items[0] : undefined;
  if (!item) throw new OpsError('missing', `there is no key ${JSON.stringify(id)}`, { hint: 'Its id was told when it was made.' });
  await retry(() => deps.table.delete({ pk: item.pk, sk: item.sk }));
  return { id, tenant: String(item.tenant) };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function toGrant(item: Item): Grant {
  return { tenant: String(item.tenant), scopes: new Set(item.scopes as readonly Scope[]) };
}
