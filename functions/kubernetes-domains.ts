import type { KubernetesDeps } from '#api/kubernetes/kubernetes-deps.ts';
import { OpsError } from '#core/errors.ts';
import { createAskGates } from '#releases/kubernetes/environment-gates.ts';
import type { FunctionDeps } from './deps.ts';
import { judgeDeps } from './judge-deps.ts';
import { startDeps } from './release-domains.ts';
import { gatePorts } from './releases-deps.ts';

/** What the webhooks of Kubernetes' rollout controllers are made of. */
export function kubernetesDomains(deps: FunctionDeps): KubernetesDeps {
  const { table, now, newId } = deps;
  const { applications } = startDeps(deps);
  return {
    ...{ table, now, newId, ...judgeDeps(deps) },
    askGates: createAskGates({ table, now, applications, gates: gatePorts(deps) }),
    async findAnalysis({ tenant, application, analysis }) {
      const found = (await applications(tenant)).find(({ name }) => name === application);
      const analyses = found?.environments[0]?.plan.analyses ?? {};
      const json = Object.hasOwn(analyses, analysis) ? analyses[analysis] : undefined;
      if (json !== undefined) return json;
      const there = Object.keys(analyses).join(', ') || 'none';
      throw new OpsError(
        'missing',
        found ? `${application} has no analysis ${analysis}; there are: ${there}` : `there is no application ${application}`,
      );
    },
  };
}
