import type { RouteGroup } from '#api/create-api.ts';
import type { ConfigurationDomains } from './configuration-domains.ts';
import { changeEnvironmentRoutes, environmentRoutes, observeRoutes } from './environment-routes.ts';
import { layerRoutes, writeLayerRoutes } from './layer-routes.ts';

/** Configurations of applications. What runs is changed under `admin`; processes tell of themselves as they tell samples. */
export function configurationGroups(deps: ConfigurationDomains): RouteGroup[] {
  return [
    { scope: 'query', routes: layerRoutes(deps) },
    { scope: 'admin', routes: writeLayerRoutes(deps) },
    { scope: 'query', routes: environmentRoutes(deps) },
    { scope: 'admin', routes: changeEnvironmentRoutes(deps) },
    { scope: 'ingest', routes: observeRoutes(deps) },
  ];
}
