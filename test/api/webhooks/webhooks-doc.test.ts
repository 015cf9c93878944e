import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { CiRequest } from '#releases/ci/ci-request.ts';
import { answeredEvents } from '#releases/ci/release-event.ts';
import { createWebhookApp } from '#test/releases/ci/signed-deliveries.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/releases/webhooks.md'), 'utf8');
const [, script = ''] = /```sh\n([^`]*)```/.exec(guide) ?? [];
const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';

/** The webhooks on loopback, as of now. */
async function listen() {
  const { app, clock, reported } = createWebhookApp();
  clock.nowMs = Date.now();
  const server = createServer(async (request, response) => {
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const answer = await app.request(request.url ?? '', { method: 'POST', headers, body: await buffer(request) });
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reported, close: () => server.close() };
}

const run = (url: string, secret: string) =>
  promisify(execFile)('sh', ['-euc', script], {
    env: { PATH: process.env.PATH, QUARTERDECK_URL: url, QUARTERDECK_CI_SECRET: secret, CI_COMMIT: COMMIT },
  });

describe('the example of docs/releases/webhooks.md', () => {
  it('is ten lines', () => expect(script.trim().split('\n')).toHaveLength(10));

  it('requests a release', async () => {
    const { url, reported, close } = await listen();
    const { stdout } = await run(url, 'ci-secret-of-a').finally(close);
    expect(JSON.parse(stdout)).toEqual({ result: 'taken', delivery: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(reported()).toMatchObject([{ tenant: 'a', report: { kind: 'release-requested', repository: 'team/shop', commit: COMMIT } }]);
  });

  it('fails with another secret, and says why', async () => {
    const { url, reported, close } = await listen();
    await expect(run(url, 'another-secret').finally(close)).rejects.toMatchObject({
      stdout: expect.stringContaining('not signed with a secret'),
    });
    expect(reported()).toEqual([]);
  });
});

describe('docs/releases/webhooks.md', () => {
  it('names every field, every event that is answered, and the settings as they are', () => {
    const missing = [...Object.keys(CiRequest.shape), ...answeredEvents].filter((name) => !guide.includes(name));
    expect(missing).toEqual([]);
    const variables = [...new Set(guide.match(/QUARTERDECK_[A-Z_]+[A-Z]/g) ?? [])].filter((name) => name !== 'QUARTERDECK_URL');
    for (const name of variables)
      expect([name, () => readSettings({ [name]: '\0' })]).toEqual([name, expect.toSatisfy((call) => throws(call))]);
  });
});

/** Every setting refuses this value, so that one that does not is no setting. */
function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
