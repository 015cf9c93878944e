import { configurationGroups } from '#api/configurations/groups.ts';
import { kubernetesGroups } from '#api/kubernetes/groups.ts';
import { releaseGroups } from '#api/releases/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { configurationDomains } from '#functions/configuration-domains.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { respondOnLambda } from '#functions/http.ts';
import { kubernetesDomains } from '#functions/kubernetes-domains.ts';
import { publishing } from '#functions/publishing.ts';
import { releaseDomains } from '#functions/release-domains.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';

/** A function cannot be deployed with its own address; AWS says it with each request. */
let ownUrl = '';

const respond = respondOnLambda(
  (deps) => {
    const reached: FunctionDeps = { ...deps, externalUrl: deps.externalUrl || ownUrl };
    return [
      ...releaseGroups(releaseDomains(reached)),
      ...configurationGroups(configurationDomains(reached)),
      ...kubernetesGroups(kubernetesDomains(reached)),
    ];
  },
  { ...publishing, load: loadWholeConfig, running: async () => (await import('#functions/aws-running.ts')).openAwsRunning() },
);

/** Releases, applications, their configurations, and the hooks of Kubernetes' rollout controllers, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  ownUrl = `https://${event.requestContext.domainName}`;
  return toUrlResult(await respond(() => toRequest(event)));
}
