import {
  type CodeDeployClient,
  CreateDeploymentCommand,
  type DeploymentInfo,
  GetDeploymentCommand,
  GetDeploymentTargetCommand,
  type LambdaFunctionInfo,
  ListDeploymentTargetsCommand,
  PutLifecycleEventHookExecutionStatusCommand,
  StopDeploymentCommand,
} from '@aws-sdk/client-codedeploy';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import { CodeDeploySettings } from '#model/traffic-settings.ts';
import {
  describeTraffic,
  isSameTraffic,
  normalizeTraffic,
  type TrafficDriver,
  type TrafficState,
  type TrafficTarget,
} from '#ports/traffic.ts';

export interface CodeDeployDeps {
  readonly client: CodeDeployClient;
  readonly retry?: RetryOptions | undefined;
}

interface Seen {
  readonly deployment: DeploymentInfo;
  readonly lambda: LambdaFunctionInfo;
}

/** CodeDeploy shifts at its own pace; this is when it is asked again. */
const LOOK_AGAIN_MS = 30_000;
const ENDED = new Set(['Succeeded', 'Failed', 'Stopped']);

/**
 * A deployment of CodeDeploy to Lambda. CodeDeploy shifts the traffic; we answer the hook that it waits for: more traffic is allowed by
 * `Succeeded`, and refused by `Failed`, upon which it rolls back. Once the hook is answered a running deployment is stopped with rollback, and one
 * that has ended is followed by a deployment of the revision before. `shift` is `unavailable` while CodeDeploy is not yet where it was asked
 * to be. Needs codedeploy:GetDeployment, GetDeploymentTarget, ListDeploymentTargets, PutLifecycleEventHookExecutionStatus, StopDeployment and
 * CreateDeployment.
 */
export function createCodeDeployTraffic(deps: CodeDeployDeps): TrafficDriver {
  return {
    read: async (target) => stateOf(await look(deps, settingsOf(target))),
    async shift(target, _from, to) {
      const settings = settingsOf(target);
      const seen = await look(deps, settings);
      if (isSameTraffic(stateOf(seen), to)) return stateOf(seen);
      if (ENDED.has(seen.deployment.status ?? '')) throw hasEnded(settings, seen, to);
      if (isBack(seen, to)) await answerHook(deps, settings, 'Failed');
      else await answerHook(deps, settings, 'Succeeded');
      return reached(settings, await look(deps, settings), to);
    },
    async capture(target) {
      const { deployment, lambda } = await look(deps, settingsOf(target));
      return { currentVersion: lambda.currentVersion ?? '', targetVersion: lambda.targetVersion ?? '', status: deployment.status ?? '' };
    },
    async restore(target, captured) {
      const settings = settingsOf(target);
      const seen = await look(deps, settings);
      const before = { stable: String(captured.currentVersion), weight: 0 };
      // One that still waits for its hook has shifted nothing, and would as soon as it is answered.
      if (ENDED.has(seen.deployment.status ?? '') && isSameTraffic(stateOf(seen), before)) return stateOf(seen);
      await rollBack(deps, settings, seen);
      return reached(settings, await look(deps, settings), before);
    },
  };
}

function settingsOf({ settings }: TrafficTarget): CodeDeploySettings {
  return CodeDeploySettings.parse(settings);
}

function isBack({ lambda }: Seen, to: TrafficState): boolean {
  return isSameTraffic(to, { stable: lambda.currentVersion ?? '', weight: 0 });
}

function stateOf({ deployment, lambda }: Seen): TrafficState {
  const [stable, canary] = [lambda.currentVersion ?? '', lambda.targetVersion];
  if (deployment.status === 'Succeeded') return { stable: canary ?? '', weight: 0 };
  if (deployment.status === 'Failed' || deployment.status === 'Stopped') return { stable, weight: 0 };
  const share = lambda.targetVersionWeight ?? 0;
  return normalizeTraffic({ stable, canary, weight: Math.round(share * 1e8) / 1e6 });
}

