import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** Bytes of a chunk's id. */
export const ID_BYTES = 32;
const KEY_BYTES = 32;
const NO_SALT = new Uint8Array(0);

/** What a repository's master key gives; held in memory only. */
export interface Secrets {
  /** The id of a chunk's content: HMAC-SHA-256. */
  idOf(content: Uint8Array): Buffer;
  /** The AES key of one pack, object or piece of a change log, by its random salt. */
  keyFor(purpose: 'pack' | 'object' | 'change log', salt: Uint8Array): KeyObject;
  /** Authenticates a key object's text. */
  macOf(text: string): Buffer;
  /** 32 bytes that a signing key is made of. */
  signingSeed(): Buffer;
}

/**
 * Derives all keys by HKDF-SHA-256 from the master key: info names the purpose. They are KeyObjects, which Node takes as they are; bytes it
 * would copy at each call, at three times the cost of hashing 4 KB.
 */
export function createSecrets(master: Uint8Array): Secrets {
  const derive = (purpose: string, salt: Uint8Array) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', master, salt, `quarterdeck backup ${purpose}`, KEY_BYTES)));
  const idKey = derive('chunk id', NO_SALT);
  const macKey = derive('key object', NO_SALT);
  return {
    idOf: (content) => createHmac('sha256', idKey).update(content).digest(),
    keyFor: derive,
    macOf: (text) => createHmac('sha256', macKey).update(text).digest(),
    signingSeed: () => derive('report signature', NO_SALT).export(),
  };
}
