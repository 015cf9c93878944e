import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import { decrypt, encrypt } from './aead.ts';
import type { Secrets } from './secrets.ts';
import { FORMAT_VERSION, OBJECT_MAGIC, refuseNewer } from './version.ts';
import { compressAlways, decompressObject } from './zstd.ts';

const SALT_BYTES = 16;
const HEAD_BYTES = 4 + SALT_BYTES;
/** No object but packs is larger than this once it is unpacked. */
const MAX_OBJECT_BYTES = 256 << 20;

/** What it takes to seal: the keys, and a fresh salt each time. */
export interface Sealing {
  readonly secrets: Secrets;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Magic, version, salt, then zstd under AES-256-GCM; the object's own name is authenticated, so that none passes for another. */
export function sealObject({ secrets, randomBytes }: Sealing, name: string, content: Uint8Array): Uint8Array {
  const salt = randomBytes(SALT_BYTES);
  const head = Buffer.concat([OBJECT_MAGIC, Buffer.of(FORMAT_VERSION), salt]);
  const [sealed, tag] = encrypt(secrets.keyFor('object', salt), 0, compressAlways(content), contextOf(head, name));
  return Buffer.concat([head, sealed, tag]);
}

/** The content of what `sealObject` gave under that name; `input`, naming it, where it is damaged or another's. */
export function unsealObject(secrets: Secrets, name: string, bytes: Uint8Array): Uint8Array {
  const head = bytes.subarray(0, HEAD_BYTES);
  if (head.length < HEAD_BYTES || !OBJECT_MAGIC.equals(head.subarray(0, 3))) throw damaged(name, 'it is no object of a backup repository');
  refuseNewer(name, head[3]);
  try {
    const plain = decrypt(secrets.keyFor('object', head.subarray(4)), 0, bytes.subarray(HEAD_BYTES), contextOf(head, name));
    return decompressObject(plain, MAX_OBJECT_BYTES);
  } catch (cause) {
    throw damaged(name, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Seals a record as JSON. */
export function sealJson(sealing: Sealing, name: string, record: Json): Uint8Array {
  return sealObject(sealing, name, Buffer.from(JSON.stringify(record)));
}

/** The record that `sealJson` was given. */
export function unsealJson(secrets: Secrets, name: string, bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(unsealObject(secrets, name, bytes)).toString());
}

function contextOf(head: Uint8Array, name: string): Uint8Array {
  return Buffer.concat([head, Buffer.from(name)]);
}

/** An object that is not as it was written. */
export function damaged(name: string, why: string, cause?: unknown): OpsError {
  return new OpsError('input', `${name} is damaged: ${why}`, { cause, hint: 'Run check, then repair.' });
}
