import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { OpsError } from '#core/errors.ts';

const CIPHER = 'aes-256-gcm';
export const TAG_BYTES = 16;

/** A 96-bit nonce that is a number: unique as long as no number is used twice with one key. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  return nonce;
}

/** AES-256-GCM: the ciphertext, then its tag. `context` is authenticated and not stored. */
export function encrypt(key: KeyObject, nonce: number, plain: Uint8Array, context: Uint8Array): [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(CIPHER, key, nonceOf(nonce));
  cipher.setAAD(context);
  const sealed = cipher.update(plain);
  cipher.final();
  return [sealed, cipher.getAuthTag()];
}

/** The plain bytes of what `encrypt` gave; `input` where a single bit of key, nonce, context or bytes is another. */
export function decrypt(key: KeyObject, nonce: number, sealed: Uint8Array, context: Uint8Array): Uint8Array {
  if (sealed.length < TAG_BYTES) throw new OpsError('input', 'it is shorter than its seal');
  const split = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonceOf(nonce), { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(split));
  const plain = decipher.update(sealed.subarray(0, split));
  try {
    decipher.final();
  } catch (cause) {
    throw new OpsError('input', 'its seal is broken: some of its bytes are not those that were written', { cause });
  }
  return plain;
}
