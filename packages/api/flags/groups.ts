import type { RouteGroup } from '#api/create-api.ts';
import { changeFlagRoutes } from './change-routes.ts';
import type { FlagDomains } from './flag-domains.ts';
import { flagRoutes } from './flag-routes.ts';
import { ofrepRoutes } from './ofrep-routes.ts';

/** OFREP, and our own: what flags there are, and what changes them. */
export function flagGroups(deps: FlagDomains): RouteGroup[] {
  return [
    { scope: 'query', routes: ofrepRoutes(deps) },
    { scope: 'query', routes: flagRoutes(deps) },
    { scope: 'admin', routes: changeFlagRoutes(deps) },
  ];
}
