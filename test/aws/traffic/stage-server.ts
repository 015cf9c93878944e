import { startServiceServer } from '#test/aws/service-server.ts';

interface Canary {
  percentTraffic?: number;
  deploymentId?: string;
  useStageCache?: boolean;
  stageVariableOverrides?: Record<string, string>;
}

interface Patch {
  readonly op: string;
  readonly path: string;
  readonly value?: string;
}

/** API Gateway's GetStage and UpdateStage over one stage. */
export async function startStageServer() {
  const stage: { stageName: string; deploymentId: string; canarySettings?: Canary } = { stageName: 'live', deploymentId: 'dep1' };
  let losing = false;
  const apply = ({ op, path, value = '' }: Patch) => {
    if (path === '/deploymentId') stage.deploymentId = value;
    else if (path === '/canarySettings' && op === 'remove') delete stage.canarySettings;
    else patchCanary(op, path.split('/').slice(2), value);
  };
  const patchCanary = (op: string, [field, name = '']: string[], value: string) => {
    stage.canarySettings ??= {};
    const canary = stage.canarySettings;
    if (field === 'percentTraffic') canary.percentTraffic = Number(value);
    if (field === 'deploymentId') canary.deploymentId = value;
    if (field === 'useStageCache') canary.useStageCache = value === 'true';
    if (field !== 'stageVariableOverrides') return;
    canary.stageVariableOverrides ??= {};
    if (op === 'remove') delete canary.stageVariableOverrides[name];
    else canary.stageVariableOverrides[name] = value;
  };
  const fail = (status: number, type: string) => ({
    status,
    headers: { 'x-amzn-errortype': type },
    body: JSON.stringify({ message: type }),
  });
  const server = await startServiceServer(({ method, path, body }) => {
    if (path !== '/restapis/api1/stages/live') return fail(404, 'NotFoundException');
    if (method === 'PATCH') {
      for (const patch of (JSON.parse(body) as { patchOperations: Patch[] }).patchOperations) apply(patch);
      if (losing) {
        losing = false;
        return fail(503, 'ServiceUnavailableException');
      }
    }
    return { status: 200, body: JSON.stringify(stage) };
  });
  const loseAnswer = () => {
    losing = true;
  };
  return { ...server, stage, loseAnswer };
}
