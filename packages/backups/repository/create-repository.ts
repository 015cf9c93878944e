import type { ChunkerParameters } from '#backups/chunks/fast-cdc.ts';
import { CONFIG_KEY, KEYS } from '#backups/format/layout.ts';
import { createSecrets } from '#backups/format/secrets.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { encodeConfig } from './config-object.ts';
import { keySalt, SCRYPT_LOG_N, type Unlock, wrapMaster } from './key-objects.ts';
import { newId, PACK_BYTES, type Repository, type RepositoryDeps, retryingBlobs } from './repository.ts';

export interface CreateOptions {
  readonly unlock: Unlock;
  /** Other sizes of chunks than the default of 256 KiB, 512 KiB and 4 MiB. */
  readonly chunker?: Partial<Omit<ChunkerParameters, 'seed'>> | undefined;
  /** Base-2 logarithm of scrypt's cost. */
  readonly scryptLogN?: number | undefined;
}

const CHUNKER = { minBytes: 256 << 10, averageBytes: 512 << 10, maxBytes: 4 << 20, level: 1 };

/**
 * Creates a repository on an empty store: `conflict` where there is one. The configuration is put last and once: of several that create at
 * the same time one wins, and what a crash leaves behind is a key object that opens nothing.
 */
export async function createRepository(deps: RepositoryDeps & { readonly clock: Clock }, options: CreateOptions): Promise<Repository> {
  const { randomBytes } = deps;
  const blobs = retryingBlobs(deps.blobs, deps.retry);
  const master = randomBytes(32);
  const secrets = createSecrets(master);
  const id = newId(randomBytes);
  const seed = Buffer.from(randomBytes(8)).readBigUInt64BE();
  const chunker = { ...CHUNKER, ...options.chunker, seed };
  const keyId = newId(randomBytes);
  const key = await wrapMaster(keyId, master, options.unlock, keySalt(randomBytes), options.scryptLogN ?? SCRYPT_LOG_N);
  const config = encodeConfig({ secrets, randomBytes }, { id, createdAt: new Date(deps.clock()).toISOString(), chunker });
  const existing = await blobs.list(CONFIG_KEY, { limit: 1 });
  if (existing.entries.length > 0) throw repositoryExists();
  await blobs.put(KEYS + keyId, key);
  if ((await blobs.put(CONFIG_KEY, config)) === 'created') return { id, blobs, secrets, chunker, packBytes: PACK_BYTES };
  // The answer to a put of ours may have been lost before it was repeated.
  if (Buffer.compare(await blobs.get(CONFIG_KEY), config) === 0) return { id, blobs, secrets, chunker, packBytes: PACK_BYTES };
  await blobs.delete([KEYS + keyId]);
  throw repositoryExists();
}

function repositoryExists(): OpsError {
  return new OpsError('conflict', 'there is a repository already', { hint: 'Open it, or choose another prefix or folder.' });
}
