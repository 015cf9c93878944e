import * as z from 'zod';
import { CONDEMNED, CONDEMNED_KEY } from '#backups/format/layout.ts';
import { damaged, type Sealing, sealJson, unsealJson } from '#backups/format/sealed-object.ts';
import { listAll, type Repository } from '#backups/repository/repository.ts';
import { isOpsError } from '#core/errors.ts';

const Id = z.string().regex(/^[0-9a-f]{32}$/);

/** Packs that are to go, and the sessions that must have ended before: what a pruner's first phase leaves to the second. */
export const Condemned = z.object({ id: Id, at: z.string(), packs: z.array(Id) });
export type Condemned = z.infer<typeof Condemned>;

/** Which of the condemned packs go; decided once for each list, after every session that may use them has ended. */
export const Verdict = z.object({ condemnedId: Id, packs: z.array(Id) });
export type Verdict = z.infer<typeof Verdict>;

/** Where the verdict on a list lies: a new list has another one. */
export function verdictKey(condemnedId: string): string {
  return `${CONDEMNED}verdict-${condemnedId}`;
}

/** Seals a list or a verdict. */
export function encodeCondemned(sealing: Sealing, key: string, record: Condemned | Verdict): Uint8Array {
  return sealJson(sealing, key, { ...record });
}

/** The list that stands, or undefined. */
export async function readCondemned(repository: Repository): Promise<Condemned | undefined> {
  return readRecord(repository, CONDEMNED_KEY, Condemned);
}

/** The verdict on a list, or undefined. */
export async function readVerdict(repository: Repository, condemnedId: string): Promise<Verdict | undefined> {
  return readRecord(repository, verdictKey(condemnedId), Verdict);
}

/** Every pack that any list or verdict names. A backup reads this after it has opened its session and before the index. */
export async function condemnedPacks(repository: Repository): Promise<Set<string>> {
  const packs = new Set<string>();
  for (const { key } of await listAll(repository.blobs, CONDEMNED)) {
    const record = await readRecord(repository, key, z.object({ packs: z.array(Id) }));
    for (const pack of record?.packs ?? []) packs.add(pack);
  }
  return packs;
}

async function readRecord<T>(repository: Repository, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const { data, error } = schema.safeParse(unsealJson(repository.secrets, key, await repository.blobs.get(key)));
    if (!data) throw damaged(key, 'it has not the fields of its kind', error);
    return data;
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}
