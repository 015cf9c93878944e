import * as z from 'zod';
import { CONDEMNED } from '#backups/format/layout.ts';
import { damaged, type Sealing, sealJson, unsealJson } from '#backups/format/sealed-object.ts';
import { listAll, type Repository } from '#backups/repository/repository.ts';
import { isOpsError } from '#core/errors.ts';

const Id = z.string().regex(/^[0-9a-f]{32}$/);

/** `list`: packs that are to go. `waits`: sessions that may use them. `verdict`: those packs that do go, decided once all of these have ended. */
const PARTS = {
  list: z.object({ at: z.string(), packs: z.array(Id) }),
  waits: z.object({ sessions: z.array(Id) }),
  verdict: z.object({ packs: z.array(Id) }),
};
type Part = keyof typeof PARTS;
type PartRecord<P extends Part> = z.infer<(typeof PARTS)[P]>;

/** Where a part of a list of condemned packs lies. */
export function condemnedKey(id: string, part: Part): string {
  return `${CONDEMNED}${id}/${part}`;
}

/** Puts a part once; what stands there then, which may be another pruner's. */
export async function putPart<P extends Part>(
  sealing: Sealing,
  repository: Repository,
  id: string,
  part: P,
  record: PartRecord<P>,
): Promise<PartRecord<P>> {
  const key = condemnedKey(id, part);
  const put = await repository.blobs.put(key, sealJson(sealing, key, { ...record }));
  return put === 'created' ? record : ((await readPart(repository, id, part)) ?? record);
}

/** A part, or undefined where there is none. */
export async function readPart<P extends Part>(repository: Repository, id: string, part: P): Promise<PartRecord<P> | undefined> {
  const key = condemnedKey(id, part);
  try {
    const { data, error } = PARTS[part].safeParse(unsealJson(repository.secrets, key, await repository.blobs.get(key)));
    if (!data) throw damaged(key, 'it has not the fields of its kind', error);
    return data as PartRecord<P>;
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}

/** The ids of all lists that stand, and of those of which something is left. */
export async function condemnedIds(repository: Repository): Promise<string[]> {
  const keys = (await listAll(repository.blobs, CONDEMNED)).map(({ key }) => key.slice(CONDEMNED.length));
  return [...new Set(keys.map((key) => key.slice(0, key.indexOf('/'))))];
}

/** Every pack that a list names. A backup reads this after it has opened its session and before the index. */
export async function condemnedPacks(repository: Repository): Promise<Set<string>> {
  const packs = new Set<string>();
  for (const id of await condemnedIds(repository)) {
    for (const pack of (await readPart(repository, id, 'list'))?.packs ?? []) packs.add(pack);
  }
  return packs;
}
