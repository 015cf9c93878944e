import { startServiceServer } from '#test/aws/service-server.ts';

/** CodeDeploy with one deployment to Lambda, from version 41 to 42, that waits for its hook. */
export async function startDeploymentServer() {
  const world = { status: 'InProgress', weight: 0, hook: 'pending', created: [] as unknown[], stopped: [] as unknown[] };
  const fail = (type: string) => ({ status: 400, body: JSON.stringify({ __type: type, message: type }) });
  const ok = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });
  const answers: Record<string, (input: Record<string, unknown>) => { status: number; body: string }> = {
    GetDeployment: ({ deploymentId }) =>
      deploymentId === 'd-1'
        ? ok({
            deploymentInfo: {
              ...{ deploymentId, status: world.status, applicationName: 'shop', deploymentGroupName: 'live' },
              previousRevision: { revisionType: 'AppSpecContent', appSpecContent: { sha256: 'before' } },
            },
          })
        : fail('DeploymentDoesNotExistException'),
    ListDeploymentTargets: () => ok({ targetIds: ['t-1'] }),
    GetDeploymentTarget: () =>
      ok({
        deploymentTarget: {
          lambdaTarget: { lambdaFunctionInfo: { currentVersion: '41', targetVersion: '42', targetVersionWeight: world.weight / 100 } },
        },
      }),
    PutLifecycleEventHookExecutionStatus: ({ status }) => {
      if (world.hook !== 'pending') return fail('LifecycleEventAlreadyCompletedException');
      world.hook = String(status);
      if (status === 'Failed') Object.assign(world, { status: 'Failed', weight: 0 });
      return ok({});
    },
    StopDeployment: (input) => {
      world.stopped.push(input);
      Object.assign(world, { status: 'Stopped', weight: 0 });
      return ok({ status: 'Succeeded' });
    },
    CreateDeployment: (input) => {
      world.created.push(input);
      return ok({ deploymentId: 'd-2' });
    },
  };
  const server = await startServiceServer(({ headers, body }) => {
    const name = String(headers['x-amz-target']).split('.')[1] ?? '';
    return answers[name]?.(JSON.parse(body)) ?? fail('UnknownOperationException');
  });
  return { ...server, world };
}
