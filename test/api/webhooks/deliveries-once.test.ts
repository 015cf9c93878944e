import { describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { DAY_MS } from '#core/time.ts';
import { FAULTS, type Fault, faultAt, faulty, type PortCall } from '#ports/faulty.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { ciHeaders, createWebhookApp, githubHeaders, NOW } from '#test/releases/ci/signed-deliveries.ts';

const COMMIT = 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e';
const request = { kind: 'release-requested', repository: 'team/shop', commit: COMMIT, environment: 'production' };
const BODY = JSON.stringify(request);
const push = JSON.stringify({
  ...{ ref: 'refs/heads/main', before: COMMIT, after: COMMIT, deleted: false, pusher: { name: 'octocat' } },
  ...{ head_commit: null, repository: { full_name: 'octo-org/octo-repo', pushed_at: 1_557_933_657 }, sender: null },
});
describe('a delivery that comes again', () => {
  it.each<[string, string]>([
    ['with the same id', 'd1'],
    ['with another id, which GitHub does not sign', 'd2'],
  ])('%s is taken once', async (_name, second) => {
    const { post, bus, clock } = createWebhookApp();
    expect((await post('/webhooks/github', githubHeaders('push', push, 'd1'), push)).answer.result).toBe('taken');
    clock.nowMs += 300 * DAY_MS;
    const again = await post('/webhooks/github', githubHeaders('push', push, second), push);
    expect(again).toMatchObject({ status: 202, answer: { result: 'already taken', delivery: second } });
    expect(bus.published).toHaveLength(1);
  });

  it('with its id, but another body, is not taken either', async () => {
    const { post, bus } = createWebhookApp();
    await post('/webhooks/github', githubHeaders('push', push, 'd1'), push);
    expect((await post('/webhooks/github', githubHeaders('push', `${push} `, 'd1'), `${push} `)).answer.result).toBe('already taken');
    expect(bus.published).toHaveLength(1);
  });

  it('twenty times at the same instant is taken once', async () => {
    const { post, bus } = createWebhookApp();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => post('/webhooks/github', githubHeaders('push', push, `d${i % 2}`), push)),
    );
    expect(answers.filter(({ answer }) => answer.result === 'taken')).toHaveLength(1);
    // Several may send the outbox at once; an event is known again by its id.
    expect(new Set(bus.published.map(({ detail }) => detail.id)).size).toBe(1);
  });

  it('is of the generic kind taken again only when it is signed anew as another', async () => {
    const { post, bus, clock } = createWebhookApp();
    const results = [];
    for (const [delivery, seconds] of [
      ['d1', NOW / 1_000],
      ['d2', NOW / 1_000],
      ['d1', NOW / 1_000 + 60],
      ['d3', NOW / 1_000 + 60],
    ] as const) {
      clock.nowMs = seconds * 1_000;
      results.push((await post('/webhooks/ci', ciHeaders(BODY, delivery, seconds), BODY)).answer.result);
    }
    expect(results).toEqual(['taken', 'already taken', 'already taken', 'taken']);
    expect(bus.published).toHaveLength(2);
  });

  it("is, as one of GitLab's deployments in another state, the same request", async () => {
    const { post, reported } = createWebhookApp();
    for (const [i, status] of ['blocked', 'running', 'success'].entries()) {
      const body = JSON.stringify({
        ...{ object_kind: 'deployment', status, deployment_id: 15, environment: 'production', short_sha: COMMIT.slice(0, 8) },
        ...{
          commit_url: `https://gitlab.example.com/-/commit/${COMMIT}`,
          user: null,
          project: { id: 3, path_with_namespace: 'team/shop' },
        },
      });
      await post('/webhooks/gitlab', { 'x-gitlab-token': 'gitlab-token-of-a', 'idempotency-key': `k${i}` }, body);
    }
    expect(reported().map(({ report }) => report.kind)).toEqual(['release-requested', 'check-reported']);
  });
});

describe('with ports that fail', () => {
  const deliver = async (plan: (call: PortCall) => Fault | undefined) => {
    const table = createMemoryTable();
    const bus = createMemoryBus();
    const broken = faulty({ table, bus }, plan);
    const publishSoon = async () => void (await publishOutbox(broken.ports));
    const send = async (app: ReturnType<typeof createWebhookApp>) =>
      app.post('/webhooks/github', githubHeaders('push', push, 'd1'), push).then(({ status }) => status);
    // A crash is no answer at all.
    const first = await send(createWebhookApp({ table: broken.ports.table, publishSoon })).catch(() => undefined);
    await broken.settle();
    const after = createWebhookApp({ table, publishSoon: async () => void (await publishOutbox({ table, bus })) });
    if (first !== 202) expect(await send(after)).toBe(202);
    await publishOutbox({ table, bus });
    return { first, calls: broken.calls, ids: new Set(bus.published.map(({ detail }) => detail.id)).size };
  };

  it.each(FAULTS)('a delivery whose call meets %s, sent again where it was not accepted, makes one event', async (fault) => {
    const { calls } = await deliver(() => undefined);
    await mapConcurrent(calls, 8, async ({ number, name }) => {
      const { ids } = await deliver(faultAt(number, fault));
      expect([fault, name, ids]).toEqual([fault, name, 1]);
    });
  });

  it('a bus that is down keeps nobody from being answered', async () => {
    const { post, table } = createWebhookApp({ publishSoon: () => Promise.reject(new OpsError('unavailable', 'the bus is down')) });
    expect((await post('/webhooks/github', githubHeaders('push', push, 'd1'), push)).status).toBe(202);
    expect(table.items().filter(({ pk }) => pk === 'outbox')).toHaveLength(1);
  });
});
