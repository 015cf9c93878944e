import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushConfigToAws } from '#functions/aws-config.ts';
import { driverPermissions, hookPermissions, runningPermissions } from '#stacks/release-targets.ts';
import { S3_START_MS } from '#test/aws/s3-server.ts';
import { type ServiceRequest, startServiceServer } from '#test/aws/service-server.ts';
import { startAliasServer } from '#test/aws/traffic/alias-server.ts';
import { startDeploymentServer } from '#test/aws/traffic/deployment-server.ts';
import { APP, createGithub, INSTALLATION, REPOSITORY } from '#test/releases/ci/github-server.ts';
import { githubHeaders, sign } from '#test/releases/ci/signed-deliveries.ts';
import { answerSecrets, COMMIT, released, releaseFiles } from './release-files.ts';
import { absence, deployedFunctions, openStandIns, type StandIns } from './stand-ins.ts';

const GITHUB_SECRET = 'github-secret-of-c';
const CI_SECRET = 'ci-secret-of-c';

describe.skipIf(absence !== undefined)(`the functions of releases as they are deployed${absence ? ` (${absence})` : ''}`, () => {
  const github = createGithub({ now: Date.now });
  let standIns: StandIns;
  let githubUrl: string;
  let alias: Awaited<ReturnType<typeof startAliasServer>>;
  let deployment: Awaited<ReturnType<typeof startDeploymentServer>>;
  let secrets: Awaited<ReturnType<typeof startServiceServer>>;
  const closing: (() => Promise<void>)[] = [];
  let key: string;

  beforeAll(async () => {
    const api = await github.listen();
    githubUrl = api.url;
    alias = await startAliasServer(released);
    deployment = await startDeploymentServer();
    secrets = await startServiceServer(answerSecrets);
    standIns = await openStandIns({
      AWS_ENDPOINT_URL_LAMBDA: alias.endpoint,
      AWS_ENDPOINT_URL_CODEDEPLOY: deployment.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      AWS_ENDPOINT_URL_SSM: secrets.endpoint,
      QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on',
      QUARTERDECK_GITHUB_SECRET: `team-c=${GITHUB_SECRET}`,
      QUARTERDECK_CI_SECRET: `team-c=${CI_SECRET}`,
      QUARTERDECK_GITHUB_APP_ID: APP.id,
      QUARTERDECK_GITHUB_APP_KEY: APP.privateKey,
      QUARTERDECK_GITHUB_APP_TENANT: 'team-c',
      QUARTERDECK_GITHUB_API: api.url,
    });
    closing.push(standIns.close, api.close, alias.close, deployment.close, secrets.close);
    await pushConfigToAws(releaseFiles(), Date.now);
    const asked = { tenant: 'team-c', scopes: ['ingest', 'query', 'admin'] };
    key = ((await standIns.lambda.invoke('api-create-key', asked)) as { secret: string }).secret;
  }, S3_START_MS);

  afterAll(async () => {
    for (const close of closing) await close();
  });

  const send = (name: string, method: string, path: string, sent?: unknown, more: Record<string, string> = {}) => {
    const body = sent === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(sent)) };
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more };
    return standIns.lambda.request(name, path, { method, ...body, headers });
  };
  const call = async (...request: Parameters<typeof send>) => {
    const { status, body } = await send(...request);
    return { status, body: JSON.parse(body) };
  };
  const deliver = (provider: string, body: string, headers: Record<string, string>) =>
    standIns.lambda.request('releases-webhooks', `/webhooks/${provider}`, {
      ...{ method: 'POST', headers, body: new TextEncoder().encode(body) },
    });
  /** What happens upon what is done here. */
  const follow = async (deed: () => Promise<unknown>) => {
    const from = standIns.events.length;
    await deed();
    return standIns.followEvents(from);
  };

  it('answer a job that waits at GitHub: from its signed delivery over gates and the alias to its approval', async () => {
    const path = github.askRule(7, 'production');
    const body = JSON.stringify({
      ...{ action: 'requested', environment: 'production', event: 'push', deployment_callback_url: `${githubUrl}${path}` },
      deployment: {
        ...{ id: 42, sha: COMMIT, ref: 'refs/heads/main', environment: 'production', created_at: '2026-11-23T11:59:00Z' },
        creator: { login: 'octocat' },
      },
      ...{ repository: { full_name: REPOSITORY }, installation: { id: INSTALLATION }, sender: { login: 'octocat' } },
    });
    const headers = githubHeaders('deployment_protection_rule', body, 'delivery-1', GITHUB_SECRET);
    expect((await deliver('github', body, { ...headers, 'x-hub-signature-256': 'sha256=00' })).status).toBe(403);
    const asked = await follow(async () => expect((await deliver('github', body, headers)).status).toBe(202));
    expect(asked).toEqual(['Ci Reported', 'Release Started', 'Release Waiting']);
    expect(github.rules.get(path)).toMatchObject({ state: 'pending' });
    expect(github.rules.get(path)?.comments.at(-1)).toContain('waits for checks unit');
    expect(alias.alias.FunctionVersion).toBe('41');

    const check = {
      ...{ kind: 'check-reported', repository: REPOSITORY, commit: COMMIT },
      check: { name: 'unit', kind: 'other', state: 'success' },
    };
    const said = JSON.stringify(check);
    const seconds = Math.floor(Date.now() / 1_000);
    const signed = {
      'x-quarterdeck-timestamp': String(seconds),
      'x-quarterdeck-delivery': 'check-1',
      'x-quarterdeck-signature': `sha256=${sign(CI_SECRET, `${seconds}.`, said)}`,
    };
    const decided = await follow(async () => expect((await deliver('ci', said, signed)).status).toBe(202));
    expect(decided).toEqual(expect.arrayContaining(['Ci Reported', 'Canary Step Due', 'Release Promoted']));
    expect(alias.alias).toMatchObject({ FunctionVersion: '42' });
    expect(github.rules.get(path)?.state).toBe('approved');
    expect(github.commits.get(COMMIT)?.at(-1)).toMatchObject({ state: 'success' });
  });

  it('show what became of it, and do nothing twice', async () => {
    const { body } = await call('releases-http', 'GET', '/api/releases?application=shop');
    expect(body).toMatchObject({ releases: [{ application: 'shop', version: COMMIT }] });
    const [updates, told] = [alias.received.length, github.calls.length];
    expect(await follow(() => standIns.lambda.invoke('releases-advance', {}))).toEqual([]);
    await standIns.lambda.invoke('releases-answer', {});
    expect(alias.received).toHaveLength(updates);
    expect(github.calls).toHaveLength(told);
  });

  it('take commands, and link to the address that they came by', async () => {
    const wanted = { application: 'shop', environment: 'production', version: 'v9' };
    let id = '';
    const started = await follow(async () => {
      id = (await call('releases-http', 'POST', '/api/releases', wanted)).body.id;
    });
    expect(started).toEqual(['Release Due', 'Release Started', 'Release Waiting']);
    const aborted = await follow(async () =>
      expect(await call('releases-http', 'POST', `/api/releases/${id}/abort`, { actor: 'ann', why: 'wrong' })).toMatchObject({
        status: 200,
      }),
    );
    expect(aborted).toContain('Release Cancelled');
    const { detail } = standIns.events.findLast(({ detailType }) => detailType === 'Release Cancelled') ?? {};
    expect(detail?.url).toBe(`https://test.lambda-url.eu-west-1.on.aws/api/releases/${id}`);
  });

  it('roll a flag out by the API, which is evaluated by OFREP, and have its configuration go with the release', async () => {
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', rollout: { variant: 'on', percentage: 0 } };
    expect(await call('flags-http', 'PUT', '/api/flags/banner', flag)).toMatchObject({ status: 201 });
    const base = '/api/configurations/banner';
    const document = { env: { KEY: { secret: 'secretsmanager:shop/key' } } };
    const written = await call('releases-http', 'PUT', `${base}/layers/base`, { document, expected: 0 });
    expect(written).toMatchObject({ status: 200, body: { version: 1 } });
    const wanted = { application: 'banner', environment: 'production', version: 'v2' };
    const happened = await follow(async () =>
      expect(await call('releases-http', 'POST', '/api/releases', wanted, { 'idempotency-key': 'k1' })).toMatchObject({ status: 201 }),
    );
    expect(happened).toEqual(
      expect.arrayContaining(['Release Due', 'Release Started', 'Flag Changed', 'Release Promoted', 'Config Changed']),
    );
    const evaluated = await call('flags-http', 'POST', '/ofrep/v1/evaluate/flags/banner', { context: { targetingKey: 'ann' } });
    expect(evaluated).toMatchObject({ status: 200, body: { value: true } });
    const active = await call('releases-http', 'GET', `${base}/environments/production`);
    expect(active.body).toMatchObject({ active: { base: 1 } });
  });

  it('look whether the secrets that a configuration names are there', async () => {
    const document = {
      env: { KEY: { secret: 'secretsmanager:shop/key' }, A: { secret: 'secretsmanager:gone' }, B: { secret: 'ssm:/gone' } },
    };
    await call('releases-http', 'PUT', '/api/configurations/banner/layers/base', { document, expected: 1 });
    const { body } = await call('releases-http', 'GET', '/api/configurations/banner/environments/production/plan');
    expect(body.problems).toEqual([expect.stringContaining('secretsmanager:gone'), expect.stringContaining('ssm:/gone')]);
  });

  it('answer Kubernetes\u2019 rollout controllers', async () => {
    const payload = { name: 'shop', namespace: 'default', phase: 'Progressing', checksum: 'abc' };
    const asked = { ...payload, metadata: { application: 'banner', environment: 'production' } };
    const { status, body } = await send('releases-http', 'POST', '/webhooks/flagger/confirm-rollout', asked);
    expect([status, body]).toEqual([200, 'open\n']);
  });

  it('let a deployment of CodeDeploy go on that has asked its hook, once a release of it may', async () => {
    const asked = { DeploymentId: 'd-1', LifecycleEventHookExecutionId: 'h-1' };
    const taken = follow(async () =>
      expect(await standIns.lambda.invoke('releases-codedeploy-hook', asked)).toEqual({ deployment: 'd-1', tenants: ['team-c'] }),
    );
    expect(await taken).toEqual(expect.arrayContaining(['Ci Reported', 'Release Started']));
    expect(deployment.world.hook).toBe('Succeeded');
    // It comes again where its answer got lost, and asks for nothing more.
    expect(await follow(() => standIns.lambda.invoke('releases-codedeploy-hook', asked))).toEqual([]);
    deployment.world.status = 'Succeeded';
    expect(await standIns.lambda.invoke('releases-codedeploy-hook', asked)).toEqual({ deployment: 'd-1', tenants: [] });
    await expect(standIns.lambda.invoke('releases-codedeploy-hook', { ...asked, DeploymentId: 'd-9' })).rejects.toThrow('d-9');
    await expect(standIns.lambda.invoke('releases-codedeploy-hook', {})).rejects.toThrow('DeploymentId');
  });

  it('do nothing of all this that their roles do not allow', async () => {
    expect(await standIns.findRefused()).toEqual([]);
    const own = (await deployedFunctions()).filter((name) => /^(releases|flags)-/.test(name));
    expect(standIns.called()).toEqual(expect.arrayContaining(own));
  });

  it('ask of other services only what named resources allow', () => {
    const group = 'arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/live';
    const named = { lambdaFunctionArns: ['arn:aws:lambda:us-east-1:123456789012:function:shop'], codeDeployArns: [group] };
    const configured = { secretArns: ['arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/key-AbCdEf'], parameters: true };
    const allowed = [
      ...driverPermissions(named),
      ...hookPermissions(named),
      ...runningPermissions({ configured }, 'arn:aws:ssm:us-east-1:123456789012:*'),
    ].flatMap(({ actions }) => actions);
    const done = new Set([...alias.received, ...deployment.received, ...secrets.received].map(actionOf));
    expect(allowed).toEqual(expect.arrayContaining([...done]));
    expect(done.size).toBeGreaterThanOrEqual(9);
  });
});

const SERVICES: Readonly<Record<string, string>> = {
  CodeDeploy_20141006: 'codedeploy',
  secretsmanager: 'secretsmanager',
  AmazonSSM: 'ssm',
};

function actionOf({ method, path, headers }: ServiceRequest): string {
  const [service = '', operation] = String(headers['x-amz-target'] ?? '').split('.');
  if (operation !== undefined) return `${SERVICES[service]}:${operation}`;
  if (path.includes('/versions')) return 'lambda:ListVersionsByFunction';
  return method === 'PUT' ? 'lambda:UpdateAlias' : 'lambda:GetAlias';
}
