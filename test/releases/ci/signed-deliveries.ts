import { createHmac } from 'node:crypto';
import { authenticateByTokens } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { webhookGroups } from '#api/webhooks/groups.ts';
import type { WebhookDomains } from '#api/webhooks/webhook-routes.ts';
import type { CiReported } from '#model/release-events.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { publishOutbox } from '#ports/outbox.ts';
import type { WebhookSettings } from '#releases/ci/receive-delivery.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');
const GITHUB_SECRET = 'github-secret-of-a';

export const SETTINGS: WebhookSettings = {
  githubSecrets: [
    { tenant: 'a', secret: GITHUB_SECRET },
    { tenant: 'b', secret: 'github-secret-of-b' },
  ],
  gitlabTokens: [
    { tenant: 'a', secret: 'gitlab-token-of-a' },
    { tenant: 'b', secret: `whsec_${Buffer.from('gitlab-signing-of-b').toString('base64')}` },
  ],
  ciSecrets: [{ tenant: 'a', secret: 'ci-secret-of-a' }],
  githubApp: { id: '4711', tenant: 'a' },
  githubApi: 'https://api.github.com',
};

/** The hexadecimal HMAC-SHA256 that senders make. */
export function sign(secret: string, ...parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac('sha256', secret);
  for (const part of parts) mac.update(part);
  return mac.digest('hex');
}

/** The headers of one of GitHub's deliveries. */
export function githubHeaders(event: string, body: string | Uint8Array, delivery: string, secret = GITHUB_SECRET): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': delivery,
    'x-hub-signature-256': `sha256=${sign(secret, body)}`,
  };
}

/** The headers of a generic delivery. */
export function ciHeaders(body: string, delivery: string, seconds = NOW / 1_000): Record<string, string> {
  return {
    'x-quarterdeck-timestamp': String(seconds),
    'x-quarterdeck-delivery': delivery,
    'x-quarterdeck-signature': `sha256=${sign('ci-secret-of-a', `${seconds}.`, body)}`,
  };
}

/** The webhooks over memory. */
export function createWebhookApp(options: Partial<WebhookDomains> = {}) {
  const clock = { nowMs: NOW };
  const table = createMemoryTable();
  const bus = createMemoryBus();
  let ids = 0;
  const newId = () => `id${++ids}`;
  const now = () => clock.nowMs;
  const publishSoon = async () => void (await publishOutbox({ table, bus }));
  const groups = webhookGroups({ table, now, newId, webhooks: SETTINGS, publishSoon, ...options });
  const app = createApi(
    {
      authenticate: authenticateByTokens([{ token: 'nobody-has-this', tenant: 'x', scopes: new Set() }]),
      newId,
      observe() {},
      report: (error) => {
        throw error;
      },
      now,
    },
    groups,
  );
  return {
    app,
    bus,
    clock,
    table,
    reported: () => bus.published.map(({ detail }) => detail as unknown as CiReported),
    async post(path: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) {
      const response = await app.request(path, { method: 'POST', headers, body });
      const answer = (await response.json()) as Record<string, unknown> & { error?: { kind: string; message: string; hint?: string } };
      return { status: response.status, answer };
    },
  };
}
