// One long function, because what it is made of shares the state at its top.
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { syncFolder } from './durable-folders.ts';
import { appendRecord, scanPack } from './pack-file.ts';

/** An object in a pack. */
export interface PackedObject {
  readonly key: string;
  readonly pack: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** Small objects in append-only files. */
export interface PackStore {
  /** Durable when it resolves; false if the key is taken. */
  put(key: string, body: Uint8Array): Promise<boolean>;
  find(key: string): PackedObject | undefined;
  read(object: PackedObject, start: number, end: number): Promise<Uint8Array>;
  delete(keys: readonly string[]): Promise<void>;
  /** In no order. */
  list(): Iterable<PackedObject>;
  close(): Promise<void>;
}

interface Pack {
  readonly name: string;
  /** How far it has been scanned. */
  scannedTo: number;
  /** Objects that are not deleted. */
  live: number;
  /** Packs that its records of deletions are about. */
  readonly deletesFrom: Set<string>;
}

const MAX_PACK_BYTES = 64 * 1024 * 1024;

/** Packs that a store of this process still appends to. */
const growing = new Set<string>();

/**
 * Opens the packs of a folder. Each process appends to packs of its own (`<random>-<pid>.pack`) and reads all. One write and a
 * shared fdatasync make an object durable, a fraction of what creating a file costs. A pack is removed once all in it is
 * deleted, and only by its own process while that lives. Keys are fresh for each attempt, so two processes never put one.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: what it is made of shares the state at its top
export function openPackStore(folder: string, clock: Clock): PackStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const packs = new Map<string, Pack>();
  const objects = new Map<string, PackedObject>();
  const deleted = new Map<string, string>();
  const readers = new Map<string, Promise<FileHandle>>();
  let active: { pack: Pack; fd: number; sizeBytes: number; handle: Promise<FileHandle> } | undefined;
  const dirty = new Set<Promise<FileHandle>>();
  let syncing: Promise<void> | undefined;
  let nextSync: Promise<void> | undefined;

  const apply = (pack: Pack) => {
    const { records, end } = scanPack(join(folder, pack.name), pack.scannedTo);
    pack.scannedTo = end;
    for (const record of records) {
      if (record.kind === 'deleted') forget(pack, record.key);
      else if (!deleted.has(record.key)) keep(pack, { ...record, pack: pack.name });
    }
  };
  const keep = (pack: Pack, object: PackedObject) => {
    objects.set(object.key, object);
    pack.live++;
  };
  const forget = (by: Pack, key: string) => {
    const object = objects.get(key);
    if (!object) return void deleted.set(key, by.name);
    objects.delete(key);
    by.deletesFrom.add(object.pack);
    const pack = packs.get(object.pack);
    if (pack) pack.live--;
  };

  /** Takes up what other processes have written since. */
  const rescan = () => {
    const names = new Set(readdirSync(folder).filter((name) => name.endsWith('.pack')));
    for (const name of packs.keys()) if (!names.has(name) && name !== active?.pack.name) packs.delete(name);
    for (const name of names) {
      if (name === active?.pack.name) continue;
      const pack = packs.get(name) ?? { name, scannedTo: 0, live: 0, deletesFrom: new Set<string>() };
      packs.set(name, pack);
      if (statSync(join(folder, name), { throwIfNoEntry: false })?.size !== pack.scannedTo) apply(pack);
    }
    deleted.clear();
  };

  const startPack = () => {
    const name = `${randomBytes(6).toString('hex')}-${process.pid}.pack`;
    const fd = openSync(join(folder, name), 'ax', 0o600);
    const pack: Pack = { name, scannedTo: 0, live: 0, deletesFrom: new Set() };
    packs.set(name, pack);
    growing.add(name);
    active = { pack, fd, sizeBytes: 0, handle: syncFolder(folder).then(() => open(join(folder, name), 'r')) };
    return active;
  };

