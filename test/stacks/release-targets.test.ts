import { describe, expect, it } from 'vitest';
import { driverPermissions, hookPermissions, type ReleaseSettings, runningPermissions } from '#stacks/release-targets.ts';

const parameters = 'arn:aws:ssm:eu-west-1:123456789012:*';
const all = (settings: ReleaseSettings) => [
  ...driverPermissions(settings),
  ...hookPermissions(settings),
  ...runningPermissions(settings, parameters),
];
const codeDeploy = 'arn:aws:codedeploy:eu-west-1:123456789012';
const lambda = 'arn:aws:lambda:eu-west-1:123456789012:function';

describe('what releases reach in other services', () => {
  it('is nothing unless it is named', () => {
    expect(all({})).toEqual([]);
    expect(
      all({ lambdaFunctionArns: [], restApiArns: [], codeDeployArns: [], configured: { functionArns: [], parameters: false } }),
    ).toEqual([]);
  });

  it('is to shift what is named, and for the revision before a deployment, to read that and how it is deployed', () => {
    const restApiArns = ['arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/prod'];
    const codeDeployArns = [`${codeDeploy}:deploymentgroup:shop/live`, `${codeDeploy}:deploymentgroup:shop/blue`];
    expect(driverPermissions({ lambdaFunctionArns: [`${lambda}:shop`], restApiArns, codeDeployArns })).toEqual([
      { actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:ListVersionsByFunction'], resources: [`${lambda}:shop`] },
      { actions: ['apigateway:GET', 'apigateway:PATCH'], resources: restApiArns },
      {
        actions: [
          ...['codedeploy:GetDeployment', 'codedeploy:GetDeploymentTarget', 'codedeploy:ListDeploymentTargets'],
          ...['codedeploy:PutLifecycleEventHookExecutionStatus', 'codedeploy:StopDeployment', 'codedeploy:CreateDeployment'],
        ],
        resources: codeDeployArns,
      },
      { actions: ['codedeploy:GetApplicationRevision'], resources: [`${codeDeploy}:application:shop`] },
      { actions: ['codedeploy:GetDeploymentConfig'], resources: [`${codeDeploy}:deploymentconfig:CodeDeployDefault.LambdaAllAtOnce`] },
    ]);
  });

  it('is to look, for the hook', () => {
    const codeDeployArns = [`${codeDeploy}:deploymentgroup:shop/live`];
    const [{ actions, resources }, ...more] = hookPermissions({ codeDeployArns });
    expect([actions.filter((action) => !/:(?:Get|List)/.test(action)), resources, more]).toEqual([[], codeDeployArns, []]);
  });

  it('is to describe what configurations name, and to read no secret', () => {
    const secretArns = ['arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-AbCdEf'];
    expect(runningPermissions({ configured: { functionArns: [`${lambda}:shop`], secretArns, parameters: true } }, parameters)).toEqual([
      { actions: ['lambda:GetFunctionConfiguration'], resources: [`${lambda}:shop`, `${lambda}:shop:*`] },
      { actions: ['secretsmanager:DescribeSecret'], resources: secretArns },
      { actions: ['ssm:DescribeParameters'], resources: [parameters] },
    ]);
  });

  it.each<[string, ReleaseSettings]>([
    ['everything', { lambdaFunctionArns: ['*'] }],
    ['all functions', { lambdaFunctionArns: [`${lambda}:*`] }],
    ['a name', { restApiArns: ['a1b2c3'] }],
    ['something of another service', { codeDeployArns: [`${lambda}:shop`] }],
    ['an application of CodeDeploy', { codeDeployArns: [`${codeDeploy}:application:shop`] }],
    ['all secrets', { configured: { secretArns: ['arn:aws:secretsmanager:eu-west-1:123456789012:secret:*'] } }],
  ])('is never %s', (_, settings) => {
    expect(() => all(settings)).toThrow('is no ARN of');
  });
});