function reached(settings: CodeDeploySettings, seen: Seen, to: TrafficState): TrafficState {
  const state = stateOf(seen);
  const isBeyond = state.canary !== undefined && state.canary === to.canary && state.weight > to.weight;
  if (isSameTraffic(state, to) || isBeyond) return state;
  throw new OpsError(
    'unavailable',
    `${placeOf(settings)}: CodeDeploy has ${describeTraffic(state)}, and ${describeTraffic(to)} is waited for`,
    {
      retryAfterMs: LOOK_AGAIN_MS,
    },
  );
}

function hasEnded(settings: CodeDeploySettings, seen: Seen, to: TrafficState): OpsError {
  const { status } = seen.deployment;
  return new OpsError(
    'conflict',
    `${placeOf(settings)} has ended (${status}) with ${describeTraffic(stateOf(seen))}; ${describeTraffic(to)} was asked for`,
  );
}

function placeOf({ deployment }: CodeDeploySettings): string {
  return `deployment ${deployment}`;
}

async function rollBack(deps: CodeDeployDeps, settings: CodeDeploySettings, { deployment }: Seen): Promise<void> {
  if (deployment.status !== 'Succeeded') {
    if (await answerHook(deps, settings, 'Failed')) return;
    await call(deps, settings, 'StopDeployment', 'refused', (client) =>
      client.send(new StopDeploymentCommand({ deploymentId: settings.deployment, autoRollbackEnabled: true })),
    );
    return;
  }
  const { previousRevision, applicationName, deploymentGroupName } = deployment;
  if (!previousRevision) throw new OpsError('missing', `${placeOf(settings)} does not say which revision was there before`);
  const input = {
    ...{ applicationName, deploymentGroupName, revision: previousRevision },
    deploymentConfigName: 'CodeDeployDefault.LambdaAllAtOnce',
    description: `back from ${settings.deployment}`,
  };
  await call(deps, settings, 'CreateDeployment', 'refused', (client) => client.send(new CreateDeploymentCommand(input)));
}

/** False where the hook had been answered before. */
async function answerHook(deps: CodeDeployDeps, settings: CodeDeploySettings, status: 'Succeeded' | 'Failed'): Promise<boolean> {
  const input = { deploymentId: settings.deployment, lifecycleEventHookExecutionId: settings.hookExecution, status } as const;
  try {
    await call(deps, settings, 'PutLifecycleEventHookExecutionStatus', 'always', (client) =>
      client.send(new PutLifecycleEventHookExecutionStatusCommand(input)),
    );
    return true;
  } catch (error) {
    if (causeOf(error) === 'LifecycleEventAlreadyCompletedException') return false;
    throw error;
  }
}

function causeOf(error: unknown): string | undefined {
  return error instanceof OpsError && error.cause instanceof Error ? error.cause.name : undefined;
}

async function look(deps: CodeDeployDeps, settings: CodeDeploySettings): Promise<Seen> {
  const deploymentId = settings.deployment;
  const { deploymentInfo } = await call(deps, settings, 'GetDeployment', 'always', (client) =>
    client.send(new GetDeploymentCommand({ deploymentId })),
  );
  const { targetIds = [] } = await call(deps, settings, 'ListDeploymentTargets', 'always', (client) =>
    client.send(new ListDeploymentTargetsCommand({ deploymentId })),
  );
  const [targetId] = targetIds;
  if (!deploymentInfo || targetId === undefined) throw new OpsError('missing', `${placeOf(settings)} has no target`);
  const { deploymentTarget } = await call(deps, settings, 'GetDeploymentTarget', 'always', (client) =>
    client.send(new GetDeploymentTargetCommand({ deploymentId, targetId })),
  );
  const lambda = deploymentTarget?.lambdaTarget?.lambdaFunctionInfo;
  if (!lambda) throw new OpsError('input', `${placeOf(settings)} does not go to Lambda`);
  return { deployment: deploymentInfo, lambda };
}

function call<T>(
  { client, retry }: CodeDeployDeps,
  settings: CodeDeploySettings,
  name: string,
  repeat: 'always' | 'refused',
  send: (client: CodeDeployClient) => Promise<T>,
): Promise<T> {
  return callAws({ operation: `codedeploy:${name}`, resource: placeOf(settings), repeat, retry }, () => send(client));
}
