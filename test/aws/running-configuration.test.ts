import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from 'vitest';
import { commonOptions } from '#aws/clients.ts';
import { createRunningConfiguration } from '#aws/running-configuration.ts';
import { startServiceServer } from './service-server.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** Secrets Manager, SSM and Lambda with one of everything. */
async function openServices() {
  const ok = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });
  const fail = (status: number, type: string) => ({
    status,
    headers: { 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, message: type }),
  });
  const server = await startServiceServer(({ path, headers, body }) => {
    const target = String(headers['x-amz-target'] ?? '');
    if (target.endsWith('DescribeSecret')) {
      const { SecretId } = JSON.parse(body);
      if (SecretId === 'shop/denied') return fail(400, 'AccessDeniedException');
      if (SecretId === 'shop/deleted') return ok({ Name: SecretId, DeletedDate: 1_700_000_000 });
      return SecretId === 'shop/database' ? ok({ Name: SecretId }) : fail(400, 'ResourceNotFoundException');
    }
    if (target.endsWith('DescribeParameters')) {
      const [name] = JSON.parse(body).ParameterFilters[0].Values;
      return ok({ Parameters: name === '/shop/key' ? [{ Name: name }] : [] });
    }
    if (path === '/2015-03-31/functions/shop/configuration')
      return ok({ FunctionName: 'shop', Environment: { Variables: { PORT: '80' } } });
    return fail(404, 'ResourceNotFoundException');
  });
  opened.push(server);
  const options = commonOptions(
    { endpoint: server.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
    2_000,
  );
  const running = createRunningConfiguration({
    ...{ lambda: new LambdaClient(options), secrets: new SecretsManagerClient(options), parameters: new SSMClient(options) },
    retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1, random: () => 0, sleep: async () => {} },
  });
  return { running, received: server.received };
}

describe('what AWS knows of configurations', () => {
  it.each([
    ['secretsmanager:shop/database', true],
    ['secretsmanager:shop/database#url', true],
    ['secretsmanager:shop/gone', false],
    ['secretsmanager:shop/deleted', false],
    ['ssm:/shop/key', true],
    ['ssm:/shop/gone', false],
  ])('is whether there is %s: %s', async (reference, isThere) => {
    expect(await (await openServices()).running.hasSecret(reference)).toBe(isThere);
  });

  it('is asked by descriptions alone', async () => {
    const { running, received } = await openServices();
    await running.hasSecret('secretsmanager:shop/database');
    await running.hasSecret('ssm:/shop/key');
    expect(received.map(({ headers }) => String(headers['x-amz-target']).split('.')[1])).toEqual(['DescribeSecret', 'DescribeParameters']);
  });

  it('is denied where it may not be asked', async () => {
    await expect((await openServices()).running.hasSecret('secretsmanager:shop/denied')).rejects.toMatchObject({ kind: 'denied' });
  });

  it('is what a function is set to', async () => {
    const { running } = await openServices();
    expect(await running.variablesOf('shop')).toEqual({ values: { PORT: '80' } });
    expect(await running.variablesOf('other')).toBeUndefined();
  });
});
