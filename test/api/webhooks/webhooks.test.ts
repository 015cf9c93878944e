import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toRequest } from '#aws/function-url.ts';
import { ciHeaders, createWebhookApp, githubHeaders, NOW, SETTINGS, sign } from '#test/releases/ci/signed-deliveries.ts';

const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';
const request = { kind: 'release-requested', repository: 'team/shop', commit: COMMIT, environment: 'production' };
const BODY = JSON.stringify(request);
const push = JSON.stringify({
  ...{ ref: 'refs/heads/main', before: COMMIT, after: COMMIT, deleted: false, pusher: { name: 'octocat' } },
  ...{ head_commit: null, repository: { full_name: 'octo-org/octo-repo', pushed_at: 1_557_933_657 }, sender: null },
});
const rule = (fields: object = {}) =>
  JSON.stringify({
    ...{ action: 'requested', environment: 'production', event: 'push', installation: { id: 815 } },
    deployment_callback_url: 'https://api.github.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule',
    deployment: {
      ...{ id: 42, sha: COMMIT, ref: 'refs/heads/main', environment: 'production', creator: { login: 'octocat' } },
      created_at: '2026-11-23T11:59:00Z',
    },
    repository: { full_name: 'octo-org/octo-repo' },
    ...fields,
  });

describe('a delivery that is not what it claims to be', () => {
  it.each<[string, Record<string, string>, string]>([
    ['without a signature', { 'x-hub-signature-256': '' }, 'X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits'],
    ['with half of one', { 'x-hub-signature-256': 'sha256=abcdef' }, 'X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits'],
    ["with a stranger's", { 'x-hub-signature-256': `sha256=${sign('another-secret', push)}` }, 'not signed with a secret'],
    [
      'with that of another body',
      { 'x-hub-signature-256': `sha256=${sign('github-secret-of-a', `${push} `)}` },
      'not signed with a secret',
    ],
    ['signed in the old way', { 'x-hub-signature-256': `sha1=${'a'.repeat(40)}` }, 'X-Hub-Signature-256 is not sha256='],
  ])('is denied %s', async (_name, headers, message) => {
    const { post, bus, table } = createWebhookApp();
    const { status, answer } = await post('/webhooks/github', { ...githubHeaders('push', push, 'd1'), ...headers }, push);
    expect([status, answer.error?.kind]).toEqual([403, 'denied']);
    expect(answer.error?.message).toContain(message);
    expect([bus.published, table.items()]).toEqual([[], []]);
  });

  it('is not even parsed', async () => {
    const { post } = createWebhookApp();
    const { status } = await post('/webhooks/github', githubHeaders('push', 'x', 'd1'), 'no JSON, and not signed as this');
    expect(status).toBe(403);
  });

  it.each([
    ['github', 'QUARTERDECK_GITHUB_SECRET', 'githubSecrets'],
    ['gitlab', 'QUARTERDECK_GITLAB_TOKEN', 'gitlabTokens'],
    ['ci', 'QUARTERDECK_CI_SECRET', 'ciSecrets'],
  ])('is denied where there is nothing to verify %s by, and told that %s is missing', async (provider, variable, field) => {
    const { post } = createWebhookApp({ webhooks: { ...SETTINGS, [field]: [] } });
    const { status, answer } = await post(`/webhooks/${provider}`, {}, '{}');
    expect(status).toBe(403);
    expect(answer.error?.message).toBe(`${variable} is not set: deliveries to /webhooks/${provider} cannot be verified`);
    expect(answer.error?.hint).toContain('tenant=secret');
  });

  it('goes to the tenant whose secret signed it, and to no other', async () => {
    const { post, reported } = createWebhookApp();
    await post('/webhooks/github', githubHeaders('push', push, 'd1', 'github-secret-of-b'), push);
    await post('/webhooks/github', githubHeaders('push', push, 'd1'), push);
    expect(reported().map(({ tenant }) => tenant)).toEqual(['b', 'a']);
  });

  it('never is one of ours by chance', async () => {
    const { post, bus } = createWebhookApp();
    const name = fc.constantFrom(
      'x-hub-signature-256',
      'x-gitlab-token',
      'x-gitlab-signature',
      'webhook-signature',
      'x-quarterdeck-signature',
    );
    const value = fc.oneof(fc.string(), fc.constant(`sha256=${'0'.repeat(64)}`), fc.constant('v1,'));
    const headers = fc.dictionary(
      name,
      value.map((text) => text.replace(/[^\x20-\x7e]/g, '').trim()),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('github', 'gitlab', 'ci'), headers, fc.string(), async (provider, given, body) => {
        const { status } = await post(`/webhooks/${provider}`, given, body);
        expect(status).toBe(403);
      }),
    );
    expect(bus.published).toEqual([]);
  });
});

