import type { RouteGroup } from '#api/create-api.ts';
import { applicationRoutes } from './application-routes.ts';
import { commandRoutes, startRoutes } from './command-routes.ts';
import type { ReleaseDomains } from './release-domains.ts';
import { releaseRoutes } from './release-routes.ts';

/** Applications and releases: whoever may query may look, and only `admin` may change anything. */
export function releaseGroups(deps: ReleaseDomains): RouteGroup[] {
  return [
    { scope: 'query', routes: applicationRoutes(deps) },
    { scope: 'query', routes: releaseRoutes(deps) },
    { scope: 'admin', routes: startRoutes(deps) },
    { scope: 'admin', routes: commandRoutes(deps) },
  ];
}
