import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { afterEach, describe, expect, it } from 'vitest';
import { commonOptions } from '#aws/clients.ts';
import { createCodeDeployTraffic } from '#aws/traffic/codedeploy.ts';
import type { TrafficTarget } from '#ports/traffic.ts';
import { startServiceServer } from '#test/aws/service-server.ts';

const retry = { attempts: 2, baseDelayMs: 1, maxDelayMs: 1, random: () => 0, sleep: async () => {} };
const target: TrafficTarget = {
  ...{ tenant: 't', application: 'shop', environment: 'production' },
  settings: { application: 'shop', deploymentGroup: 'live' },
};
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** CodeDeploy with one deployment to Lambda, from version 41 to 42, that waits for its hook. */
async function openDeployment() {
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
  opened.push(server);
  const hookOf = async () => ({ deployment: 'd-1', hookExecution: 'h-1' });
  const options = { endpoint: server.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  return { world, port: createCodeDeployTraffic({ client: new CodeDeployClient(commonOptions(options, 2_000)), retry, hookOf }) };
}

const none = { stable: '41', weight: 0 };
const tenth = { stable: '41', canary: '42', weight: 10 };
const all = { stable: '42', weight: 0 };

describe('a deployment of CodeDeploy', () => {
  it('is let go on by its hook, and waited for until it has shifted', async () => {
    const { world, port } = await openDeployment();
    await expect(port.shift(target, none, tenth)).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 30_000 });
    expect(world.hook).toBe('Succeeded');
    await expect(port.shift(target, none, tenth)).rejects.toMatchObject({ kind: 'unavailable' });
    world.weight = 10;
    expect(await port.shift(target, none, tenth)).toEqual(tenth);
    world.weight = 30;
    expect(await port.shift(target, none, tenth)).toEqual({ ...tenth, weight: 30 });
    world.status = 'Succeeded';
    expect(await port.shift(target, tenth, all)).toEqual(all);
  });

  it('is refused by its hook, upon which CodeDeploy rolls back', async () => {
    const { world, port } = await openDeployment();
    const captured = JSON.parse(JSON.stringify(await port.capture(target)));
    expect(await port.restore(target, captured)).toEqual(none);
    expect(await port.restore(target, captured)).toEqual(none);
    expect(world).toMatchObject({ hook: 'Failed', stopped: [] });
  });

  it('is stopped with rollback once its hook has been answered', async () => {
    const { world, port } = await openDeployment();
    const captured = await port.capture(target);
    Object.assign(world, { hook: 'Succeeded', weight: 50 });
    expect(await port.restore(target, captured)).toEqual(none);
    expect(world.stopped).toEqual([{ deploymentId: 'd-1', autoRollbackEnabled: true }]);
  });

  it('that has ended is followed by the revision before it', async () => {
    const { world, port } = await openDeployment();
    const captured = await port.capture(target);
    world.status = 'Succeeded';
    await expect(port.restore(target, captured)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(world.created).toMatchObject([
      { applicationName: 'shop', deploymentGroupName: 'live', revision: { revisionType: 'AppSpecContent' } },
    ]);
  });

  it('that was stopped by somebody goes nowhere any more', async () => {
    const { world, port } = await openDeployment();
    world.status = 'Stopped';
    await expect(port.shift(target, none, tenth)).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('Stopped') });
    expect(await port.shift(target, tenth, none)).toEqual(none);
  });
});