describe('a generic delivery', () => {
  it('is what its JSON says', async () => {
    const { post, reported } = createWebhookApp();
    const full = {
      ...request,
      kind: 'check-reported',
      check: { name: 'smoke', kind: 'smoke', state: 'success' },
      artifactDigest: 'sha256:00',
    };
    const body = JSON.stringify(full);
    expect(await post('/webhooks/ci', ciHeaders(body, 'd1'), body)).toEqual({ status: 202, answer: { result: 'taken', delivery: 'd1' } });
    expect(reported()).toEqual([
      { id: expect.any(String), tenant: 'a', at: '2026-11-23T12:00:00.000Z', report: { provider: 'ci', delivery: 'd1', ...full } },
    ]);
  });

  it.each<[string, object, string]>([
    ['a field that is not known', { ...request, enviroment: 'production' }, 'Unrecognized key: "enviroment"'],
    ['a kind that is none', { ...request, kind: 'deploy' }, 'kind: '],
    [
      'a check without the kind for it',
      { ...request, check: { name: 'x', kind: 'smoke', state: 'success' } },
      'check: goes with check-reported',
    ],
    ['a check that is missing', { ...request, kind: 'check-reported' }, 'check: is what check-reported is about'],
    ['neither commit nor version', { ...request, commit: '' }, 'commit: is empty: name a version then'],
    ['more than there may be', { ...request, environment: 'x'.repeat(201) }, 'environment: '],
    ['a reply, which is not for senders to make', { ...request, reply: { provider: 'github' } }, 'Unrecognized key: "reply"'],
  ])('is refused with %s', async (_name, payload, message) => {
    const { post } = createWebhookApp();
    const body = JSON.stringify(payload);
    const { status, answer } = await post('/webhooks/ci', ciHeaders(body, 'd1'), body);
    expect([status, answer.error?.kind]).toEqual([400, 'input']);
    expect(answer.error?.message).toContain(message);
  });

  it.each([
    ['4 minutes before', -240, 202],
    ['4 minutes after', 240, 202],
    ['6 minutes before', -360, 403],
    ['6 minutes after', 360, 403],
  ])('of %s the time here is answered %3$i', async (_name, offset, expected) => {
    const { post } = createWebhookApp();
    const { status } = await post('/webhooks/ci', ciHeaders(BODY, 'd1', NOW / 1_000 + offset), BODY);
    expect(status).toBe(expected);
  });

  it.each([
    ['another time', { 'x-quarterdeck-timestamp': String(NOW / 1_000 + 1) }, 403],
    ['no delivery', { 'x-quarterdeck-delivery': '' }, 400],
    ['a delivery that is too long', { 'x-quarterdeck-delivery': 'x'.repeat(181) }, 400],
  ])('with %s is refused', async (_name, headers, expected) => {
    const { post } = createWebhookApp();
    expect((await post('/webhooks/ci', { ...ciHeaders(BODY, 'd1'), ...headers }, BODY)).status).toBe(expected);
  });
});

