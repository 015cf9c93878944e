import type { MiddlewareHandler } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupApiDeps } from './backup-domains.ts';

type Handler = (c: ApiContext) => Promise<Response>;

/** A handler for the tenant alone that the installation belongs to: a snapshot holds what all of them have. */
export function ofInstallation(
  { isShared, backupTenant }: Pick<BackupApiDeps, 'isShared' | 'backupTenant'>,
  handle: Handler,
): MiddlewareHandler<ApiEnv> {
  return async (c) => {
    if (isShared && c.get('tenant') !== backupTenant) {
      throw new OpsError('denied', `backups are of the whole installation, and tenant ${backupTenant}'s alone`, {
        hint: `Ask with a token of tenant ${backupTenant} with the scope admin.`,
      });
    }
    return handle(c);
  };
}
