import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { commonOptions } from '#aws/clients.ts';
import { createApiGatewayTraffic } from '#aws/traffic/api-gateway.ts';
import { createLambdaAliasTraffic } from '#aws/traffic/lambda-alias.ts';
import type { TrafficTarget } from '#ports/traffic.ts';
import { normalizeTraffic } from '#ports/traffic.ts';
import { trafficContract } from '#test/ports/traffic.contract.ts';
import { startAliasServer } from './alias-server.ts';
import { startStageServer } from './stage-server.ts';

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const retry = { attempts: 2, baseDelayMs: 1, maxDelayMs: 1, random: () => 0, sleep: async () => {} };
const at = (endpoint: string) => commonOptions({ endpoint, region: 'eu-west-1', credentials }, 2_000);
const targetOf = (settings: TrafficTarget['settings']): TrafficTarget => ({
  tenant: 't',
  application: 'shop',
  environment: 'production',
  settings,
});

async function openAlias(descriptions: Readonly<Record<string, string>> = {}) {
  const server = await startAliasServer(descriptions);
  const port = createLambdaAliasTraffic({ client: new LambdaClient(at(server.endpoint)), retry });
  return { server, port, target: targetOf({ function: 'shop', alias: 'live' }) };
}

const called: Record<string, string> = { '1.0.0': '41', '1.1.0': '42' };
const naming = [
  ['by number', {}, '41', '42'],
  ['by description', { 40: '1.1.0', 41: '1.0.0', 42: '1.1.0' }, '1.0.0', '1.1.0'],
] as const;
for (const [how, descriptions, stable, canary] of naming) {
  trafficContract(`Lambda alias, versions ${how}`, async () => {
    const { server, port, target } = await openAlias(descriptions);
    return {
      ...{ port, target, stable, canary },
      interfere(state) {
        const numbered = (name: string) => called[name] ?? name;
        const { stable, canary, weight } = normalizeTraffic(state);
        server.set(numbered(stable), canary === undefined ? {} : { [numbered(canary)]: weight / 100 });
      },
      world: () => JSON.stringify({ ...server.alias, RevisionId: '' }),
      loseAnswer: server.loseAnswer,
      close: server.close,
    };
  });
}

async function openStage() {
  const server = await startStageServer();
  const port = createApiGatewayTraffic({ client: new APIGatewayClient(at(server.endpoint)), retry });
  return { server, port, target: targetOf({ restApi: 'api1', stage: 'live' }) };
}

trafficContract('API Gateway canary', async () => {
  const { server, port, target } = await openStage();
  return {
    ...{ port, target, stable: 'dep1', canary: 'dep2' },
    interfere(state) {
      const { stable, canary, weight } = normalizeTraffic(state);
      server.stage.deploymentId = stable;
      if (canary === undefined) delete server.stage.canarySettings;
      else server.stage.canarySettings = { deploymentId: canary, percentTraffic: weight };
    },
    world: () => JSON.stringify(server.stage),
    loseAnswer: server.loseAnswer,
    close: server.close,
  };
});

describe('a Lambda alias', () => {
  it('that somebody else changes between reading and writing is left as they made it', async () => {
    const { server, port, target } = await openAlias();
    let reads = 0;
    const get = Object.getOwnPropertyDescriptor(server.alias, 'RevisionId')?.value as string;
    Object.defineProperty(server.alias, 'RevisionId', { get: () => (++reads === 1 ? get : 'r9'), set: () => {}, enumerable: true });
    const shifted = port.shift(target, { stable: '41', weight: 0 }, { stable: '41', canary: '42', weight: 5 });
    await expect(shifted).rejects.toMatchObject({ kind: 'conflict' });
    expect(server.alias.RoutingConfig).toBeUndefined();
    await server.close();
  });

  it('is not shifted to a version that nobody has published', async () => {
    const { server, port, target } = await openAlias();
    const shifted = port.shift(target, { stable: '41', weight: 0 }, { stable: '41', canary: '9.9.9', weight: 5 });
    await expect(shifted).rejects.toMatchObject({ kind: 'missing', message: expect.stringContaining('9.9.9') });
    await server.close();
  });

  it('that is not there is missing', async () => {
    const { server, port } = await openAlias();
    await expect(port.read(targetOf({ function: 'other', alias: 'live' }))).rejects.toMatchObject({
      kind: 'missing',
    });
    await server.close();
  });
});

describe('a stage of API Gateway', () => {
  it('gets its own canary back after a release, with overrides and cache', async () => {
    const { server, port, target } = await openStage();
    server.stage.canarySettings = {
      deploymentId: 'dep0',
      percentTraffic: 3,
      useStageCache: true,
      stageVariableOverrides: { a: '1', b: '2' },
    };
    const before = JSON.stringify(server.stage.canarySettings);
    const captured = JSON.parse(JSON.stringify(await port.capture(target)));
    server.stage.canarySettings = {
      deploymentId: 'dep2',
      percentTraffic: 50,
      useStageCache: false,
      stageVariableOverrides: { b: '3', c: '4' },
    };
    await port.restore(target, captured);
    expect(JSON.parse(JSON.stringify(server.stage.canarySettings))).toEqual(JSON.parse(before));
    await server.close();
  });
});
