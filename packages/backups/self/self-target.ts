import { chunk, mapConcurrent } from '#core/batch.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { type RetryOptions, retry } from '#core/retry.ts';
import type { BackupTarget, RestoredItem } from '#ports/backup-target.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Item, Table } from '#ports/table.ts';
import type { TableDump } from '#ports/table-dump.ts';
import { decodeItemLine, encodeItemLine } from './item-line.ts';
import { asNamed, namedBlobs } from './named-blobs.ts';

export interface SelfTargetDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  /** As the user wrote it. Default `quarterdeck:`. */
  readonly name?: string | undefined;
  readonly retry?: RetryOptions | undefined;
}

/** Where catalogs wait until all objects are there. */
const WAITING = 'restore/catalog/';
const FIRST = `${WAITING}001/000000`;
const MAX_BLOB_BYTES = 1024 * 1024 * 1024;
const CONCURRENT = 16;

/**
 * An empty Quarterdeck that nobody uses yet as a target. Objects come first: parts of the catalog wait as objects of their own until `finish`
 * writes the items of the last pass, so that nothing names what is not there. Nothing is ever overwritten: an item or object that is there with
 * another content is a `conflict`. Repeatable as a whole and from anywhere.
 */
export function openSelfTarget(deps: SelfTargetDeps): BackupTarget {
  return {
    type: 'quarterdeck',
    name: deps.name ?? 'quarterdeck:',
    async plan(item) {
      const sizeBytes = await sizeOf(deps, placeOf(item));
      if (sizeBytes === undefined) return 'create';
      // Another snapshot's catalog could be of the same size.
      return sizeBytes === item.sizeBytes && item.kind !== 'catalog' ? 'keep' : 'replace';
    },
    async write(item) {
      const place = placeOf(item);
      const body = await gather(item);
      if (item.kind === 'catalog') for (const line of linesOf(body)) decodeItemLine(line);
      // A restore begins: what waits is of one that was interrupted, and may be of another snapshot.
      if (place === FIRST) await clearWaiting(deps);
      await putOnce(deps, place, body);
    },
    finish: () => finishRestore(deps),
  };
}

/**
 * Whether a restore can go there: no item is in the table, and nothing in the store but what a restore left that was interrupted before it wrote
 * items.
 */
export async function isFreshSelf({ dump, blobs }: { readonly dump: TableDump; readonly blobs: Blobs }): Promise<boolean> {
  const moment = await retry(() => dump.begin());
  try {
    for await (const _ of moment.scan()) return false;
  } finally {
    await moment.close();
  }
  if ((await retry(() => blobs.list(WAITING, { limit: 1 }))).entries.length > 0) return true;
  return (await retry(() => blobs.list('', { limit: 1 }))).entries.length === 0;
}

function placeOf({ path, kind }: Pick<RestoredItem, 'path' | 'kind'>): string {
  const [, pass, folder, rest] = /^(\d{3})\/(catalog|objects)\/(.+)$/.exec(path) ?? [];
  if (kind === 'catalog' && folder === 'catalog' && /^\d{6}$/.test(rest ?? '')) return `${WAITING}${pass}/${rest}`;
  // Only what a catalog can name: nothing else has a place here.
  if (kind === 'blob' && folder === 'objects' && asNamed(rest ?? '') !== undefined) return rest as string;
  throw new OpsError('input', `${JSON.stringify(path)} is no part of a Quarterdeck`);
}

async function gather({ path, sizeBytes, content }: RestoredItem): Promise<Uint8Array> {
  if (sizeBytes > MAX_BLOB_BYTES) throw new OpsError('limit', `${path} has ${sizeBytes} bytes, at most ${MAX_BLOB_BYTES} are restored`);
  const pieces: Uint8Array[] = [];
  for await (const piece of content ?? []) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (body.length !== sizeBytes) throw new OpsError('input', `${path} came with ${body.length} bytes of ${sizeBytes}`);
  return body;
}

async function putOnce(deps: SelfTargetDeps, key: string, body: Uint8Array): Promise<void> {
  if ((await retry(() => deps.blobs.put(key, body), deps.retry)) === 'created') return;
  const there = await retry(() => deps.blobs.get(key), deps.retry);
  if (Buffer.compare(there, body) === 0) return;
  throw new OpsError('conflict', `object "${key}" is there already with another content`, { hint: 'Restore into an empty Quarterdeck.' });
}

async function sizeOf(deps: SelfTargetDeps, key: string): Promise<number | undefined> {
  const { entries } = await retry(() => deps.blobs.list(key, { limit: 1 }), deps.retry);
  return entries.find((entry) => entry.key === key)?.sizeBytes;
}

/** Writes the items of the last pass, checks that what they name is there, and clears the waiting parts away. */
async function finishRestore(deps: SelfTargetDeps): Promise<{ path: string; message: string }[]> {
  const waiting = await listKeys(deps, WAITING);
  const last = waiting.at(-1)?.slice(WAITING.length).split('/')[0];
  if (last === undefined) return [];
  const faults: { path: string; message: string }[] = [];
  for (const key of waiting.filter((each) => each.startsWith(`${WAITING}${last}/`))) {
    const items = linesOf(await retry(() => deps.blobs.get(key), deps.retry)).map(decodeItemLine);
    for (const part of chunk(items, 25)) await putItems(deps, part);
    for (const name of items.flatMap((item) => namedBlobs(item).map(({ key }) => key))) {
      if ((await sizeOf(deps, name)) === undefined)
        faults.push({ path: `${last}/objects/${name}`, message: `the catalog names "${name}", which was not restored` });
    }
  }
  await retry(() => deps.blobs.delete(waiting), deps.retry);
  return faults;
}

async function clearWaiting(deps: SelfTargetDeps): Promise<void> {
  const waiting = await listKeys(deps, WAITING);
  if (waiting.length > 0) await retry(() => deps.blobs.delete(waiting), deps.retry);
}

async function putItems(deps: SelfTargetDeps, items: readonly Item[]): Promise<void> {
  const writes = items.map((item) => ({ kind: 'put' as const, item, condition: { exists: false } }));
  try {
    await retry(() => deps.table.transact(writes), deps.retry);
  } catch (error) {
    // Some are there: from a run before this one, or from a Quarterdeck that is not empty. Or they are too large together.
    if (!isOpsError(error, 'conflict') && !isOpsError(error, 'input')) throw error;
    await mapConcurrent(items, CONCURRENT, (item) => putItem(deps, item));
  }
}

async function putItem(deps: SelfTargetDeps, item: Item): Promise<void> {
  try {
    await retry(() => deps.table.put(item, { exists: false }), deps.retry);
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const there = await retry(() => deps.table.get({ pk: item.pk, sk: item.sk }), deps.retry);
    if (there !== undefined && encodeItemLine(there) === encodeItemLine(item)) return;
    throw new OpsError('conflict', `item ${item.pk} / ${item.sk} is there already with another content`, {
      hint: 'Restore into an empty Quarterdeck that nobody uses yet.',
    });
  }
}

async function listKeys(deps: SelfTargetDeps, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => deps.blobs.list(prefix, { after }), deps.retry);
    keys.push(...page.entries.map(({ key }) => key));
    if (page.next === undefined) return keys;
    after = page.next;
  }
}

function linesOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (text !== '' && !text.endsWith('\n')) throw new OpsError('input', 'a part of the catalog is cut off');
  return text.split('\n').slice(0, -1);
}
