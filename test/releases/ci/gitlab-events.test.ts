import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { readGitlabEvent } from '#releases/ci/gitlab-events.ts';

const COMMIT = '279484c09fbe69ededfced8c1bb6e6d24616b468';
const project = { id: 30, name: 'Shop', path_with_namespace: 'team/shop', web_url: 'https://gitlab.example.com/team/shop' };
const user = { id: 1, name: 'Administrator', username: 'root', email: '[REDACTED]' };

const pipeline = (attributes: object = {}, more: object = {}) => ({
  object_kind: 'pipeline',
  object_attributes: {
    ...{ id: 31, iid: 3, name: null, ref: 'main', tag: false, sha: COMMIT, status: 'success', source: 'push' },
    ...{ created_at: '2016-08-12 15:23:28 UTC', finished_at: '2016-08-12 15:26:29 UTC', url: 'https://gitlab.example.com/p/31' },
    ...attributes,
  },
  merge_request: null,
  ...{ user, project },
  ...more,
});
const job = (fields: object = {}) => ({
  object_kind: 'build',
  ...{ ref: 'main', tag: false, sha: COMMIT, build_id: 1977, build_name: 'rspec', build_stage: 'integration', build_status: 'success' },
  ...{ build_created_at: '2021-02-23T02:41:37.886Z', build_started_at: null, build_finished_at: null, build_allow_failure: false },
  ...{ project_id: 30, project_name: 'Team / Shop', user: { id: 3, name: 'User' }, project, environment: null },
  ...fields,
});
const deployment = (fields: object = {}) => ({
  object_kind: 'deployment',
  ...{ status: 'running', status_changed_at: '2021-04-28 21:50:00 +0200', deployment_id: 15, deployable_id: 796 },
  ...{ deployable_url: 'https://gitlab.example.com/team/shop/-/jobs/796', environment: 'production', environment_tier: 'production' },
  ...{ project, short_sha: '279484c0', user, commit_url: `https://gitlab.example.com/team/shop/-/commit/${COMMIT}`, commit_title: 'x' },
  ...fields,
});
const mergeRequest = (attributes: object = {}, more: object = {}) => ({
  object_kind: 'merge_request',
  ...{ user, project },
  object_attributes: {
    ...{ id: 144, iid: 4, source_branch: 'patch', source_project_id: 30, target_project_id: 30, state: 'opened' },
    ...{ updated_at: '2022-12-07 07:53:43 UTC', url: 'https://gitlab.example.com/mr/4', last_commit: { id: COMMIT } },
    ...attributes,
  },
  ...more,
});
const rule = { external_approval_rule: { id: 7, name: 'production', external_url: 'https://q.example.com/webhooks/gitlab' } };
const push = (fields: object = {}) => ({
  object_kind: 'push',
  ...{ before: COMMIT, after: COMMIT, ref: 'refs/heads/main', checkout_sha: COMMIT, user_username: 'jsmith', project },
  commits: [{ id: COMMIT, timestamp: '2012-01-03T23:36:29+02:00' }],
  ...fields,
});
const zero = '0'.repeat(40);

const seen = { repository: 'team/shop', commit: COMMIT };

