import { createSecretKey, type KeyObject, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import * as z from 'zod';
import { decrypt, encrypt } from '#backups/format/aead.ts';
import { KEYS } from '#backups/format/layout.ts';
import { damaged } from '#backups/format/sealed-object.ts';
import { createSecrets } from '#backups/format/secrets.ts';
import { FORMAT_VERSION, refuseNewer } from '#backups/format/version.ts';
import { OpsError } from '#core/errors.ts';
import type { KeyWrap } from '#ports/key-wrap.ts';

const scryptAsync = promisify<string, Uint8Array, number, object, Buffer>(scrypt);
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** What opens a repository: a passphrase, or a key that stays in its service. */
export type Unlock = { readonly passphrase: string } | { readonly keyWrap: KeyWrap };

/** 64 MB of memory and about a quarter of a second a guess. */
export const SCRYPT_LOG_N = 16;

const base64 = z.base64().max(4_096);
const KeyRecord = z.discriminatedUnion('kind', [
  z.strictObject({
    version: z.number(),
    kind: z.literal('passphrase'),
    // Bounds, because it is read before anything is authenticated.
    scrypt: z.strictObject({ logN: z.int().min(1).max(18), r: z.int().min(1).max(8), p: z.int().min(1).max(4) }),
    salt: base64,
    wrapped: base64,
    mac: base64,
  }),
  z.strictObject({ version: z.number(), kind: z.literal('kms'), wrapped: base64, mac: base64 }),
]);
type KeyRecord = z.infer<typeof KeyRecord>;

/** The key object of that id: the master key wrapped, and a code that any holder of the master key can check. */
export async function wrapMaster(id: string, master: Uint8Array, unlock: Unlock, salt: Uint8Array, logN: number): Promise<Uint8Array> {
  const head = { version: FORMAT_VERSION };
  if ('keyWrap' in unlock) {
    const wrapped = Buffer.from(await unlock.keyWrap.wrap(master)).toString('base64');
    return encodeKeyObject(id, master, { ...head, kind: 'kms', wrapped, mac: '' });
  }
  const cost = { logN, r: 8, p: 1 };
  const key = await deriveKey(unlock.passphrase, salt, cost);
  const wrapped = Buffer.concat(encrypt(key, 0, master, Buffer.from(id))).toString('base64');
  const saltText = Buffer.from(salt).toString('base64');
  return encodeKeyObject(id, master, { ...head, kind: 'passphrase', scrypt: cost, salt: saltText, wrapped, mac: '' });
}

/** The master key, or undefined where this object's key is another's. Throws for damage, and for what the wrapping service says. */
export async function unwrapMaster(id: string, bytes: Uint8Array, unlock: Unlock): Promise<Uint8Array | undefined> {
  const record = parseKeyObject(id, bytes);
  const wrapped = Buffer.from(record.wrapped, 'base64');
  if (record.kind === 'kms') {
    const master = 'keyWrap' in unlock ? await unlock.keyWrap.unwrap(wrapped) : undefined;
    // A service that gives something for whatever it is given does not thereby open this.
    return master && record.mac === codeOf(id, master, record) ? master : undefined;
  }
  if (!('passphrase' in unlock)) return undefined;
  const key = await deriveKey(unlock.passphrase, Buffer.from(record.salt, 'base64'), record.scrypt);
  try {
    return decrypt(key, 0, wrapped, Buffer.from(id));
  } catch {
    return undefined;
  }
}

/** Throws `input`, naming it, unless the object is bit for bit what was written for this master key. */
export function verifyKeyObject(id: string, bytes: Uint8Array, macOf: (text: string) => Buffer): void {
  const record = parseKeyObject(id, bytes);
  const expected = macOf(codeText(id, record)).toString('base64');
  if (record.mac !== expected || Buffer.compare(Buffer.from(JSON.stringify(record)), bytes) !== 0) {
    throw damaged(KEYS + id, 'its code is not that of its text');
  }
}

/** Random bytes that a passphrase's key object takes. */
export function keySalt(randomBytes: (size: number) => Uint8Array): Uint8Array {
  return randomBytes(SALT_BYTES);
}

function encodeKeyObject(id: string, master: Uint8Array, record: KeyRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ ...record, mac: codeOf(id, master, record) }));
}

/** The code of a key object under its master key. */
function codeOf(id: string, master: Uint8Array, record: KeyRecord): string {
  return createSecrets(master).macOf(codeText(id, record)).toString('base64');
}

function codeText(id: string, record: KeyRecord): string {
  return `${id} ${JSON.stringify({ ...record, mac: '' })}`;
}

function parseKeyObject(id: string, bytes: Uint8Array): KeyRecord {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString());
    const { version } = z.looseObject({ version: z.int() }).parse(json);
    refuseNewer(KEYS + id, version);
    return KeyRecord.parse(json);
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw damaged(KEYS + id, 'it is no key object', cause);
  }
}

async function deriveKey(passphrase: string, salt: Uint8Array, { logN, r, p }: { logN: number; r: number; p: number }): Promise<KeyObject> {
  const N = 2 ** logN;
  const maxmem = 128 * r * (N + p) + (1 << 20);
  return createSecretKey(await scryptAsync(passphrase.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem }));
}
