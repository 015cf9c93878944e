import { describe, expect, it } from 'vitest';
import { createAnswering } from '#functions/answering.ts';
import { createMemoryOutgoing } from '#ports/memory/memory-outgoing.ts';
import type { OutgoingResponse } from '#ports/outgoing.ts';
import type { Answer } from '#releases/ci/plan-answers.ts';
import { planAnswers } from '#releases/ci/plan-answers.ts';
import { type Phase, phaseOf } from '#releases/ci/release-event.ts';
import { COMMIT, releaseEvent } from './answer-world.ts';
import { NOW } from './signed-deliveries.ts';

const API = 'https://gitlab.example.com/api/v4';
const reply = { provider: 'gitlab', repository: 'team/shop', project: '30', sha: COMMIT, environment: 'production', ref: 'main' };
const check = { ...reply, mergeRequest: '4', statusCheck: '7' };
const blocked = { ...reply, deploymentId: '15', approval: 'needed' };

function createGitlab() {
  const outgoing = createMemoryOutgoing();
  const settings = { githubApp: undefined, githubApi: '', gitlabApi: API, gitlabApiTokens: [{ tenant: 'a', secret: 'gitlab-api-token' }] };
  const answering = createAnswering(settings, outgoing, () => NOW);
  return {
    answering,
    tell: (answer: Answer, response: Partial<OutgoingResponse> = { status: 201 }, attempts = 1) => {
      outgoing.script(response);
      return answering.send('a', answer, attempts);
    },
    sent: () => outgoing.sent.map(({ url, body }) => [url.slice(API.length), JSON.parse(body) as unknown]),
    requests: outgoing.sent,
  };
}

const plan = (detailType: string, to: Record<string, string>) =>
  planAnswers(releaseEvent({ reply: to, sentence: 'All checks hold.' }), phaseOf(detailType) as Phase);
const commitStatus = (state: string) => [
  `/projects/30/statuses/${COMMIT}`,
  {
    ...{ state, name: 'quarterdeck/shop/production', description: 'All checks hold.', ref: 'main' },
    target_url: 'https://quarterdeck.example.com/api/releases/r1',
  },
];
const statusCheck = (status: string) => [
  '/projects/30/merge_requests/4/status_check_responses',
  { sha: COMMIT, external_status_check_id: 7, status },
];

describe('GitLab', () => {
  it.each<[string, Record<string, string>, unknown[]]>([
    ['Release Waiting', reply, [commitStatus('pending')]],
    ['Release Started', reply, [commitStatus('running')]],
    ['Release Promoted', reply, [commitStatus('success')]],
    ['Release Rolled Back', reply, [commitStatus('failed')]],
    ['Release Cancelled', reply, [commitStatus('canceled')]],
    ['Release Waiting', check, [statusCheck('pending'), commitStatus('pending')]],
    ['Release Promoted', check, [statusCheck('passed'), commitStatus('success')]],
    ['Release Cancelled', check, [statusCheck('failed'), commitStatus('canceled')]],
    ['Release Started', blocked, [commitStatus('running')]],
    [
      'Release Promoted',
      blocked,
      [['/projects/30/deployments/15/approval', { status: 'approved', comment: 'All checks hold.' }], commitStatus('success')],
    ],
  ])('after %s is told what %o asks for', async (detailType, to, expected) => {
    const gitlab = createGitlab();
    for (const answer of plan(detailType, to)) expect(await gitlab.tell(answer)).toEqual({ kind: 'sent' });
    expect(gitlab.sent()).toEqual(expected);
    for (const { headers } of gitlab.requests) expect(headers['private-token']).toBe('gitlab-api-token');
  });

  it.each<[string, Partial<OutgoingResponse>, number, object]>([
    [
      'a status that is so already',
      { status: 400, body: '{"message":"Cannot transition status via :run from :running"}' },
      1,
      { kind: 'sent' },
    ],
    ['what is wrong with a status', { status: 400, body: '{"message":"ref is invalid"}' }, 1, { kind: 'refused' }],
    ['too many requests', { status: 429, headers: { 'retry-after': '30' } }, 1, { kind: 'retry', retryAfterMs: 30_000, isLimited: true }],
    ['a server that is down', { status: 502 }, 1, { kind: 'retry' }],
    ['a token that is over', { status: 401, body: '{"message":"401 Unauthorized"}' }, 1, { kind: 'retry' }],
    ['a project that is not there', { status: 404 }, 1, { kind: 'refused' }],
  ])('that answers a commit status with %s', async (_name, response, attempts, verdict) => {
    expect(await createGitlab().tell(plan('Release Started', reply)[0], response, attempts)).toMatchObject(verdict);
  });

  it.each<[string, number, object]>([
    ['the first time is refused', 1, { kind: 'refused' }],
    ['after a try whose end nobody knows is what is wanted', 2, { kind: 'sent' }],
  ])('that finds a deployment decided %s', async (_name, attempts, verdict) => {
    const [approval] = plan('Release Promoted', blocked);
    expect(await createGitlab().tell(approval, { status: 400 }, attempts)).toMatchObject(verdict);
  });

  it('whose merge request has a newer head is told no more of the older', async () => {
    expect(await createGitlab().tell(plan('Release Promoted', check)[0], { status: 409 })).toEqual({ kind: 'sent' });
  });

  it('is answered for no tenant without a token', () => {
    const { answering } = createGitlab();
    expect([answering.canAnswer('a', 'gitlab-commit'), answering.canAnswer('b', 'gitlab-commit')]).toEqual([true, false]);
  });

  it.each([
    ['a project', { ...reply, project: '../../users' }],
    ['a merge request', { ...check, mergeRequest: '4/../5' }],
    ['a deployment', { ...blocked, deploymentId: 'x' }],
  ])('is sent nothing for %s that is none', async (_name, to) => {
    const gitlab = createGitlab();
    await expect(gitlab.tell(plan('Release Promoted', to)[0])).rejects.toThrow('the reply lacks a number of GitLab');
    expect(gitlab.requests).toEqual([]);
  });
});
