import {
  type APIGatewayClient,
  type CanarySettings,
  GetStageCommand,
  type PatchOperation,
  type Stage,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import { callAws } from '#aws/call.ts';
import type { RetryOptions } from '#core/retry.ts';
import { ApiGatewaySettings } from '#model/traffic-settings.ts';
import { shiftByStep, type TrafficStep } from '#ports/shift-traffic.ts';
import { normalizeTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';

export interface ApiGatewayDeps {
  readonly client: APIGatewayClient;
  readonly retry?: RetryOptions | undefined;
}

/**
 * Traffic between two deployments of a REST API, by the canary settings of a stage. API Gateway has no conditional update: a change that somebody
 * else makes between our read and our write is seen by the read after it only. Needs apigateway:GET and apigateway:PATCH on the stage.
 */
export function createApiGatewayTraffic(deps: ApiGatewayDeps): TrafficDriver {
  return {
    read: async (target) => (await stepOf(deps, target).read()).state,
    shift: (target, from, to) => shiftByStep(stepOf(deps, target), from, to),
    async capture(target) {
      const { deploymentId = '', canarySettings } = await readStage(deps, settingsOf(target));
      return { deploymentId, ...(canarySettings && { canarySettings }) };
    },
    async restore(target, captured) {
      const settings = settingsOf(target);
      const { deploymentId, canarySettings } = captured as { deploymentId: string; canarySettings?: CanarySettings };
      const stage = await readStage(deps, settings);
      await patchStage(deps, settings, [...deploymentPatch(stage, deploymentId), ...canaryPatch(stage, canarySettings)]);
      return stateOf(await readStage(deps, settings));
    },
  };
}

function settingsOf({ settings }: TrafficTarget): ApiGatewaySettings {
  return ApiGatewaySettings.parse(settings);
}

function stepOf(deps: ApiGatewayDeps, target: TrafficTarget): TrafficStep<Stage> {
  const settings = settingsOf(target);
  return {
    place: placeOf(settings),
    async read() {
      const world = await readStage(deps, settings);
      return { world, state: stateOf(world) };
    },
    async set(to, over) {
      const { stable, canary, weight } = normalizeTraffic(to);
      // Overrides and cache of the canary stay as they are while it lasts.
      const wanted = canary === undefined ? undefined : { ...over.canarySettings, deploymentId: canary, percentTraffic: weight };
      await patchStage(deps, settings, [...deploymentPatch(over, stable), ...canaryPatch(over, wanted)]);
    },
  };
}

function placeOf({ restApi, stage }: ApiGatewaySettings): string {
  return `stage ${stage} of API ${restApi}`;
}

function stateOf({ deploymentId = '', canarySettings }: Stage): TrafficState {
  return normalizeTraffic({ stable: deploymentId, canary: canarySettings?.deploymentId, weight: canarySettings?.percentTraffic ?? 0 });
}

function deploymentPatch(stage: Stage, deploymentId: string): PatchOperation[] {
  return stage.deploymentId === deploymentId ? [] : [{ op: 'replace', path: '/deploymentId', value: deploymentId }];
}

/** What turns the stage's canary settings into those wanted; field by field, since a patch cannot replace them as a whole. */
function canaryPatch({ canarySettings: now }: Stage, wanted: CanarySettings | undefined): PatchOperation[] {
  if (wanted === undefined) return now === undefined ? [] : [{ op: 'remove', path: '/canarySettings' }];
  const set = (field: 'deploymentId' | 'percentTraffic' | 'useStageCache'): PatchOperation[] =>
    wanted[field] === undefined || wanted[field] === now?.[field]
      ? []
      : [{ op: 'replace', path: `/canarySettings/${field}`, value: String(wanted[field]) }];
  return [...set('percentTraffic'), ...set('deploymentId'), ...set('useStageCache'), ...overridesPatch(now, wanted)];
}

function overridesPatch(now: CanarySettings | undefined, wanted: CanarySettings): PatchOperation[] {
  const [before, after] = [now?.stageVariableOverrides ?? {}, wanted.stageVariableOverrides ?? {}];
  const path = (name: string) => `/canarySettings/stageVariableOverrides/${name}`;
  return [
    ...Object.keys(before).flatMap((name) => (name in after ? [] : [{ op: 'remove', path: path(name) } as const])),
    ...Object.entries(after).flatMap(([name, value]) =>
      before[name] === value ? [] : [{ op: 'replace', path: path(name), value } as const],
    ),
  ];
}

function readStage({ client, retry }: ApiGatewayDeps, settings: ApiGatewaySettings): Promise<Stage> {
  const options = { operation: 'apigateway:GET', resource: placeOf(settings), repeat: 'always', retry } as const;
  return callAws(options, () => client.send(new GetStageCommand({ restApiId: settings.restApi, stageName: settings.stage })));
}

async function patchStage(
  { client, retry }: ApiGatewayDeps,
  settings: ApiGatewaySettings,
  patchOperations: PatchOperation[],
): Promise<void> {
  if (patchOperations.length === 0) return;
  const options = { operation: 'apigateway:PATCH', resource: placeOf(settings), repeat: 'refused', retry } as const;
  const input = { restApiId: settings.restApi, stageName: settings.stage, patchOperations };
  await callAws(options, () => client.send(new UpdateStageCommand(input)));
}
