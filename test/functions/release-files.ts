import type { ConfigFile } from '#config/pushed-config.ts';
import type { ServiceRequest } from '#test/aws/service-server.ts';
import { REPOSITORY } from '#test/releases/ci/github-server.ts';

export const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';
/** What CI releases: the commit is the version's description at Lambda. */
export const released = { '42': COMMIT };

/** Applications of one tenant: an alias that GitHub asks for, a flag that the API asks for, and what CodeDeploy deploys. */
export function releaseFiles(): ConfigFile[] {
  return [
    { path: 'tenants.yaml', text: 'tenants:\n  team-c:\n' },
    {
      path: 'applications/team-c/shop.yaml',
      text: `application: shop
repository: ${REPOSITORY}
service: { job: shop }
environments:
  - name: production
    driver: { type: lambda-alias, function: shop, alias: live }
    gates: { start: [{ checks: [unit] }, { alerts: {} }] }
`,
    },
    {
      path: 'applications/team-c/banner.yaml',
      text: `application: banner
repository: acme/banner
environments:
  - name: production
    driver: { type: flag, flag: banner }
    strategy: { flag: { steps: [{ percentage: 50 }, { percentage: 100 }] } }
`,
    },
    {
      path: 'applications/team-c/paid.yaml',
      text: `application: paid
repository: codedeploy/shop/live
environments:
  - name: production
    driver: { type: codedeploy, application: shop, deploymentGroup: live }
`,
    },
  ];
}

/** Secrets Manager and Systems Manager: one secret is there, and no parameter. */
export function answerSecrets({ headers, body }: ServiceRequest): { status: number; body: string } {
  if (String(headers['x-amz-target']).endsWith('DescribeParameters')) return { status: 200, body: '{"Parameters":[]}' };
  const { SecretId } = JSON.parse(body) as { SecretId: string };
  if (SecretId === 'shop/key') return { status: 200, body: JSON.stringify({ Name: SecretId }) };
  return { status: 400, body: JSON.stringify({ __type: 'ResourceNotFoundException', message: 'no such secret' }) };
}
