import type { RouteGroup } from '#api/create-api.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { drillRoutes } from './drill-routes.ts';
import { restoreRoutes, restoreStateRoutes } from './restore-routes.ts';
import { runRoutes } from './run-routes.ts';
import { snapshotRoutes } from './snapshot-routes.ts';
import { backupStateRoutes } from './state-routes.ts';

/** Backups: whoever may query sees how they stand, unless tenants share the server; only `admin` looks into them or starts anything. */
export function backupGroups(deps: BackupApiDeps): RouteGroup[] {
  const scope = deps.isShared ? 'admin' : 'query';
  return [
    { scope, routes: backupStateRoutes(deps) },
    { scope, routes: restoreStateRoutes(deps) },
    { scope, routes: drillRoutes(deps) },
    { scope: 'admin', routes: snapshotRoutes(deps) },
    { scope: 'admin', routes: runRoutes(deps) },
    { scope: 'admin', routes: restoreRoutes(deps) },
  ];
}