describe("GitLab's events", () => {
  it.each<[string, object, object]>([
    [
      'a pipeline is a check of its commit',
      pipeline(),
      {
        ...{ ...seen, kind: 'check-reported', ref: 'main', actor: 'root', occurredAt: '2016-08-12T15:26:29.000Z' },
        check: { name: 'pipeline', kind: 'build', state: 'success', url: 'https://gitlab.example.com/p/31' },
      },
    ],
    [
      'a pipeline of a tag, with a name, under way',
      pipeline({ tag: true, ref: 'v1', name: 'nightly', status: 'running', finished_at: null, url: 'javascript:alert(1)' }),
      {
        ...{ ...seen, kind: 'check-reported', ref: 'v1', version: 'v1', actor: 'root', occurredAt: '2016-08-12T15:23:28.000Z' },
        check: { name: 'pipeline nightly', kind: 'build', state: 'pending', url: undefined },
      },
    ],
    [
      'a job is a check of the kind that its name or its stage says',
      job({ build_status: 'failed', build_finished_at: '2021-02-23T02:50:00Z', environment: { name: 'staging', action: 'start' } }),
      {
        ...{ ...seen, kind: 'check-reported', ref: 'main', environment: 'staging', actor: 'User', occurredAt: '2021-02-23T02:50:00.000Z' },
        check: { name: 'rspec', kind: 'integration', state: 'failure' },
      },
    ],
    [
      'a job that was skipped has found nothing',
      job({ build_status: 'skipped' }),
      {
        ...{ ...seen, kind: 'check-reported', ref: 'main', actor: 'User', occurredAt: '2021-02-23T02:41:37.886Z' },
        check: { name: 'rspec', kind: 'integration', state: 'pending' },
      },
    ],
    [
      'a deployment that ended is a check of its environment',
      deployment({ status: 'canceled', ref: 'main' }),
      {
        ...{
          ...seen,
          kind: 'check-reported',
          ref: 'main',
          environment: 'production',
          actor: 'root',
          occurredAt: '2021-04-28T19:50:00.000Z',
        },
        check: {
          ...{ name: 'deployment to production', kind: 'other', state: 'failure' },
          url: 'https://gitlab.example.com/team/shop/-/jobs/796',
        },
      },
    ],
    [
      'the approval of a merge request is a check of its head',
      mergeRequest({ action: 'approved' }),
      {
        ...{ ...seen, kind: 'check-reported', ref: 'patch', actor: 'root', occurredAt: '2022-12-07T07:53:43.000Z' },
        check: { name: 'merge request approval', kind: 'other', state: 'success', url: 'https://gitlab.example.com/mr/4' },
      },
    ],
    [
      'and waits again when it is taken back',
      mergeRequest({ action: 'unapproved' }),
      { kind: 'check-reported', check: { name: 'merge request approval', state: 'pending' } },
    ],
    [
      'a push shows a commit',
      push(),
      { ...seen, kind: 'version-seen', ref: 'main', actor: 'jsmith', occurredAt: '2012-01-03T21:36:29.000Z' },
    ],
    [
      'a tag shows a version',
      push({ object_kind: 'tag_push', ref: 'refs/tags/v1.0.0', after: 'f'.repeat(40), commits: [] }),
      { ...seen, kind: 'version-seen', ref: 'v1.0.0', version: 'v1.0.0' },
    ],
    [
      'a release shows one too',
      { object_kind: 'release', action: 'create', tag: 'v1.1', released_at: '2020-11-02 12:55:12 UTC', commit: { id: COMMIT }, project },
      { ...seen, kind: 'version-seen', ref: 'v1.1', version: 'v1.1', occurredAt: '2020-11-02T12:55:12.000Z' },
    ],
  ])('%s', (_name, payload, report) => expect(readGitlabEvent(payload)).toMatchObject({ kind: 'report', report }));

  it('a deployment that starts asks for a release, once for each', () => {
    const reply = {
      ...{ provider: 'gitlab', repository: 'team/shop', project: '30', sha: COMMIT, environment: 'production', ref: 'main' },
      deploymentId: '15',
    };
    const report = { ...seen, kind: 'release-requested', environment: 'production', ref: 'main' };
    const read = (status: string) => readGitlabEvent(deployment({ status, ref: 'main' }));
    expect(read('running')).toMatchObject({ report: { ...report, reply }, subject: 'deployment/30/15' });
    expect(read('blocked')).toMatchObject({ report: { ...report, reply: { ...reply, approval: 'needed' } }, subject: 'deployment/30/15' });
    expect(read('running')).not.toMatchObject({ report: { reply: { approval: 'needed' } } });
  });

  it('an external status check shows a commit, and requests no release of what is not merged', () => {
    expect(readGitlabEvent(mergeRequest({ action: 'open' }, rule))).toMatchObject({
      canRepeat: true,
      report: {
        ...{ ...seen, kind: 'version-seen', environment: 'production', ref: 'patch' },
        reply: {
          ...{ provider: 'gitlab', repository: 'team/shop', project: '30', sha: COMMIT, environment: 'production' },
          ...{ mergeRequest: '4', statusCheck: '7' },
        },
      },
    });
  });

  it.each([
    [
      'a pipeline of a fork',
      pipeline({}, { merge_request: { source_project_id: 31, target_project_id: 30 } }),
      'the pipeline is of a fork',
    ],
    ['a deployment that was skipped', deployment({ status: 'skipped' }), 'the deployment was skipped'],
    ['a status check of what is merged', mergeRequest({ state: 'merged' }, rule), 'the merge request is merged'],
    ['other changes of a merge request', mergeRequest({ action: 'update' }), 'the merge request was neither approved nor unapproved'],
    ['a branch that was deleted', push({ after: zero, checkout_sha: null }), 'main was deleted'],
    ['another event', { object_kind: 'wiki_page' }, 'the event "wiki_page" says nothing that releases wait for'],
    [
      'one that is named as what every object has',
      { object_kind: 'constructor' },
      'the event "constructor" says nothing that releases wait for',
    ],
  ])('ignore %s', (_name, payload, reason) => expect(readGitlabEvent(payload)).toEqual({ kind: 'ignored', reason }));

  it('are read or refused, whatever they hold', () => {
    const kind = fc.constantFrom('pipeline', 'build', 'deployment', 'merge_request', 'push', 'release', '__proto__');
    const base = fc.constantFrom<object>(pipeline(), job(), deployment(), mergeRequest({}, rule), push());
    const broken = fc.tuple(
      base,
      fc.dictionary(fc.constantFrom('object_attributes', 'project', 'user', 'status', 'sha', 'ref', 'after'), fc.jsonValue()),
    );
    fc.assert(
      fc.property(kind, broken, (object_kind, [payload, fields]) => {
        try {
          expect(['report', 'ignored']).toContain(readGitlabEvent({ ...payload, object_kind, ...fields }).kind);
        } catch (error) {
          if (!isOpsError(error, 'input')) throw error;
        }
      }),
    );
  });

  it.each([
    ['nothing', null],
    ['a list', []],
    ['no kind', {}],
    ['a pipeline without its attributes', { object_kind: 'pipeline', project }],
    ['a job without a commit', { ...job(), sha: undefined }],
    ['a deployment by a name', deployment({ deployment_id: 'x' })],
  ])('refuse %s', (_name, payload) => expect(() => readGitlabEvent(payload)).toThrow(/^the payload is not as it is documented: /));
});
