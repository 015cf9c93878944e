import type { Entry } from '#backups/entries/entry.ts';
import { createWalk } from '#backups/entries/walk-references.ts';
import { CONDEMNED, CONFIG_KEY, idOfKey, KEYS, packKey, SESSIONS } from '#backups/format/layout.ts';
import { unsealObject } from '#backups/format/sealed-object.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import { listPacks, loadIndex, readIndexLists } from '#backups/packs/index-objects.ts';
import { type PackList, packBytes } from '#backups/packs/pack-format.ts';
import { verifyPack } from '#backups/packs/verify-pack.ts';
import { decodeConfig } from '#backups/repository/config-object.ts';
import { verifyKeyObject } from '#backups/repository/key-objects.ts';
import { listAll, type Repository } from '#backups/repository/repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { isOpsError, isRetryable, OpsError } from '#core/errors.ts';

/** Which packs are read whole: none, all, or the n-th of t parts, so that a schedule comes round to all. */
export type DataSubset = 'none' | 'all' | { readonly part: number; readonly of: number };

export interface CheckProblem {
  /** The object that is wrong, or that something refers to in vain. */
  readonly object: string;
  readonly message: string;
}

export interface CheckResult {
  readonly problems: readonly CheckProblem[];
  /** What is no damage: packs that no index names, entries of packs that are gone. */
  readonly notes: readonly string[];
  readonly snapshots: number;
  readonly chunks: number;
  readonly packs: number;
  readonly readPacks: number;
}

export interface CheckInput {
  readonly repository: Repository;
  readonly data?: DataSubset | undefined;
  readonly onProgress?: ((done: { readonly readPacks: number; readonly ofPacks: number }) => void) | undefined;
}

interface Findings {
  readonly problems: CheckProblem[];
  readonly notes: string[];
}

/**
 * Looks at every object and reference, and names each that is not sound: without `data` all but the content in packs, with it that too, to the last
 * bit. Nothing is changed. Throws only what is retryable, and `input` for a part that is none.
 */
export async function checkRepository(input: CheckInput): Promise<CheckResult> {
  const found: Findings = { problems: [], notes: [] };
  await checkHeads(input.repository, found);
  const packs = await checkPacks(input, found);
  return { ...found, ...packs, ...(await checkReferences(input.repository, found)) };
}

/** Reads `3/7`; `input` where that is no part. */
export function parseSubset(text: string): DataSubset {
  const [, part, of] = text.match(/^(\d{1,6})\/(\d{1,6})$/) ?? [];
  const subset = { part: Number(part), of: Number(of) };
  if (subset.part >= 1 && subset.part <= subset.of) return subset;
  throw new OpsError('input', `${JSON.stringify(text)} is no part of the data`, {
    hint: 'Write n/t with n from 1 to t: 1/7 to 7/7 in a week.',
  });
}

function packChooser(data: DataSubset): (packId: string) => boolean {
  if (data === 'none') return () => false;
  if (data === 'all') return () => true;
  return (packId) => Number.parseInt(packId.slice(0, 8), 16) % data.of === data.part - 1;
}

/** Configuration, keys, sessions, condemned packs: whatever is sealed and stands alone. */
async function checkHeads({ blobs, secrets }: Repository, found: Findings): Promise<void> {
  await attempt(found, CONFIG_KEY, async () => void decodeConfig(secrets, await blobs.get(CONFIG_KEY)));
  const keys = await listAll(blobs, KEYS);
  if (keys.length === 0) found.problems.push({ object: KEYS, message: 'there is no key: nobody can open this repository again' });
  for (const { key } of keys) await attempt(found, key, async () => verifyKeyObject(idOfKey(key), await blobs.get(key), secrets.macOf));
  for (const prefix of [SESSIONS, CONDEMNED]) {
    for (const { key } of await listAll(blobs, prefix))
      await attempt(found, key, async () => void unsealObject(secrets, key, await blobs.get(key)));
  }
}

/** Every index object, that packs have the sizes that it tells, and the bytes of those that are chosen. */
async function checkPacks(
  { repository, data = 'none', onProgress }: CheckInput,
  found: Findings,
): Promise<Pick<CheckResult, 'packs' | 'readPacks'>> {
  const isChosen = packChooser(data);
  const packs = await listPacks(repository);
  const ofPacks = [...packs.keys()].filter(isChosen).length;
  const unlisted = new Set(packs.keys());
  let readPacks = 0;
  const read = async (packId: string, list?: PackList) => {
    if (!isChosen(packId)) return;
    const object = packKey(packId);
    await attempt(found, object, async () => {
      const { problems } = await verifyPack(repository, packId, list);
      found.problems.push(...problems.map(({ message }) => ({ object, message })));
    });
    readPacks++;
    onProgress?.({ readPacks, ofPacks });
  };
  for await (const list of readIndexLists(repository, (error) => found.problems.push({ object: nameIn(error), message: error.message }))) {
    const { packId, chunks } = list;
    const sizeBytes = packs.get(packId);
    if (sizeBytes === undefined) found.notes.push(`${packKey(packId)} is in the index and not on the store`);
    else if (sizeBytes !== packBytes(chunks)) {
      found.problems.push({
        object: packKey(packId),
        message: `pack ${packId} has ${sizeBytes} bytes, and ${packBytes(chunks)} by the index`,
      });
    }
    if (unlisted.delete(packId)) await read(packId, list);
  }
  for (const packId of unlisted) {
    found.notes.push(`${packKey(packId)} is in no index: a backup was broken off, or is under way`);
    await read(packId);
  }
  return { packs: packs.size, readPacks };
}

/** Every manifest, every list of entries, and that each chunk is in a pack. */
async function checkReferences(repository: Repository, found: Findings): Promise<{ snapshots: number; chunks: number }> {
  const snapshots = await listSnapshots(repository, (error, id) =>
    found.problems.push({ object: `snapshots/${id}`, message: error.message }),
  );
  const loaded = await loadIndex(repository, new Set(), () => undefined);
  let current = '';
  const tell = (message: string, entry?: Entry) => {
    const where = entry ? `snapshots/${current}: ${entry.path}` : `snapshots/${current}`;
    found.problems.push({ object: where, message });
  };
  const walk = createWalk(createChunkReader(repository, loaded), {
    onLost: (error, entry) => tell(error.message, entry),
    onContent: ({ id, sizeBytes }, entry) => {
      const location = loaded.chunks.find(id);
      if (!location) tell(`chunk ${Buffer.from(id).toString('hex')} is in no pack`, entry);
      else if (location.sizeBytes !== sizeBytes)
        tell(`chunk ${Buffer.from(id).toString('hex')} has another size than the index tells`, entry);
    },
  });
  for (const { id, entries } of snapshots) {
    current = id;
    await attempt(found, `snapshots/${id}`, () => walk.visit(entries));
  }
  return { snapshots: snapshots.length, chunks: walk.used.size };
}

async function attempt(found: Findings, object: string, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!isOpsError(error) || isRetryable(error)) throw error;
    // What was listed and has gone since, a session or a list, has ended.
    if (error.kind !== 'missing' || object === CONFIG_KEY) found.problems.push({ object, message: error.message });
  }
}

function nameIn(error: OpsError): string {
  return error.message.split(' ', 1)[0];
}
