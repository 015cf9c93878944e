import type { RouteGroup } from '#api/create-api.ts';
import { type RuleDomains, ruleRoutes } from './rule-routes.ts';

/** What Prometheus' API says of rules and alerts, at the root and below Mimir's prefix. */
export function ruleGroups(deps: RuleDomains): RouteGroup[] {
  return ['', '/prometheus'].map((prefix) => ({ scope: 'query', routes: ruleRoutes(deps, prefix) }));
}
