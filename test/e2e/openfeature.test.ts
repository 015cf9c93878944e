import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { ErrorCode, OpenFeature } from '@openfeature/server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startQuarterdeck } from './quarterdeck.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const files = {
  flags: {
    banner: { ...onOff, targeting: { if: [{ ends_with: [{ var: 'email' }, '@example.com'] }, 'on', 'off'] }, metadata: { team: 'shop' } },
    color: {
      state: 'ENABLED',
      variants: { red: '#f00', blue: '#00f' },
      defaultVariant: 'red',
      targeting: {
        fractional: [
          ['red', 0],
          ['blue', 1],
        ],
      },
    },
    limit: { state: 'ENABLED', variants: { low: 1.5, high: 10 }, defaultVariant: 'high' },
    layout: { state: 'ENABLED', variants: { wide: { columns: 3 } }, defaultVariant: 'wide' },
    gone: { ...onOff, state: 'DISABLED' },
    'shop/über flag': { ...onOff, defaultVariant: 'on' },
  },
};

describe("OpenFeature's SDK with its OFREP provider", () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-flags-'));
  const token = 'secret=default:query+admin';
  let server: RunningServer;

  beforeAll(async () => {
    mkdirSync(join(folder, 'flags'));
    writeFileSync(join(folder, 'flags', 'shop.json'), JSON.stringify(files));
    const env = { QUARTERDECK_CONFIG: folder, QUARTERDECK_TOKENS: token, QUARTERDECK_SELF: 'off', QUARTERDECK_SCHEDULES: 'off' };
    server = await startQuarterdeck(join(folder, 'data'), env);
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: server.url, headers: [['Authorization', 'Bearer secret']] }));
  }, 60_000);

  afterAll(async () => {
    await OpenFeature.close();
    await server.end('SIGTERM');
    rmSync(folder, { recursive: true });
  });

  const client = OpenFeature.getClient();
  const call = (method: string, path: string, body?: object, headers: object = {}) =>
    fetch(`${server.url}/api/flags/${path}`, {
      method,
      body: body ? JSON.stringify(body) : null,
      headers: { authorization: 'Bearer secret', ...headers },
    });

  it('evaluates flags of every type', async () => {
    const staff = { targetingKey: 'ann', email: 'ann@example.com' };
    expect(await client.getBooleanDetails('banner', false, staff)).toMatchObject({
      ...{ value: true, variant: 'on', reason: 'TARGETING_MATCH', flagMetadata: { team: 'shop' } },
    });
    expect(await client.getBooleanValue('banner', true, { email: 'x@elsewhere.com' })).toBe(false);
    expect(await client.getStringDetails('color', 'x', { targetingKey: 'ann' })).toMatchObject({ value: '#00f', variant: 'blue' });
    expect(await client.getNumberDetails('limit', 0)).toMatchObject({ value: 10, reason: 'STATIC' });
    expect(await client.getObjectValue('layout', {})).toEqual({ columns: 3 });
    expect(await client.getBooleanValue('shop/über flag', false)).toBe(true);
  });

  it("leaves the code's own default where there is nothing to give, and says why", async () => {
    expect(await client.getBooleanDetails('nobody', true)).toMatchObject({ value: true, errorCode: ErrorCode.FLAG_NOT_FOUND });
    expect(await client.getStringDetails('color', 'plain')).toMatchObject({ value: 'plain', errorCode: ErrorCode.TARGETING_KEY_MISSING });
    expect(await client.getStringDetails('limit', 'plain')).toMatchObject({ value: 'plain', errorCode: ErrorCode.TYPE_MISMATCH });
    expect(await client.getBooleanValue('gone', true)).toBe(true);
  });

  it('sees a change with the next request, and a kill at once', async () => {
    const flag = { ...onOff, rollout: { variant: 'on', percentage: 100 } };
    expect((await call('PUT', 'checkout?by=ann', flag)).status).toBe(201);
    expect(await client.getBooleanDetails('checkout', false)).toMatchObject({ value: true, reason: 'SPLIT' });
    expect((await call('POST', 'checkout/rollout', { percentage: 0, by: 'ann' })).status).toBe(200);
    expect(await client.getBooleanValue('checkout', true)).toBe(false);
    expect((await call('POST', 'checkout/rollout', { percentage: 100, by: 'ann' })).status).toBe(200);
    expect((await call('POST', 'checkout/kill', { by: 'ann', reason: 'errors' })).status).toBe(200);
    expect(await client.getBooleanDetails('checkout', true)).toMatchObject({ value: false, reason: 'DISABLED' });
    // A flag of a file too: its file need not be changed first.
    expect((await call('POST', 'limit/kill', { variant: 'low' })).status).toBe(200);
    expect(await client.getNumberValue('limit', 0)).toBe(1.5);
    const { changes } = (await (await call('GET', 'checkout/audit')).json()) as { changes: { action: string; by: string }[] };
    expect(changes.map(({ action, by }) => `${action} ${by}`)).toEqual(['killed ann', 'rollout ann', 'rollout ann', 'created ann']);
  });

  it('tells nobody anything without a token', async () => {
    expect((await fetch(`${server.url}/ofrep/v1/evaluate/flags/banner`, { method: 'POST', body: '{"context":{}}' })).status).toBe(401);
    expect(server.complaints()).toBe('');
  });
});
