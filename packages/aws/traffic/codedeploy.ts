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

/** A deployment that has asked our hook, and the execution that waits for its answer. */
export interface HookExecution {
  readonly deployment: string;
  readonly hookExecution: string;
}

export interface CodeDeployDeps {
  readonly client: CodeDeployClient;
  /** The latest of a deployment group; undefined where none ever asked. */
  readonly hookOf: (group: { readonly application: string; readonly deploymentGroup: string }) => Promise<HookExecution | undefined>;
  readonly retry?: RetryOptions | undefined;
}

type CallDeps = Pick<CodeDeployDeps, 'client' | 'retry'>;
type Asked = Pick<HookExecution, 'deployment'>;

interface Seen extends HookExecution {
  readonly info: DeploymentInfo;
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
      if (ENDED.has(seen.info.status ?? '')) throw hasEnded(seen, to);
      if (isBack(seen, to)) await answerHook(deps, seen, 'Failed');
      else await answerHook(deps, seen, 'Succeeded');
      return reached(await look(deps, settings), to);
    },
    async capture(target) {
      const { info, lambda } = await look(deps, settingsOf(target));
      return { currentVersion: lambda.currentVersion ?? '', targetVersion: lambda.targetVersion ?? '', status: info.status ?? '' };
    },
    async restore(target, captured) {
      const settings = settingsOf(target);
      const seen = await look(deps, settings);
      const before = { stable: String(captured.currentVersion), weight: 0 };
      // One that still waits for its hook has shifted nothing, and would as soon as it is answered.
      if (ENDED.has(seen.info.status ?? '') && isSameTraffic(stateOf(seen), before)) return stateOf(seen);
      await rollBack(deps, seen);
      return reached(await look(deps, settings), before);
    },
  };
}

function settingsOf({ settings }: TrafficTarget): CodeDeploySettings {
  return CodeDeploySettings.parse(settings);
}

function isBack({ lambda }: Seen, to: TrafficState): boolean {
  return isSameTraffic(to, { stable: lambda.currentVersion ?? '', weight: 0 });
}

function stateOf({ info, lambda }: Seen): TrafficState {
  const [stable, canary] = [lambda.currentVersion ?? '', lambda.targetVersion];
  if (info.status === 'Succeeded') return { stable: canary ?? '', weight: 0 };
  if (info.status === 'Failed' || info.status === 'Stopped') return { stable, weight: 0 };
  const share = lambda.targetVersionWeight ?? 0;
  return normalizeTraffic({ stable, canary, weight: Math.round(share * 1e8) / 1e6 });
}

function reached(seen: Seen, to: TrafficState): TrafficState {
  const state = stateOf(seen);
  const isBeyond = state.canary !== undefined && state.canary === to.canary && state.weight > to.weight;
  if (isSameTraffic(state, to)) return to;
  if (isBeyond) return state;
  throw new OpsError(
    'unavailable',
    `${placeOf(seen)}: CodeDeploy has ${describeTraffic(state)}, and ${describeTraffic(to)} is waited for`,
    {
      retryAfterMs: LOOK_AGAIN_MS,
    },
  );
}

function hasEnded(seen: Seen, to: TrafficState): OpsError {
  const { status } = seen.info;
  return new OpsError(
    'conflict',
    `${placeOf(seen)} has ended (${status}) with ${describeTraffic(stateOf(seen))}; ${describeTraffic(to)} was asked for`,
  );
}

function placeOf({ deployment }: Asked): string {
  return `deployment ${deployment}`;
}

async function rollBack(deps: CodeDeployDeps, seen: Seen): Promise<void> {
  const { info, deployment } = seen;
  if (info.status !== 'Succeeded') {
    if (await answerHook(deps, seen, 'Failed')) return;
    await call(deps, seen, 'StopDeployment', 'refused', (client) =>
      client.send(new StopDeploymentCommand({ deploymentId: deployment, autoRollbackEnabled: true })),
    );
    return;
  }
  const { previousRevision, applicationName, deploymentGroupName } = info;
  if (!previousRevision) throw new OpsError('missing', `${placeOf(seen)} does not say which revision was there before`);
  const input = {
    ...{ applicationName, deploymentGroupName, revision: previousRevision },
    deploymentConfigName: 'CodeDeployDefault.LambdaAllAtOnce',
    description: `back from ${deployment}`,
  };
  await call(deps, seen, 'CreateDeployment', 'refused', (client) => client.send(new CreateDeploymentCommand(input)));
}

/** False where the hook had been answered before. */
async function answerHook(deps: CodeDeployDeps, hook: HookExecution, status: 'Succeeded' | 'Failed'): Promise<boolean> {
  const input = { deploymentId: hook.deployment, lifecycleEventHookExecutionId: hook.hookExecution, status } as const;
  try {
    await call(deps, hook, 'PutLifecycleEventHookExecutionStatus', 'always', (client) =>
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
  const hook = await deps.hookOf(settings);
  if (!hook)
    throw new OpsError('missing', `deployment group ${settings.deploymentGroup} of ${settings.application} has never asked its hook`);
  return { ...hook, ...(await lookAt(deps, hook)) };
}

async function lookAt(deps: CallDeps, asked: Asked): Promise<Pick<Seen, 'info' | 'lambda'>> {
  const deploymentId = asked.deployment;
  const { deploymentInfo: info } = await call(deps, asked, 'GetDeployment', 'always', (client) =>
    client.send(new GetDeploymentCommand({ deploymentId })),
  );
  const { targetIds = [] } = await call(deps, asked, 'ListDeploymentTargets', 'always', (client) =>
    client.send(new ListDeploymentTargetsCommand({ deploymentId })),
  );
  const [targetId] = targetIds;
  if (!info || targetId === undefined) throw new OpsError('missing', `${placeOf(asked)} has no target`);
  const { deploymentTarget } = await call(deps, asked, 'GetDeploymentTarget', 'always', (client) =>
    client.send(new GetDeploymentTargetCommand({ deploymentId, targetId })),
  );
  const lambda = deploymentTarget?.lambdaTarget?.lambdaFunctionInfo;
  if (!lambda) throw new OpsError('input', `${placeOf(asked)} does not go to Lambda`);
  return { info, lambda };
}

/** What a deployment is of, and what it brings. */
export interface DescribedDeployment {
  readonly application: string;
  readonly deploymentGroup: string;
  /** The version that is deployed, by its number. */
  readonly version: string;
  /** Nothing that is said of it changes it any more. */
  readonly isEnded: boolean;
}

/**
 * Looks at a deployment to Lambda. `input` where there is none, or it goes elsewhere; `missing` while it does not say what it deploys. Needs
 * codedeploy:GetDeployment, GetDeploymentTarget and ListDeploymentTargets.
 */
export async function describeDeployment(deps: CallDeps, deployment: string): Promise<DescribedDeployment> {
  const { info, lambda } = await lookAt(deps, { deployment });
  const { applicationName, deploymentGroupName, status = '' } = info;
  if (!applicationName || !deploymentGroupName || !lambda.targetVersion)
    throw new OpsError('missing', `deployment ${deployment} does not say what it deploys`);
  return {
    ...{ application: applicationName, deploymentGroup: deploymentGroupName, version: lambda.targetVersion },
    isEnded: ENDED.has(status),
  };
}

function call<T>(
  { client, retry }: CallDeps,
  asked: Asked,
  name: string,
  repeat: 'always' | 'refused',
  send: (client: CodeDeployClient) => Promise<T>,
): Promise<T> {
  return callAws({ operation: `codedeploy:${name}`, resource: placeOf(asked), repeat, retry }, () => send(client));
}
