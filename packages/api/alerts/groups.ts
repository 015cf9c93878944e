import type { RouteGroup } from '#api/create-api.ts';
import type { AlertDomains } from './alert-domains.ts';
import { alertRoutes, postAlertRoutes } from './alert-routes.ts';
import { detectorRoutes } from './detectors-route.ts';
import { explainRoutes } from './explain-routes.ts';
import { incidentRoutes } from './incidents-route.ts';
import { ruleGroups } from './rule-groups.ts';
import { changeRulerRoutes, rulerRoutes } from './ruler-routes.ts';
import { changeSilenceRoutes, silenceRoutes } from './silence-routes.ts';
import { sloRoutes } from './slo-routes.ts';
import { alertmanagerHealthRoutes, alertmanagerStatusRoutes } from './status-routes.ts';

/**
 * Alertmanager's API v2, Prometheus' rules and alerts, Mimir's ruler, and our own. Alerts are data, and sent under the scope that
 * samples are sent under; what holds alerts back, or makes them, is for `admin`.
 */
export function alertGroups(deps: AlertDomains): RouteGroup[] {
  return [
    { scope: 'query', routes: alertRoutes(deps) },
    { scope: 'ingest', routes: postAlertRoutes(deps) },
    { scope: 'query', routes: silenceRoutes(deps) },
    { scope: 'admin', routes: changeSilenceRoutes(deps) },
    { scope: 'query', routes: alertmanagerStatusRoutes(deps) },
    { scope: 'open', routes: alertmanagerHealthRoutes() },
    { scope: 'query', routes: rulerRoutes(deps) },
    { scope: 'admin', routes: changeRulerRoutes(deps) },
    ...ruleGroups(deps),
    { scope: 'query', routes: explainRoutes(deps) },
    { scope: 'query', routes: sloRoutes(deps) },
    { scope: 'query', routes: detectorRoutes(deps) },
    { scope: 'query', routes: incidentRoutes(deps) },
  ];
}