describe('a protection rule', () => {
  it('requests a release, and says how it is answered', async () => {
    const { post, reported } = createWebhookApp();
    const body = rule();
    await post('/webhooks/github', githubHeaders('deployment_protection_rule', body, 'd1'), body);
    expect(reported()[0].report).toEqual({
      ...{ provider: 'github', delivery: 'd1', kind: 'release-requested', repository: 'octo-org/octo-repo', commit: COMMIT, ref: 'main' },
      ...{ environment: 'production', actor: 'octocat', occurredAt: '2026-11-23T11:59:00.000Z' },
      reply: {
        ...{
          provider: 'github',
          repository: 'octo-org/octo-repo',
          environment: 'production',
          sha: COMMIT,
          installation: '815',
          rule: '42',
        },
        callbackUrl: 'https://api.github.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule',
      },
    });
  });

  it.each([
    ['on another host', 'https://evil.example.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule'],
    ['on a host that begins alike', 'https://api.github.com.evil.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule'],
    [
      'with credentials before the host',
      'https://api.github.com@evil.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule',
    ],
    ['on another port', 'https://api.github.com:444/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule'],
    ['in the clear', 'http://api.github.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule'],
    ['of another repository', 'https://api.github.com/repos/octo-org/other/actions/runs/7/deployment_protection_rule'],
    ['that climbs', 'https://api.github.com/repos/octo-org/octo-repo/actions/runs/7/../../../../other/x/deployment_protection_rule'],
    ['with a query', 'https://api.github.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule?x'],
    ['that is none', 'nothing'],
  ])('with a callback %s is refused', async (_name, url) => {
    const { post, bus } = createWebhookApp();
    const body = rule({ deployment_callback_url: url });
    const { status, answer } = await post('/webhooks/github', githubHeaders('deployment_protection_rule', body, 'd1'), body);
    expect([status, answer.error?.message]).toEqual([400, expect.stringContaining('deployment_callback_url is not a protection rule of')]);
    expect(bus.published).toEqual([]);
  });

  it('that nobody can answer says so to GitHub', async () => {
    const { post } = createWebhookApp();
    const body = rule();
    const foreign = await post('/webhooks/github', githubHeaders('deployment_protection_rule', body, 'd1', 'github-secret-of-b'), body);
    expect(foreign).toMatchObject({
      status: 202,
      answer: { result: 'taken', note: expect.stringContaining('nobody will answer this rule') },
    });
  });
});

describe('what is malformed, huge or in another form', () => {
  const huge = `{"x":"${'x'.repeat(1024 * 1024)}"}`;

  it.each<[string, Record<string, string>, string, number, string]>([
    ['a body of more than 1 MiB', githubHeaders('push', huge, 'd1'), huge, 413, 'larger than 1048576 bytes'],
    ['what is no JSON', githubHeaders('push', 'payload=%7B%7D', 'd1'), 'payload=%7B%7D', 400, 'not JSON'],
    ['a payload of another type', githubHeaders('push', '"push"', 'd1'), '"push"', 400, 'not one of the event push'],
    ['no id', { ...githubHeaders('push', push, ''), 'x-github-delivery': '' }, push, 400, 'X-GitHub-Delivery is '],
    ['a content encoding', { ...githubHeaders('push', push, 'd1'), 'content-encoding': 'gzip' }, push, 400, 'no content encoding'],
  ])('%s is refused', async (_name, headers, body, expected, message) => {
    const { post, bus } = createWebhookApp();
    const { status, answer } = await post('/webhooks/github', headers, body);
    expect([status, answer.error?.message]).toEqual([expected, expect.stringContaining(message)]);
    expect(bus.published).toEqual([]);
  });

  it('no signed payload makes it fail', async () => {
    const { post } = createWebhookApp();
    const events = [
      'deployment_protection_rule',
      'deployment',
      'deployment_status',
      'workflow_run',
      'check_run',
      'release',
      'push',
      'ping',
      'toString',
    ];
    const keys = ['deployment', 'deployment_status', 'check_run', 'workflow_run', 'release', 'pusher', 'after', 'repository', '__proto__'];
    const payload = fc.oneof(
      fc.json(),
      fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    let delivery = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...events), payload, async (event, body) => {
        const { status } = await post('/webhooks/github', githubHeaders(event, body, `d${++delivery}`), body);
        expect([202, 400]).toContain(status);
      }),
    );
  });

  it('is what was signed on Lambda too, where bodies come as text or in Base64', async () => {
    const { app, reported } = createWebhookApp();
    for (const [i, isBase64Encoded] of [false, true].entries()) {
      const body = JSON.stringify({ ...request, ref: `größe-${i}-\u{1f680}` });
      const event = {
        ...{ rawPath: '/webhooks/ci', rawQueryString: '', headers: ciHeaders(body, `d${i}`), isBase64Encoded },
        requestContext: { domainName: 'x.lambda-url.eu-central-1.on.aws', http: { method: 'POST' } },
        body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
      };
      expect((await app.fetch(toRequest(event))).status).toBe(202);
    }
    expect(reported().map(({ report }) => report.ref)).toEqual(['größe-0-\u{1f680}', 'größe-1-\u{1f680}']);
  });

  it('half a surrogate pair goes no further', async () => {
    const { post, reported } = createWebhookApp();
    const body = JSON.stringify({ ...request, ref: 'x' }).replace('"x"', '"\\ud800"');
    await post('/webhooks/ci', ciHeaders(body, 'd1'), body);
    expect(reported()[0].report.ref).toBe('\ufffd');
  });
});
