import { permissionsOn } from './named-arns.ts';

/** What releases reach in AWS and at CI providers: what sst.config.ts says of them. Everything may be left out. */
export interface ReleaseSettings {
  /** Where people reach this installation: the base of links in events and at providers. Default: the address of the API of releases. */
  readonly externalUrl?: string | undefined;
  /** Gates, traffic webhooks and answers may go to private and loopback addresses. Default: no. */
  readonly allowPrivateTargets?: boolean | undefined;
  /** ARNs of Lambda functions whose aliases are shifted. */
  readonly lambdaFunctionArns?: readonly string[] | undefined;
  /** ARNs of stages of REST APIs whose canaries are shifted: `arn:aws:apigateway:REGION::/restapis/ID/stages/STAGE`. */
  readonly restApiArns?: readonly string[] | undefined;
  /** ARNs of deployment groups of CodeDeploy whose hook is answered: `arn:aws:codedeploy:REGION:ACCOUNT:deploymentgroup:APPLICATION/GROUP`. */
  readonly codeDeployArns?: readonly string[] | undefined;
  /** What configurations name, and is looked at to find out that it has drifted. */
  readonly configured?: ConfiguredSettings | undefined;
  /** The GitHub App that answers; its key is a secret. */
  readonly githubApp?: { readonly id: string; readonly tenant?: string | undefined } | undefined;
  /** Addresses of the providers' APIs. Default: those of github.com and gitlab.com. */
  readonly githubApi?: string | undefined;
  readonly gitlabApi?: string | undefined;
}

export interface ConfiguredSettings {
  /** ARNs of functions whose variables are compared. */
  readonly functionArns?: readonly string[] | undefined;
  /** ARNs of secrets that are looked for: whether they are there, not what they are. */
  readonly secretArns?: readonly string[] | undefined;
  /** Looks for parameters of Systems Manager, of any name: AWS lets nobody see the names of some alone. Default: no. */
  readonly parameters?: boolean | undefined;
}

/** What shifting traffic may do: nothing but to what is named. */
export function driverPermissions(settings: ReleaseSettings): { actions: string[]; resources: string[] }[] {
  const { lambdaFunctionArns, restApiArns, codeDeployArns } = settings;
  return [
    ...permissionsOn([
      { actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:ListVersionsByFunction'], service: 'lambda', arns: lambdaFunctionArns },
      { actions: ['apigateway:GET', 'apigateway:PATCH'], service: 'apigateway', arns: restApiArns },
      { actions: [...LOOK, ...STEER], service: 'codedeploy', arns: codeDeployArns },
    ]),
    ...deploymentParts(codeDeployArns),
  ];
}

const LOOK = ['codedeploy:GetDeployment', 'codedeploy:GetDeploymentTarget', 'codedeploy:ListDeploymentTargets'];
const STEER = ['codedeploy:PutLifecycleEventHookExecutionStatus', 'codedeploy:StopDeployment', 'codedeploy:CreateDeployment'];

/** What CodeDeploy asks of whoever creates a deployment, beside the permission to: to read its revision and how it is deployed. */
function deploymentParts(groups: readonly string[] = []): { actions: string[]; resources: string[] }[] {
  if (groups.length === 0) return [];
  const inPlace = groups.map((arn) => /^(.*):deploymentgroup:([^/]+)\/[^/]+$/.exec(arn));
  const wrong = groups.find((_, i) => inPlace[i] === null);
  if (wrong !== undefined) throw new Error(`sst.config.ts: ${JSON.stringify(wrong)} is no ARN of a deployment group`);
  const places = inPlace.map((match) => ({ before: match?.[1], application: match?.[2] }));
  const distinct = (arns: readonly string[]) => [...new Set(arns)];
  return [
    {
      actions: ['codedeploy:GetApplicationRevision'],
      resources: distinct(places.map(({ before, application }) => `${before}:application:${application}`)),
    },
    {
      actions: ['codedeploy:GetDeploymentConfig'],
      resources: distinct(places.map(({ before }) => `${before}:deploymentconfig:CodeDeployDefault.LambdaAllAtOnce`)),
    },
  ];
}

/** What the function that CodeDeploy asks may do at CodeDeploy: look. */
export function hookPermissions({ codeDeployArns }: ReleaseSettings): { actions: string[]; resources: string[] }[] {
  return permissionsOn([{ actions: LOOK, service: 'codedeploy', arns: codeDeployArns }]);
}

/** What looking for drift may do: read how functions are set, and whether secrets are there. It never reads a secret. */
export function runningPermissions<Arn>(
  { configured = {} }: ReleaseSettings,
  everyParameter: Arn,
): { actions: string[]; resources: (string | Arn)[] }[] {
  const { functionArns = [], secretArns, parameters } = configured;
  const ofFunctions = permissionsOn([{ actions: ['lambda:GetFunctionConfiguration'], service: 'lambda', arns: functionArns }]);
  return [
    // An alias or a version is asked for by a longer ARN.
    ...ofFunctions.map(({ actions, resources }) => ({ actions, resources: resources.flatMap((arn) => [arn, `${arn}:*`]) })),
    ...permissionsOn([{ actions: ['secretsmanager:DescribeSecret'], service: 'secretsmanager', arns: secretArns }]),
    ...(parameters ? [{ actions: ['ssm:DescribeParameters'], resources: [everyParameter] }] : []),
  ];
}
