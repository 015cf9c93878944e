import { describe, expect, it } from 'vitest';
import { readGithubEvent } from '#releases/ci/github-events.ts';
import { isoTime, kindOfCheck, linkOf } from '#releases/ci/report-fields.ts';

const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';
const TAG = 'a'.repeat(40);
const repository = { full_name: 'octo-org/octo-repo' };
const context = { apiUrl: 'https://api.github.com', appId: '4711' };
const deployment = { id: 42, sha: COMMIT, ref: 'main', environment: 'production', created_at: '2026-11-23T11:59:00Z' };

const run = (fields: object) => ({
  ...{ action: 'completed', repository, workflow: { name: 'CI' } },
  workflow_run: {
    ...{ name: 'Smoke', path: '.github/workflows/smoke.yml', status: 'completed', conclusion: 'success', head_sha: COMMIT },
    ...{ head_branch: 'main', head_repository: repository, html_url: null, updated_at: '2026-11-23T11:59:00Z' },
    ...fields,
  },
});
const check = (fields: object, action = 'completed') => ({
  ...{ action, repository, sender: { login: 'octocat' } },
  check_run: {
    name: 'CodeQL',
    status: 'completed',
    conclusion: 'success',
    head_sha: COMMIT,
    app: { id: 15_368 },
    check_suite: null,
    ...fields,
  },
});
const status = (fields: object) => ({
  ...{ action: 'created', repository, deployment },
  deployment_status: { state: 'success', created_at: '2026-11-23T11:59:00Z', ...fields },
});
const push = (fields: object) => ({ ref: 'refs/heads/main', after: COMMIT, pusher: { name: 'octocat' }, repository, ...fields });
const release = (fields: object) => ({
  ...{ action: 'published', repository },
  release: { tag_name: 'v1', target_commitish: 'main', draft: false, published_at: '2026-11-23T11:59:00Z', ...fields },
});

const read = (event: string, payload: unknown) => readGithubEvent(event, payload, context);

describe("GitHub's checks", () => {
  it.each([
    ['completed', 'success', 'success'],
    ['completed', 'neutral', 'success'],
    ['completed', 'failure', 'failure'],
    ['completed', 'cancelled', 'failure'],
    ['completed', 'timed_out', 'failure'],
    ['completed', 'startup_failure', 'failure'],
    ['completed', 'what comes next year', 'failure'],
    ['completed', 'skipped', 'pending'],
    ['completed', 'stale', 'pending'],
    ['completed', 'action_required', 'pending'],
    ['completed', null, 'pending'],
    ['in_progress', null, 'pending'],
    ['in_progress', 'success', 'pending'],
    ['queued', undefined, 'pending'],
  ])('that are %s with %s are %s', (state, conclusion, expected) => {
    expect(read('check_run', check({ status: state, conclusion }))).toMatchObject({ report: { check: { state: expected } } });
    expect(read('workflow_run', run({ status: state, conclusion }))).toMatchObject({ report: { check: { state: expected } } });
  });

  it.each([
    ['success', 'success'],
    ['failure', 'failure'],
    ['error', 'failure'],
    ['in_progress', 'pending'],
    ['waiting', 'pending'],
  ])('of a deployment that is %s are %s', (state, expected) => {
    expect(read('deployment_status', status({ state }))).toMatchObject({
      report: { kind: 'check-reported', environment: 'production', check: { name: 'deployment to production', state: expected } },
    });
  });

  it('take the name of the workflow where the run has none', () => {
    const nameOf = (fields: object) => read('workflow_run', run(fields));
    expect(nameOf({})).toMatchObject({ report: { check: { name: 'Smoke', kind: 'smoke' } } });
    expect(nameOf({ name: null })).toMatchObject({ report: { check: { name: 'CI', kind: 'build' } } });
    expect(nameOf({ name: '', path: null, head_branch: null })).toMatchObject({ report: { ref: undefined } });
  });

  it.each<[string, string, object, string]>([
    ['of a fork', 'workflow_run', run({ head_repository: { full_name: 'stranger/octo-repo' } }), 'the run is of a fork'],
    ['of our own App', 'check_run', check({ app: { id: 4711 } }), 'Quarterdeck itself made this check'],
    ['of our own App by its client id', 'check_run', check({ app: { id: 1, client_id: '4711' } }), 'Quarterdeck itself made this check'],
    [
      'that are told by ourselves',
      'deployment_status',
      status({ performed_via_github_app: { id: 4711 } }),
      'Quarterdeck itself gave this status',
    ],
    [
      'of a deployment that is over',
      'deployment_status',
      status({ state: 'inactive' }),
      'the deployment is "inactive", which is no result',
    ],
  ])('%s say nothing', (_name, event, payload, reason) => expect(read(event, payload)).toEqual({ kind: 'ignored', reason }));
});

