import type { Seal } from '#ports/change-log.ts';
import { decrypt, encrypt } from './aead.ts';
import { damaged, type Sealing } from './sealed-object.ts';
import { FORMAT_VERSION, OBJECT_MAGIC, refuseNewer } from './version.ts';

const SALT_BYTES = 16;
const HEAD_BYTES = OBJECT_MAGIC.length + 1 + SALT_BYTES;

/** Seals a change log's objects with keys of their own: magic, version, salt, then AES-256-GCM; the object's key is authenticated. */
export function createChangeSeal({ secrets, randomBytes }: Sealing): Seal {
  return {
    async seal(plain, key) {
      const salt = randomBytes(SALT_BYTES);
      const head = Buffer.concat([OBJECT_MAGIC, Buffer.of(FORMAT_VERSION), salt]);
      return Buffer.concat([head, ...encrypt(secrets.keyFor('change log', salt), 0, plain, contextOf(head, key))]);
    },
    async open(sealed, key) {
      const head = sealed.subarray(0, HEAD_BYTES);
      if (head.length < HEAD_BYTES || !OBJECT_MAGIC.equals(head.subarray(0, OBJECT_MAGIC.length)))
        throw damaged(key, 'it is no object of a change log');
      refuseNewer(key, head[OBJECT_MAGIC.length] as number);
      try {
        const salt = head.subarray(OBJECT_MAGIC.length + 1);
        return decrypt(secrets.keyFor('change log', salt), 0, sealed.subarray(HEAD_BYTES), contextOf(head, key));
      } catch (cause) {
        throw damaged(key, cause instanceof Error ? cause.message : String(cause), cause);
      }
    },
  };
}

function contextOf(head: Uint8Array, key: string): Uint8Array {
  return Buffer.concat([head, Buffer.from(key)]);
}