  const append = (key: string, body: Uint8Array | undefined) => {
    const current = active && active.sizeBytes < MAX_PACK_BYTES ? active : roll();
    const start = fstatSync(current.fd).size;
    const { sizeBytes, bodyAt } = appendRecord(current.fd, key, body, clock());
    current.sizeBytes = start + sizeBytes;
    dirty.add(current.handle);
    return { pack: current.pack, offset: start + bodyAt };
  };

  const endPack = () => {
    if (!active) return;
    closeSync(active.fd);
    growing.delete(active.pack.name);
    active = undefined;
  };

  /** Goes on in a new pack; the old one stays for its readers. */
  const roll = () => {
    endPack();
    return startPack();
  };

  /** Everything appended so far is durable when this resolves: one sync for all who ask while another one runs. */
  const sync = (): Promise<void> => {
    if (!syncing) return beginSync();
    nextSync ??= syncing.catch(() => undefined).then(beginSync);
    return nextSync;
  };

  const beginSync = (): Promise<void> => {
    nextSync = undefined;
    const handles = [...dirty];
    dirty.clear();
    const running = Promise.all(handles.map(async (handle) => (await handle).datasync())).then(() => undefined);
    syncing = running;
    const end = () => {
      if (syncing === running) syncing = undefined;
    };
    running.then(end, end);
    return running;
  };

  const removeEmpty = () => {
    for (const pack of packs.values()) {
      if (
        pack.live > 0 ||
        !mayRemove(pack.name, active?.pack.name) ||
        [...pack.deletesFrom].some((name) => name !== pack.name && packs.has(name))
      )
        continue;
      if (active?.pack === pack) {
        if (active.sizeBytes === 0) continue;
        void active.handle.then((file) => file.close());
        endPack();
      }
      void readers.get(pack.name)?.then((file) => file.close());
      readers.delete(pack.name);
      packs.delete(pack.name);
      unlinkSync(join(folder, pack.name));
    }
  };

  rescan();
  removeEmpty();
  return {
    async put(key, body) {
      try {
        const isFree = !objects.has(key);
        if (isFree) {
          const { pack, offset } = append(key, body);
          keep(pack, { key, pack: pack.name, offset, sizeBytes: body.length, modifiedAtMs: clock() });
        }
        await sync(); // of one that is taken too: it may not be durable yet
        return isFree;
      } catch (cause) {
        objects.delete(key); // whether it is durable is not known: a repeat appends it again
        throw new OpsError('unavailable', `cannot write to ${folder}: ${(cause as Error).message}`, { cause });
      }
    },
    find(key) {
      if (!objects.has(key)) rescan();
      return objects.get(key);
    },
    async read({ pack, offset }, start, end) {
      let file = readers.get(pack);
      if (!file) {
        file = open(join(folder, pack), 'r');
        readers.set(pack, file);
      }
      const bytes = Buffer.allocUnsafe(end - start);
      const { bytesRead } = await (await file).read(bytes, 0, bytes.length, offset + start);
      if (bytesRead !== bytes.length) throw new OpsError('unavailable', `${pack} ends early`);
      return bytes;
    },
    async delete(keys) {
      if (keys.some((key) => !objects.has(key))) rescan();
      const present = keys.filter((key) => objects.has(key));
      for (const key of present) forget(append(key, undefined).pack, key);
      if (present.length > 0) await sync();
      removeEmpty();
    },
    list() {
      rescan();
      return objects.values();
    },
    async close() {
      await sync().catch(() => undefined);
      const handle = active?.handle;
      endPack();
      await (await handle)?.close();
      for (const file of readers.values()) await (await file).close();
    },
  };
}

/** True for the store's own pack, and for those that nobody appends to any more. */
function mayRemove(name: string, own: string | undefined): boolean {
  if (name === own) return true;
  const pid = Number(/-(\d+)\.pack$/.exec(name)?.[1]);
  if (pid === process.pid) return !growing.has(name);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
