import type { RouteGroup } from '#api/create-api.ts';
import { argoRoutes } from './argo-routes.ts';
import { flaggerJudgingRoutes, flaggerReportingRoutes } from './flagger-routes.ts';
import type { KubernetesDeps } from './kubernetes-deps.ts';

/** Flagger's webhooks and Argo Rollouts' web metric. What is answered with a judgement needs `query`, what only tells `ingest`. */
export function kubernetesGroups(deps: KubernetesDeps): RouteGroup[] {
  return [
    { scope: 'query', routes: flaggerJudgingRoutes(deps) },
    { scope: 'ingest', routes: flaggerReportingRoutes(deps) },
    { scope: 'query', routes: argoRoutes(deps) },
  ];
}