describe("GitHub's deployments", () => {
  it('of a workflow get no statuses of ours beside those of Actions', () => {
    const payload = { action: 'created', deployment, repository, installation: { id: 815 } };
    expect(read('deployment', { ...payload, workflow_run: null })).toMatchObject({
      report: { reply: { deploymentId: '42', installation: '815' } },
    });
    const ofWorkflow = read('deployment', { ...payload, workflow_run: { id: 1 } });
    expect(ofWorkflow).toMatchObject({ report: { kind: 'release-requested', reply: { installation: '815' } } });
    expect(ofWorkflow).not.toMatchObject({ report: { reply: { deploymentId: '42' } } });
  });
});

describe("GitHub's versions", () => {
  it.each<[string, string, object, object]>([
    ['a push of a branch', 'push', push({}), { commit: COMMIT, ref: 'main', version: undefined, actor: 'octocat' }],
    [
      'an annotated tag is the commit that it is of',
      'push',
      push({ ref: 'refs/tags/v1', after: TAG, head_commit: { id: COMMIT, timestamp: '2026-11-23T12:59:00+01:00' } }),
      { commit: COMMIT, ref: 'v1', version: 'v1', occurredAt: '2026-11-23T11:59:00.000Z' },
    ],
    ['a branch with slashes', 'push', push({ ref: 'refs/heads/feature/refs/heads/x' }), { ref: 'feature/refs/heads/x' }],
    ['a release of a branch has no commit yet', 'release', release({}), { commit: '', ref: 'v1', version: 'v1' }],
    ['a release of a commit', 'release', release({ target_commitish: COMMIT }), { commit: COMMIT, version: 'v1' }],
  ])('%s', (_name, event, payload, report) => expect(read(event, payload)).toMatchObject({ report: { kind: 'version-seen', ...report } }));

  it.each([
    ['the zero commit', push({ after: '0'.repeat(40) })],
    ['the zero commit of SHA-256', push({ after: '0'.repeat(64) })],
    ['what says that it is deleted', push({ deleted: true })],
  ])('are none after %s', (_name, payload) => expect(read('push', payload)).toEqual({ kind: 'ignored', reason: 'main was deleted' }));

  it('are none while a release is a draft', () => expect(read('release', release({ draft: true }))).toMatchObject({ kind: 'ignored' }));
});

describe('what fields of reports are made of', () => {
  it.each([
    [['Smoke tests'], 'smoke'],
    [['e2e (chromium)'], 'integration'],
    [['Analyze (javascript)', 'codeql.yml'], 'security'],
    [['k6 load'], 'performance'],
    [['CI'], 'build'],
    [['docker image'], 'build'],
    [['lint'], 'other'],
    [[null, undefined, ''], 'other'],
  ] as const)('a check named %j is of the kind %s', (names, kind) => expect(kindOfCheck(...names)).toBe(kind));

  it.each([
    [1_557_933_657, '2019-05-15T15:20:57.000Z'],
    ['2021-04-28 21:50:00 +0200', '2021-04-28T19:50:00.000Z'],
    ['2016-08-12 15:23:28 UTC', '2016-08-12T15:23:28.000Z'],
    ['', undefined],
    ['yesterday', undefined],
    [1e300, undefined],
    [null, undefined],
  ])('the time %j is %s', (value, expected) => expect(isoTime(value)).toBe(expected));

  it.each([
    ['https://x.example.com/a', 'https://x.example.com/a'],
    ['javascript:alert(1)', undefined],
    ['', undefined],
    [`https://x.example.com/${'a'.repeat(2_000)}`, undefined],
  ])('the link %s is %s', (text, expected) => expect(linkOf(text)).toBe(expected));
});
