import { CONFIG_KEY, idOfKey, KEYS } from '#backups/format/layout.ts';
import { createSecrets } from '#backups/format/secrets.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { type ConfigObject, decodeConfig } from './config-object.ts';
import { type Unlock, unwrapMaster } from './key-objects.ts';
import { listAll, PACK_BYTES, type Repository, type RepositoryDeps, retryingBlobs } from './repository.ts';

/**
 * Opens a repository: `missing` where there is none, `denied` where this passphrase or key opens none of its keys, `conflict` where a newer
 * version wrote it, `input` where its configuration is damaged.
 */
export async function openRepository(deps: RepositoryDeps, options: { readonly unlock: Unlock }): Promise<Repository> {
  const blobs = retryingBlobs(deps.blobs, deps.retry);
  const [config, keys] = await Promise.all([readConfig(blobs.get(CONFIG_KEY)), listAll(blobs, KEYS)]);
  let problem: unknown;
  for (const { key } of keys) {
    try {
      const master = await unwrapMaster(idOfKey(key), await blobs.get(key), options.unlock);
      if (!master) continue;
      const secrets = createSecrets(master);
      const { id, chunker }: ConfigObject = decodeConfig(secrets, config);
      return { id, chunker, blobs, secrets, packBytes: PACK_BYTES };
    } catch (error) {
      // Another key may still open it: a creation that crashed leaves one that opens nothing.
      if (!isOpsError(error)) throw error;
      problem ??= error;
    }
  }
  throw problem ?? noKeyOpens(options.unlock);
}

async function readConfig(read: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read;
  } catch (error) {
    if (!isOpsError(error, 'missing')) throw error;
    throw new OpsError('missing', 'there is no backup repository here', { hint: 'Create one first.', cause: error });
  }
}

function noKeyOpens(unlock: Unlock): OpsError {
  const what = 'passphrase' in unlock ? 'the passphrase' : 'the wrapping key';
  return new OpsError('denied', `${what} opens none of the repository's keys`, {
    hint: 'It is another one than the repository was created with, or the key object is damaged.',
  });
}
