import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import type { Outgoing, OutgoingRequest } from '#ports/outgoing.ts';
import { normalizeTraffic, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';
import { createWebhookTraffic } from '#releases/traffic/webhook-traffic.ts';
import { trafficContract } from '#test/ports/traffic.contract.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const target: TrafficTarget = {
  ...{ tenant: 't', application: 'shop', environment: 'production' },
  settings: { url: 'https://router.example/shift', parameters: { pool: 'blue' } },
};

/** A traffic control that keeps its own word for what it holds. */
function createRouter() {
  const held = { state: { stable: 'a', weight: 0 } as TrafficState, note: 'first' };
  const requests: OutgoingRequest[] = [];
  let losing = false;
  const outgoing: Outgoing = {
    async send(request) {
      requests.push(request);
      const { action, to, captured } = JSON.parse(request.body);
      if (action === 'capture') return { status: 200, headers: {}, body: JSON.stringify(held), truncated: false };
      if (action === 'shift') held.state = normalizeTraffic(to);
      if (action === 'restore') Object.assign(held, captured);
      if (losing && action !== 'read') {
        losing = false;
        throw new OpsError('unavailable', 'no answer');
      }
      return { status: 200, headers: {}, body: JSON.stringify(held.state), truncated: false };
    },
  };
  const loseAnswer = () => {
    losing = true;
  };
  return { held, requests, outgoing, loseAnswer };
}

trafficContract('webhook', async () => {
  const router = createRouter();
  return {
    port: createWebhookTraffic({ outgoing: router.outgoing, now: () => NOW, secretOf: () => undefined }),
    ...{ target, stable: 'a', canary: 'b', loseAnswer: router.loseAnswer },
    interfere(state) {
      router.held.state = state;
    },
    world: () => JSON.stringify(router.held),
    close: async () => {},
  };
});

describe('a traffic webhook', () => {
  it('is asked with a signature over time and body', async () => {
    const router = createRouter();
    await createWebhookTraffic({ outgoing: router.outgoing, now: () => NOW, secretOf: (tenant) => `secret of ${tenant}` }).read(target);
    const [{ headers, body }] = router.requests as [OutgoingRequest];
    const signature = createHmac('sha256', 'secret of t')
      .update(`${NOW / 1_000}.${body}`)
      .digest('hex');
    expect(headers).toMatchObject({ 'x-quarterdeck-timestamp': String(NOW / 1_000), 'x-quarterdeck-signature': `sha256=${signature}` });
    expect(JSON.parse(body)).toEqual({ action: 'read', application: 'shop', environment: 'production', parameters: { pool: 'blue' } });
  });

  it.each([
    [409, '', 'conflict'],
    [404, '', 'input'],
    [429, '', 'unavailable'],
    [503, '', 'unavailable'],
    [200, 'no json', 'unavailable'],
    [200, '{"stable":"a","weight":101}', 'unavailable'],
  ])('that answers %d %j is %s', async (status, body, kind) => {
    const outgoing: Outgoing = { send: async () => ({ status, headers: {}, body, truncated: false }) };
    const port = createWebhookTraffic({ outgoing, now: () => NOW, secretOf: () => undefined });
    await expect(port.read(target)).rejects.toMatchObject({ kind });
  });
});
