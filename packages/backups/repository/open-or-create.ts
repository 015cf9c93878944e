import { isOpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { type CreateOptions, createRepository } from './create-repository.ts';
import { openRepository } from './open-repository.ts';
import type { Repository, RepositoryDeps } from './repository.ts';

/** Opens a repository, or makes it where there is none: of several that do so at once all have the one that came to be. Errors as those of opening. */
export async function openOrCreateRepository(
  deps: RepositoryDeps & { readonly clock: Clock },
  options: CreateOptions,
): Promise<Repository> {
  try {
    return await openRepository(deps, options);
  } catch (error) {
    if (!isOpsError(error, 'missing')) throw error;
  }
  try {
    return await createRepository(deps, options);
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return openRepository(deps, options);
  }
}
