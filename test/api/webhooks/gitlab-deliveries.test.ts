import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import { createWebhookApp, NOW, sign } from '#test/releases/ci/signed-deliveries.ts';

const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';

describe("GitLab's deliveries", () => {
  const body = JSON.stringify({
    ...{ object_kind: 'push', ref: 'refs/heads/main', after: COMMIT, checkout_sha: COMMIT, commits: [] },
    project: { id: 3, path_with_namespace: 'team/shop' },
  });
  const seconds = String(NOW / 1_000);
  const standard = (key: string, id = 'msg_1', time = seconds) => ({
    ...{ 'webhook-id': id, 'webhook-timestamp': time },
    'webhook-signature': `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`,
  });

  it.each<[string, Record<string, string>, string]>([
    ['their secret token', { 'x-gitlab-token': 'gitlab-token-of-a' }, 'a'],
    ['a signing token', standard('gitlab-signing-of-b'), 'b'],
    [
      'a signing token among several',
      { ...standard('gitlab-signing-of-b'), 'webhook-signature': `v1a,x ${standard('gitlab-signing-of-b')['webhook-signature']}` },
      'b',
    ],
    ['the signature of a status check', { 'x-gitlab-signature': sign('gitlab-token-of-a', body) }, 'a'],
  ])('are verified by %s', async (_name, headers, tenant) => {
    const { post, reported } = createWebhookApp();
    expect(await post('/webhooks/gitlab', headers, body)).toMatchObject({ status: 202, answer: { result: 'taken' } });
    expect(reported()).toMatchObject([{ tenant, report: { provider: 'gitlab', repository: 'team/shop', commit: COMMIT } }]);
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ["a stranger's token", { 'x-gitlab-token': 'gitlab-token-of-c' }],
    ['part of a token', { 'x-gitlab-token': 'gitlab-token-of-' }],
    ['a right token, and a wrong signature, which counts', { 'x-gitlab-token': 'gitlab-token-of-a', ...standard('wrong') }],
    ['a signature of ten minutes ago', standard('gitlab-signing-of-b', 'msg_1', String(NOW / 1_000 - 600))],
    ['a signature of another id', { ...standard('gitlab-signing-of-b'), 'webhook-id': 'msg_2' }],
    ['a wrong signature of a status check', { 'x-gitlab-signature': sign('wrong', body) }],
  ])('are denied with %s', async (_name, headers) => {
    const { post } = createWebhookApp();
    expect((await post('/webhooks/gitlab', headers, body)).status).toBe(403);
  });

  it('are told apart by what they say where a recursion of webhooks gives them one UUID', async () => {
    const { post, bus } = createWebhookApp();
    const headers = { 'x-gitlab-token': 'gitlab-token-of-a', 'x-gitlab-event-uuid': '7d1c2c9e-0001' };
    const results = [];
    for (const each of [body, body, body.replace('main', 'next')])
      results.push((await post('/webhooks/gitlab', headers, each)).answer.result);
    expect(results).toEqual(['taken', 'already taken', 'taken']);
    expect(bus.published).toHaveLength(2);
  });

  it('ask for a status check again, after a while, without any change', async () => {
    const { post, clock } = createWebhookApp();
    const check = JSON.stringify({
      object_kind: 'merge_request',
      object_attributes: {
        ...{ iid: 4, state: 'opened', source_branch: 'patch', source_project_id: 3, target_project_id: 3, last_commit: { id: COMMIT } },
      },
      external_approval_rule: { id: 7, name: 'production' },
      project: { id: 3, path_with_namespace: 'team/shop' },
    });
    const results = [];
    for (const minutes of [0, 1, 5]) {
      clock.nowMs = NOW + minutes * MINUTE_MS;
      results.push((await post('/webhooks/gitlab', { 'x-gitlab-signature': sign('gitlab-token-of-a', check) }, check)).answer.result);
    }
    expect(results).toEqual(['taken', 'already taken', 'taken']);
  });
});
