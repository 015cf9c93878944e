import { createCodeDeployClient } from '#aws/traffic/clients.ts';
import { type DescribedDeployment, describeDeployment } from '#aws/traffic/codedeploy.ts';

/** Deployments of CodeDeploy in the region of the function, by their ids. */
export function openAwsDeployments(): (deployment: string) => Promise<DescribedDeployment> {
  const client = createCodeDeployClient({});
  return (deployment) => describeDeployment({ client }, deployment);
}
