import { createDecipheriv, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';

// Reads a repository by docs/backup-format.md alone: nothing here is shared with the writer.

/** Objects by key. */
export type Objects = ReadonlyMap<string, Uint8Array>;

export interface ReadThing {
  readonly kind: string;
  readonly meta: unknown;
  readonly sizeBytes: number;
  readonly content?: Buffer;
}

interface Place {
  readonly pack: string;
  readonly salt: Buffer;
  readonly number: number;
  readonly offset: number;
  readonly stored: number;
  readonly isCompressed: boolean;
}

/** Every snapshot's things by path, by the snapshot's id. */
export function readRepository(objects: Objects, passphrase: string): Map<string, Map<string, ReadThing>> {
  const under = (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix));
  const get = (key: string) => Buffer.from(objects.get(key) ?? fail(`no ${key}`));
  const master = under('keys/')
    .map((key) => openKey(get(key), key.slice(5), passphrase))
    .find((key) => key !== undefined);
  if (!master) fail('no key opens');
  const derive = (info: string, salt: Uint8Array) => Buffer.from(hkdfSync('sha256', master, salt, `quarterdeck backup ${info}`, 32));
  const idKey = derive('chunk id', Buffer.alloc(0));
  const unseal = (key: string) => {
    const bytes = get(key);
    if (bytes.toString('latin1', 0, 3) !== 'QDO' || bytes[3] !== 1) fail(`${key} is no object of version 1`);
    const context = Buffer.concat([bytes.subarray(0, 20), Buffer.from(key)]);
    return zstdDecompressSync(open(derive('object', bytes.subarray(4, 20)), 0, bytes.subarray(20), context));
  };
  JSON.parse(unseal('config').toString());

  const places = new Map<string, Place>();
  for (const key of under('index/')) {
    const bytes = unseal(key);
    for (let at = 0; at < bytes.length; ) {
      const pack = bytes.toString('hex', at, at + 16);
      const salt = bytes.subarray(at + 16, at + 32);
      const count = bytes.readUInt32LE(at + 32);
      at += 36;
      for (let number = 0, offset = 20; number < count; number++, at += 41) {
        const stored = bytes.readUInt32LE(at + 33);
        if (objects.has(`packs/${pack.slice(0, 2)}/${pack}`)) {
          places.set(bytes.toString('hex', at, at + 32), { pack, salt, number, offset, stored, isCompressed: bytes[at + 32] === 1 });
        }
        offset += stored;
      }
    }
  }
  const chunk = (id: Buffer): Buffer => {
    const place = places.get(id.toString('hex')) ?? fail(`chunk ${id.toString('hex')} is nowhere`);
    const bytes = get(`packs/${place.pack.slice(0, 2)}/${place.pack}`).subarray(place.offset, place.offset + place.stored);
    const sealed = open(derive('pack', place.salt), place.number, bytes, id);
    const plain = place.isCompressed ? zstdDecompressSync(sealed) : sealed;
    if (!createHmac('sha256', idKey).update(plain).digest().equals(id)) fail('a chunk is not what its id says');
    return plain;
  };
  const contentOf = (refs: Buffer, areLists: boolean): Buffer => {
    const parts: Buffer[] = [];
    for (let at = 0; at < refs.length; at += 40) {
      const part = chunk(refs.subarray(at, at + 32));
      parts.push(areLists ? contentOf(part, false) : part);
    }
    return Buffer.concat(parts);
  };

  const snapshots = new Map<string, Map<string, ReadThing>>();
  for (const key of under('snapshots/')) {
    const manifest = JSON.parse(unseal(key).toString());
    if ('fencedAt' in manifest) continue;
    const records = contentOf(Buffer.from(manifest.entries.refs, 'base64'), manifest.entries.areLists);
    const things = new Map<string, ReadThing>();
    for (let at = 0; at < records.length; ) {
      const headEnd = at + 4 + records.readUInt32LE(at);
      const { path, kind, meta, sizeBytes, content } = JSON.parse(records.toString('utf8', at + 4, headEnd));
      const end = headEnd + 4 + records.readUInt32LE(headEnd);
      const bytes = content && contentOf(records.subarray(headEnd + 4, end), content === 'lists');
      things.set(path, { kind, meta, sizeBytes, ...(bytes ? { content: bytes } : {}) });
      at = end;
    }
    snapshots.set(manifest.id, things);
  }
  return snapshots;
}

function openKey(bytes: Buffer, name: string, passphrase: string): Buffer | undefined {
  const { kind, scrypt, salt, wrapped } = JSON.parse(bytes.toString());
  if (kind !== 'passphrase') return undefined;
  const { logN, r, p } = scrypt;
  const key = scryptSync(passphrase.normalize('NFKC'), Buffer.from(salt, 'base64'), 32, { N: 2 ** logN, r, p, maxmem: 2 ** 28 });
  try {
    return open(key, 0, Buffer.from(wrapped, 'base64'), Buffer.from(name));
  } catch {
    return undefined;
  }
}

function open(key: Buffer, number: number, sealed: Buffer, context: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function fail(why: string): never {
  throw new Error(why);
}
