import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { afterEach, describe, expect, it } from 'vitest';
import { commonOptions } from '#aws/clients.ts';
import { createCodeDeployTraffic, describeDeployment } from '#aws/traffic/codedeploy.ts';
import type { TrafficTarget } from '#ports/traffic.ts';
import { startDeploymentServer } from './deployment-server.ts';

const retry = { attempts: 2, baseDelayMs: 1, maxDelayMs: 1, random: () => 0, sleep: async () => {} };
const target: TrafficTarget = {
  ...{ tenant: 't', application: 'shop', environment: 'production' },
  settings: { application: 'shop', deploymentGroup: 'live' },
};
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** The driver of a deployment from version 41 to 42. */
async function openDeployment() {
  const { world, ...server } = await startDeploymentServer();
  opened.push(server);
  const hookOf = async () => ({ deployment: 'd-1', hookExecution: 'h-1' });
  const options = { endpoint: server.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const deps = { client: new CodeDeployClient(commonOptions(options, 2_000)), retry };
  return {
    world,
    port: createCodeDeployTraffic({ ...deps, hookOf }),
    describe: (deployment: string) => describeDeployment(deps, deployment),
  };
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

  it('is described by what it is of and what it brings, and whether it is over', async () => {
    const { world, describe: describeIt } = await openDeployment();
    const described = { application: 'shop', deploymentGroup: 'live', version: '42' };
    expect(await describeIt('d-1')).toEqual({ ...described, isEnded: false });
    world.status = 'Stopped';
    expect(await describeIt('d-1')).toEqual({ ...described, isEnded: true });
    await expect(describeIt('d-9')).rejects.toMatchObject({ kind: 'input', message: expect.stringContaining('deployment d-9') });
  });
});
