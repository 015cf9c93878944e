import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpus } from '#test/corpora.ts';
import { createWebhookApp, githubHeaders } from './signed-deliveries.ts';

const folder = corpus('github-webhooks');
const root = folder && `${folder}/api.github.com`;
const payloads = root ? readdirSync(root).flatMap((event) => readdirSync(`${root}/${event}`).map((file) => [event, file] as const)) : [];

const hello = { repository: 'Codertocat/Hello-World', actor: 'Codertocat' };
const deployed = {
  ...hello,
  kind: 'release-requested',
  commit: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
  ref: 'master',
  environment: 'production',
  occurredAt: '2019-05-15T15:20:53.000Z',
};
const status = {
  ...deployed,
  kind: 'check-reported',
  check: { name: 'deployment to production', kind: 'other', state: 'success' },
  occurredAt: '2019-05-15T15:20:55.000Z',
};
const run = {
  kind: 'check-reported',
  repository: 'octo-org/octo-repo',
  commit: '3484a3fb816e0859fd6e1cea078d76385ff50625',
  ref: 'master',
  actor: 'Codertocat',
  occurredAt: '2020-10-05T16:33:49.000Z',
};
const runUrl = 'https://github.com/octo-org/octo-repo/actions/runs/289782451';
const check = (state: string, occurredAt = '2019-05-15T15:21:12.000Z') => ({
  ...hello,
  kind: 'check-reported',
  commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
  ref: 'changes',
  check: { name: 'Octocoders-linter', kind: 'other', state, url: 'https://github.com/Codertocat/Hello-World/runs/128620228' },
  occurredAt,
});
const released = {
  ...hello,
  kind: 'version-seen',
  commit: '',
  ref: '0.0.1',
  version: '0.0.1',
  occurredAt: '2019-05-15T15:20:53.000Z',
};
const deletedTag = { reason: 'simple-tag was deleted' };
const pushed = {
  ...hello,
  kind: 'version-seen',
  commit: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
  ref: 'master',
  occurredAt: '2019-05-15T15:20:57.000Z',
};
const asked = (action: string) => ({ reason: `${action} asks the App that made the check for something` });
const unpublished = (action: string) => ({ reason: `a release was ${action}; one is seen when it is published` });

/** What each payload says, or why it says nothing. */
const expected: Readonly<Record<string, object>> = {
  'deployment/gh-pages.payload.json': {
    ...deployed,
    ref: 'gh-pages',
    environment: 'github-pages',
    actor: 'github-pages[bot]',
    occurredAt: '2022-01-03T01:28:30.000Z',
  },
  'deployment/payload.json': deployed,
  'deployment/with-installation.payload.json': deployed,
  'deployment_status/gh-pages.payload.json': {
    ...status,
    environment: 'github-pages',
    actor: 'github-pages[bot]',
    check: {
      name: 'deployment to github-pages',
      kind: 'other',
      state: 'pending',
      url: 'https://github.com/CorsixTH/CorsixTH/runs/4687056418?check_suite_focus=true',
    },
    occurredAt: '2022-01-03T01:28:40.000Z',
  },
  'deployment_status/payload.json': status,
  'deployment_status/with-installation.payload.json': status,
  'workflow_run/completed.payload.json': { ...run, check: { name: 'test', kind: 'other', state: 'success', url: runUrl } },
  'workflow_run/completed.with-pull-requests.payload.json': {
    ...run,
    check: { name: 'test', kind: 'other', state: 'success', url: runUrl },
  },
  'workflow_run/requested.payload.json': {
    ...run,
    occurredAt: '2020-10-05T16:33:24.000Z',
    check: { name: 'test', kind: 'other', state: 'pending', url: runUrl },
  },
  'workflow_run/requested.with-conclusion.payload.json': {
    ...run,
    occurredAt: '2020-10-05T16:33:24.000Z',
    check: { name: 'test', kind: 'other', state: 'pending', url: runUrl },
  },
  'check_run/completed.1.payload.json': check('failure'),
  'check_run/completed.payload.json': check('success'),
  'check_run/completed.with-organization.payload.json': check('success'),
  'check_run/created.payload.json': check('pending'),
  'check_run/created.with-organization.payload.json': check('pending'),
  'check_run/requested_action.payload.json': asked('requested_action'),
  'check_run/rerequested.payload.json': asked('rerequested'),
  'check_run/rerequested.with-organization.payload.json': asked('rerequested'),
  'release/created.payload.json': unpublished('created'),
  'release/created.with-discussion-url.payload.json': unpublished('created'),
  'release/created.with-installation.payload.json': unpublished('created'),
  'release/deleted.payload.json': unpublished('deleted'),
  'release/deleted.with-reactions.payload.json': unpublished('deleted'),
  'release/edited.payload.json': unpublished('edited'),
  'release/edited.with-reactions.payload.json': unpublished('edited'),
  'release/prereleased.payload.json': unpublished('prereleased'),
  'release/prereleased.with-discussion-url.payload.json': unpublished('prereleased'),
  'release/published.payload.json': released,
  'release/published.with-discussion-url.payload.json': released,
  'release/released.json': unpublished('released'),
  'push/1.payload.json': deletedTag,
  'push/payload.json': deletedTag,
  'push/with-installation.payload.json': deletedTag,
  'push/with-organization.payload.json': deletedTag,
  'push/with-new-branch.payload.json': pushed,
  'push/with-no-username-committer.payload.json': pushed,
};

describe.skipIf(!root)("GitHub's example payloads", () => {
  it('are all there, and each that says something is expected to', () => {
    expect(payloads).toHaveLength(57);
    const names = payloads.map(([event, file]) => `${event}/${file}`);
    expect(Object.keys(expected).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(payloads)('%s/%s', async (event, file) => {
    const { post, reported } = createWebhookApp();
    const body = readFileSync(`${root}/${event}/${file}`);
    const { status: code, answer } = await post('/webhooks/github', githubHeaders(event, body, 'delivery-1'), body);
    const { reason, ...report }: { reason?: string } = expected[`${event}/${file}`] ?? {};
    const says = Object.keys(report).length > 0;
    expect(code).toBe(202);
    if (!says) {
      const why = reason ?? `the event "${event}" says nothing that releases wait for`;
      expect(answer).toEqual({ result: 'ignored', delivery: 'delivery-1', reason: why });
      expect(reported()).toEqual([]);
      return;
    }
    expect(answer).toMatchObject({ result: 'taken', delivery: 'delivery-1' });
    const [event1] = reported();
    const { reply: _, ...seen } = event1.report;
    expect(event1).toMatchObject({ tenant: 'a', at: '2026-11-23T12:00:00.000Z' });
    expect(seen).toEqual({ provider: 'github', delivery: 'delivery-1', ...report });
  });

  it('are not taken as another event than their own', async () => {
    const { post, reported } = createWebhookApp();
    const events = ['deployment_protection_rule', 'deployment', 'deployment_status', 'workflow_run', 'check_run', 'release', 'push'];
    for (const [own, file] of payloads) {
      const body = readFileSync(`${root}/${own}/${file}`);
      for (const event of events.filter((each) => each !== own)) {
        const { status: code, answer } = await post('/webhooks/github', githubHeaders(event, body, `${own}-${event}`), body);
        expect([own, file, event, code, answer.error?.message]).toEqual([
          own,
          file,
          event,
          400,
          `the payload is not one of the event ${event}`,
        ]);
      }
    }
    expect(reported()).toEqual([]);
  });
});
