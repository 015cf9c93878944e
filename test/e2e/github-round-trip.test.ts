import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticateByTokens } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { webhookGroups } from '#api/webhooks/groups.ts';
import { createAnswering } from '#functions/answering.ts';
import { type LocalPorts, openLocal } from '#local/open.ts';
import type { CiReported } from '#model/release-events.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { recordAnswers } from '#releases/ci/record-answers.ts';
import { answeredEvents, ReleaseEvent } from '#releases/ci/release-event.ts';
import { sendAnswers } from '#releases/ci/send-answers.ts';
import { APP, createGithub, type Github, INSTALLATION, problem, REPOSITORY } from '#test/releases/ci/github-server.ts';
import { githubHeaders } from '#test/releases/ci/signed-deliveries.ts';

const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';

/** Everything between a job that waits at GitHub and its answer, over loopback and SQLite; releases themselves are made up. */
interface World {
  readonly github: Github;
  readonly apiUrl: string;
  readonly url: string;
  readonly ports: LocalPorts;
  readonly reports: CiReported[];
  readonly failures: unknown[];
  release(detailType: string, report: CiReported, sentence: string): Promise<void>;
}

let world: World;
let close: () => Promise<void>;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'round-trip-'));
  const github = createGithub({ now: Date.now });
  const api = await github.listen();
  const ports = await openLocal(folder, Date.now);
  let ids = 0;
  const newId = () => `${process.pid}-${++ids}`;
  const { table, bus } = ports;
  const reports: CiReported[] = [];
  const failures: unknown[] = [];
  const webhooks = {
    githubSecrets: [{ tenant: 'a', secret: 'github-secret-of-a' }],
    ...{ gitlabTokens: [], ciSecrets: [], githubApp: { ...APP, tenant: 'a' }, githubApi: api.url },
  };
  const publishSoon = async () => void (await publishOutbox({ table, bus }));
  const answering = createAnswering(
    { ...webhooks, gitlabApi: 'https://gitlab.com/api/v4', gitlabApiTokens: [] },
    createSafeHttp({ allowPrivate: true }),
    Date.now,
  );
  const source = ['quarterdeck.releases'];
  bus.subscribe({
    name: 'ci-reports',
    pattern: { source, 'detail-type': ['Ci Reported'] },
    handle: async ({ detail }) => void reports.push(detail as unknown as CiReported),
  });
  bus.subscribe({
    name: 'answers',
    pattern: { source, 'detail-type': answeredEvents },
    async handle({ detailType, detail }) {
      await recordAnswers({ table, newId, now: Date.now, canAnswer: answering.canAnswer }, detailType, ReleaseEvent.parse(detail));
      await sendAnswers({ table, newId, now: Date.now, send: answering.send, random: () => 0 }).catch((error) => failures.push(error));
    },
  });
  await bus.resume();
  const app = createApi(
    {
      ...{ authenticate: authenticateByTokens([]), newId, now: Date.now, observe() {} },
      report: (error) => void failures.push(error),
    },
    webhookGroups({ table, now: Date.now, newId, webhooks, publishSoon }),
  );
  const server = await new Promise<{ server: ServerType; url: string }>((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve({ server: made, url: `http://127.0.0.1:${port}` }),
    );
  });
  world = {
    ...{ github, apiUrl: api.url, url: server.url, ports, reports, failures },
    async release(detailType, { tenant, report }, sentence) {
      const event: ReleaseEvent = {
        ...{ id: newId(), tenant, at: new Date().toISOString(), release: 'r1', application: 'shop', sentence, reply: report.reply },
        ...{ environment: report.environment ?? '', commit: report.commit, url: 'https://quarterdeck.example.com/releases/r1' },
      };
      await bus.publish([{ source: 'quarterdeck.releases', detailType, detail: event }]);
    },
  };
  close = async () => {
    await new Promise((resolve) => server.server.close(resolve));
    await ports.close();
    await api.close();
    await rm(folder, { recursive: true });
  };
});

afterEach(() => close());

/** GitHub's side of it: a job waits, and the rule is asked. */
async function askRule(delivery: string): Promise<{ readonly status: number; readonly path: string; readonly elapsedMs: number }> {
  const path = world.github.askRule(7, 'production');
  const body = JSON.stringify({
    ...{ action: 'requested', environment: 'production', event: 'push', deployment_callback_url: `${world.apiUrl}${path}` },
    deployment: {
      ...{ id: 42, sha: COMMIT, ref: 'refs/heads/main', environment: 'production', created_at: '2026-11-23T11:59:00Z' },
      creator: { login: 'octocat' },
    },
    ...{ repository: { full_name: REPOSITORY }, installation: { id: INSTALLATION }, sender: { login: 'octocat' } },
  });
  const startMs = performance.now();
  const response = await fetch(`${world.url}/webhooks/github`, {
    method: 'POST',
    headers: githubHeaders('deployment_protection_rule', body, delivery),
    body,
  });
  await response.text();
  return { status: response.status, path, elapsedMs: performance.now() - startMs };
}

const arrived = () => expect.poll(() => world.reports.length).toBeGreaterThan(0);

describe('from a job that waits at GitHub to its answer', () => {
  it.each([
    ['Release Promoted', 'approved', 'success'],
    ['Release Rolled Back', 'rejected', 'failure'],
  ])('a release goes its way, and after %s the rule is %s', async (detailType, decision, status) => {
    const { status: code, path } = await askRule('delivery-1');
    expect(code).toBe(202);
    await arrived();
    const [reported] = world.reports;
    expect(reported.report).toMatchObject({ kind: 'release-requested', repository: REPOSITORY, commit: COMMIT, environment: 'production' });
    await world.release('Release Waiting', reported, 'The gate before production is shut: 2 alerts fire.');
    await expect.poll(() => world.github.rules.get(path)?.comments).toHaveLength(1);
    await world.release(detailType, reported, 'It is decided.');
    await expect.poll(() => world.github.rules.get(path)?.state).toBe(decision);
    await expect.poll(() => world.github.commits.get(COMMIT)?.map(({ state }) => state)).toEqual(['pending', status]);
    expect(world.github.rules.get(path)?.comments[0]).toContain('The gate before production is shut: 2 alerts fire.');
    expect(world.github.tokensMade()).toBe(1);
    expect(world.failures).toEqual([]);
  });

  it('a redelivery asks nobody twice', async () => {
    await askRule('delivery-1');
    await arrived();
    expect((await askRule('delivery-1')).status).toBe(202);
    expect((await askRule('delivery-2')).status).toBe(202);
    await publishOutbox(world.ports);
    expect(new Set(world.reports.map(({ id }) => id)).size).toBe(1);
  });

  it('an API that fails for a moment is told a moment later', async () => {
    const { path } = await askRule('delivery-1');
    await arrived();
    world.github.script(...Array(2).fill(() => problem(503, 'Service Unavailable')));
    await world.release('Release Promoted', world.reports[0], 'All checks hold.');
    await expect.poll(() => world.github.calls.length).toBe(2);
    await expect
      .poll(
        async () => {
          await world.release('Release Promoted', world.reports[0], 'All checks hold.');
          return world.github.rules.get(path)?.state;
        },
        { timeout: 15_000, interval: 500 },
      )
      .toBe('approved');
  });
});
