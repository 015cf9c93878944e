import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { assertBlobKey } from '#ports/blob-keys.ts';
import type { Uploads } from '#ports/uploads.ts';
import { unless } from './durable-folders.ts';

/** What a valid ticket permits. */
export interface UploadGrant {
  readonly key: string;
  readonly maxBytes: number;
}

export interface LocalUploadsDeps {
  readonly secret: Uint8Array;
  /** Where the local server takes forms. */
  readonly url: string;
  readonly clock: Clock;
}

const SECRET_BYTES = 32;

/** Hands out tickets that the local server's upload route checks with `verifyTicket`: signed, not stored. */
export function createLocalUploads({ secret, url, clock }: LocalUploadsDeps): Uploads {
  return {
    async presign({ key, maxBytes, expiresInMs }) {
      assertBlobKey(key);
      if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
        throw new OpsError('input', `an upload of at most ${maxBytes} bytes is not possible`);
      if (!(expiresInMs > 0)) throw new OpsError('input', `a ticket for ${expiresInMs} ms is not possible`);
      const expiresAtMs = Math.floor(clock() + expiresInMs);
      const fields = { key, 'max-bytes': String(maxBytes), 'expires-at-ms': String(expiresAtMs) };
      return { url, fields: { ...fields, signature: sign(secret, fields).toString('hex') }, expiresAtMs };
    },
  };
}

/** What the form's fields permit; `denied` if they are not those of a ticket of ours, or if its time is over. */
export function verifyTicket(secret: Uint8Array, fields: Readonly<Record<string, string | undefined>>, nowMs: number): UploadGrant {
  const expected = sign(secret, fields);
  const signature = Buffer.from(fields.signature ?? '', 'hex');
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw new OpsError('denied', 'the fields of the form are not those of an upload ticket', {
      hint: 'send the fields as they were handed out',
    });
  }
  if (nowMs >= Number(fields['expires-at-ms']))
    throw new OpsError('denied', 'the upload ticket has expired', { hint: 'ask for a new one' });
  return { key: fields.key as string, maxBytes: Number(fields['max-bytes']) };
}

/** The secret kept in a file that only its owner can read; made at random where there is none. One wins if several are made at once. */
export async function readOrMakeSecret(path: string): Promise<Uint8Array> {
  const found = await readFile(path).catch(unless('ENOENT'));
  if (found?.length === SECRET_BYTES) return found;
  if (found)
    throw new OpsError('input', `${path} has ${found.length} bytes instead of ${SECRET_BYTES}`, {
      hint: 'delete it to have a new secret made',
    });
  const temp = `${path}.${randomBytes(6).toString('hex')}`;
  const handle = await open(temp, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(SECRET_BYTES));
    await handle.sync();
    await link(temp, path).catch(unless('EEXIST'));
  } finally {
    await handle.close();
    await unlink(temp);
  }
  return readFile(path);
}

function sign(secret: Uint8Array, fields: Readonly<Record<string, string | undefined>>): Buffer {
  const signed = JSON.stringify([fields.key, fields['max-bytes'], fields['expires-at-ms']]);
  return createHmac('sha256', secret).update(signed).digest();
}
