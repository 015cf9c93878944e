import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createKubernetesApp, flaggerPayload } from './kubernetes-app.ts';

const LOOK = { application: 'shop', analysis: 'golden', interval: '1m' };
const STAGE = { application: 'shop', environment: 'production' };
const HOOKS = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
  'post-rollout',
  'rollback',
  'event',
] as const;
const STAGES = ['confirm-rollout', 'pre-rollout', 'confirm-traffic-increase', 'confirm-promotion'] as const;
/** What the client that Flagger has sends again. */
const isRepeated = (status: number) => status === 429 || (status >= 500 && status !== 501);

describe('the rollout hook', () => {
  it.each([
    ['pass', 200],
    ['continue', 200],
    ['fail', 412],
    ['inconclusive', 412],
  ] as const)('of a %s is answered with %i and the sentence, as text', async (verdict, status) => {
    const { flagger } = createKubernetesApp({ script: [verdict] });
    const told = await flagger('rollout', flaggerPayload(LOOK), 'query-a');
    expect([told.status, told.text]).toEqual([status, `${verdict}: latency is ${verdict} at look 1\n`]);
    expect(told.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(isRepeated(told.status)).toBe(false);
  });

  it('makes one look of a call, its retries and calls at the same time', async () => {
    const { flagger, clock, asked, events } = createKubernetesApp({ script: ['continue', 'fail', 'pass'] });
    const call = () => flagger('rollout', flaggerPayload(LOOK));
    const together = await Promise.all([call(), call(), call()]);
    expect(together.map(({ status }) => status)).toEqual([200, 200, 200]);
    clock.nowMs += 4_000;
    expect((await call()).text).toBe(together[0].text);
    clock.nowMs += 56_500;
    expect((await call()).status).toBe(412);
    clock.nowMs += 60_000;
    expect((await call()).status).toBe(412);
    expect(new Set(asked.map(({ look }) => look))).toEqual(new Set([1, 2]));
    expect(events('Kubernetes Canary Judged').map(({ detail }) => detail.look)).toEqual([1, 2]);
  });

  it('hands the analysis what stands in for names in queries', async () => {
    const { flagger, asked } = createKubernetesApp();
    await flagger('rollout', flaggerPayload({ ...LOOK, region: 'eu' }));
    expect(asked[0].variables).toMatchObject({ application: 'shop', canary: 'podinfo', stable: 'podinfo-primary', region: 'eu' });
  });

  it.each([
    ['telemetry that cannot be asked is 503, which Flagger asks again', new OpsError('unavailable', 'throttled'), LOOK, 503, 'throttled'],
    ['queries that cannot be evaluated are 400', new OpsError('input', 'parse error'), LOOK, 400, 'parse error'],
    ['an analysis that is not there is 404', 'pass', { ...LOOK, analysis: 'none' }, 404, 'no analysis none'],
    ['no analysis named is 400', 'pass', { application: 'shop' }, 400, 'metadata.analysis is missing'],
    ['no application named is 400', 'pass', { analysis: 'golden' }, 400, 'metadata.application is missing'],
    ['no metadata is 400', 'pass', undefined, 400, 'is missing'],
    ['an interval that is none is 400', 'pass', { ...LOOK, interval: 'soon' }, 400, 'metadata.interval: takes a duration'],
  ] as const)('says that %s', async (_, word, metadata, status, text) => {
    const { flagger, asked, defects } = createKubernetesApp({ script: [word] });
    const told = await flagger('rollout', flaggerPayload(metadata));
    expect([told.status, told.text]).toEqual([status, expect.stringContaining(text)]);
    expect([asked.length > 0, defects]).toEqual([word instanceof Error, []]);
    expect(told.headers.has('retry-after')).toBe(status === 503);
  });

  it.each(FAULTS.filter((fault) => !fault.startsWith('crash')))(
    'with %s of the table is one look, by a retry at the latest',
    async (fault) => {
      for (const number of [1, 2]) {
        const { flagger, events } = createKubernetesApp({
          script: ['fail'],
          wrapTable: (table) => faulty({ table }, faultAt(number, fault)).ports.table,
        });
        const first = await flagger('rollout', flaggerPayload(LOOK));
        const last = isRepeated(first.status) ? await flagger('rollout', flaggerPayload(LOOK)) : first;
        expect(last.status).toBe(412);
        expect(events('Kubernetes Canary Judged')).toHaveLength(1);
      }
    },
  );
});

describe.each(STAGES)('the %s hook', (stage) => {
  it('is open where every gate is', async () => {
    const { flagger, questions } = createKubernetesApp({ gates: { isOpen: true, reasons: ['no freeze', 'budget left'] } });
    const told = await flagger(stage, flaggerPayload(STAGE), 'query-a');
    expect([told.status, told.text]).toEqual([200, 'no freeze; budget left\n']);
    expect(questions).toEqual([{ tenant: 'a', application: 'shop', environment: 'production', stage }]);
  });

  it('is shut where a gate is, and says why', async () => {
    const { flagger } = createKubernetesApp({ gates: { isOpen: false, reasons: ['frozen until Monday'] } });
    const told = await flagger(stage, flaggerPayload(STAGE));
    expect([told.status, told.text]).toEqual([412, 'frozen until Monday\n']);
  });

  it.each([
    ['cannot be asked', new OpsError('unavailable', 'no answer'), 503],
    ['is of an application that is not there', new OpsError('missing', 'no such application'), 404],
  ])('is no yes where a gate %s', async (_, gates, status) => {
    expect((await createKubernetesApp({ gates }).flagger(stage, flaggerPayload(STAGE))).status).toBe(status);
  });

  it.each(['application', 'environment'])('needs to know the %s', async (field) => {
    const told = await createKubernetesApp().flagger(stage, flaggerPayload({ ...STAGE, [field]: '' }));
    expect([told.status, told.text]).toEqual([400, expect.stringContaining(`metadata.${field}`)]);
  });
});

describe('the confirm-promotion hook', () => {
  it('waits for the analysis that is named to pass', async () => {
    const { flagger, clock } = createKubernetesApp({ script: ['inconclusive', 'continue', 'pass'] });
    const promote = () => flagger('confirm-promotion', flaggerPayload({ ...STAGE, analysis: 'golden' }));
    expect((await promote()).text).toBe('golden has not looked at this rollout\n');
    const told: number[] = [];
    for (let look = 1; look <= 3; look++) {
      await flagger('rollout', flaggerPayload(LOOK));
      told.push((await promote()).status);
      clock.nowMs += 60_000;
    }
    expect(told).toEqual([412, 412, 200]);
  });
});

describe('the rollback hook', () => {
  it('says yes, which rolls back, only once an analysis has failed', async () => {
    const { flagger, clock, events } = createKubernetesApp({ script: ['continue', 'fail'] });
    const told: number[] = [];
    for (let minute = 0; minute < 3; minute++) {
      told.push((await flagger('rollback', flaggerPayload(undefined))).status);
      await flagger('rollout', flaggerPayload(LOOK));
      clock.nowMs += 60_000;
    }
    expect(told).toEqual([412, 412, 200]);
    expect((await flagger('rollback', flaggerPayload({ analysis: 'other' }))).status).toBe(412);
    expect((await flagger('rollback', flaggerPayload(undefined, { phase: 'Waiting' }))).text).toBe(
      'roll back: latency is fail at look 2\n',
    );
    expect(events('Kubernetes Rollback Told')).toHaveLength(1);
  });
});

describe('the post-rollout hook', () => {
  it('ends the rollout, once, so that the same checksum begins anew', async () => {
    const { flagger, clock, asked, events } = createKubernetesApp({ script: ['fail'] });
    await flagger('rollout', flaggerPayload(LOOK));
    const end = () => flagger('post-rollout', flaggerPayload(undefined, { phase: 'Failed' }), 'ingest-a');
    expect((await end()).text).toBe('noted\n');
    expect((await end()).text).toBe('known already\n');
    clock.nowMs += 60_000;
    await flagger('rollout', flaggerPayload(LOOK));
    expect(asked.map(({ look }) => look)).toEqual([1, 1]);
    expect(events('Kubernetes Rollout Ended')).toMatchObject([{ detail: { phase: 'Failed', verdicts: { 'shop/golden': 'fail' } } }]);
  });

  it('refuses a phase in which no rollout ends', async () => {
    const told = await createKubernetesApp().flagger('post-rollout', flaggerPayload(undefined));
    expect([told.status, told.text]).toEqual([400, expect.stringContaining('phase: ')]);
  });
});

describe('the event hook', () => {
  const event = { eventMessage: 'New revision detected! Scaling up podinfo.test', eventType: 'Normal', timestamp: '1795435200123' };

  it('takes what Flagger emits, of a canary without a phase too, once', async () => {
    const { flagger, events } = createKubernetesApp();
    const send = () => flagger('event', flaggerPayload({ ...event, cluster: 'one' }, { phase: '', checksum: '' }), 'ingest-a');
    expect([(await send()).text, (await send()).text]).toEqual(['noted\n', 'known already\n']);
    expect(events()).toMatchObject([
      { source: 'quarterdeck.releases', detailType: 'Kubernetes Event Reported', detail: { tenant: 'a', message: event.eventMessage } },
    ]);
  });

  it('takes one without metadata', async () => {
    expect((await createKubernetesApp().flagger('event', flaggerPayload(undefined))).status).toBe(200);
  });
});

describe('every hook', () => {
  it.each(HOOKS)('%s refuses what Flagger would not send, and never by a 5xx', async (hook) => {
    const { flagger, table, defects } = createKubernetesApp();
    const bad: [unknown, number][] = [
      ['', 400],
      ['{', 400],
      ['[]', 400],
      ['null', 400],
      ['"x"', 400],
      [{}, 400],
      [flaggerPayload(STAGE, { name: 'Pod_Info' }), 400],
      [flaggerPayload(STAGE, { name: '../x' }), 400],
      [flaggerPayload(STAGE, { namespace: 'a/b' }), 400],
      [flaggerPayload(STAGE, { namespace: 3 }), 400],
      [flaggerPayload(STAGE, { checksum: '#' }), 400],
      [flaggerPayload(STAGE, { checksum: 'x'.repeat(129) }), 400],
      [flaggerPayload(STAGE, { phase: 'x'.repeat(64) }), 400],
      [flaggerPayload(STAGE, { metadata: [] }), 400],
      [flaggerPayload(STAGE, { metadata: { application: 3 } }), 400],
      [flaggerPayload({ application: 'x'.repeat(5_000) }), 400],
      [flaggerPayload(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v']))), 400],
      [flaggerPayload({ application: 'x'.repeat(70_000) }), 413],
    ];
    for (const [body, status] of bad) expect([body, (await flagger(hook, body)).status]).toEqual([body, status]);
    expect([table.items(), defects]).toEqual([[], []]);
  });

  it.each(HOOKS)('%s stops reading a body that does not end', async (hook) => {
    const { send } = createKubernetesApp();
    let sentBytes = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sentBytes += 16_384;
        controller.enqueue(new Uint8Array(16_384).fill(32));
      },
    });
    const told = await send(`/webhooks/flagger/${hook}`, {
      method: 'POST',
      headers: { authorization: 'Bearer all-a' },
      body,
      duplex: 'half',
    });
    expect(told.status).toBe(413);
    expect(sentBytes).toBeLessThan(200_000);
  });

  it.each(HOOKS)('%s needs a token with its scope', async (hook) => {
    const { flagger, send } = createKubernetesApp();
    const other = hook === 'event' || hook === 'post-rollout' ? 'query' : 'ingest';
    const body = flaggerPayload({ ...LOOK, ...STAGE });
    expect((await flagger(hook, body, `${other}-a`)).status).toBe(403);
    expect((await flagger(hook, body, 'admin-a')).status).toBe(403);
    expect((await flagger(hook, body, 'nobody-a')).status).toBe(401);
    expect((await send(`/webhooks/flagger/${hook}`, { method: 'POST', body: JSON.stringify(body) })).status).toBe(401);
    const asB = { authorization: 'Bearer all-a', 'x-scope-orgid': 'b' };
    expect((await send(`/webhooks/flagger/${hook}`, { method: 'POST', headers: asB, body: JSON.stringify(body) })).status).toBe(403);
  });

  it.each(['rollouts', 'confirm', 'Rollout', 'rollout/x', '', 'metric'])('that Flagger does not have is a 404: %j', async (hook) => {
    expect((await createKubernetesApp().flagger(hook, flaggerPayload({ ...LOOK, ...STAGE }))).status).toBe(404);
  });

  it('is of the tenant whose token it has', async () => {
    const { flagger, asked, table } = createKubernetesApp({ script: ['fail'] });
    await flagger('rollout', flaggerPayload(LOOK), 'all-a');
    expect((await flagger('rollback', flaggerPayload(undefined), 'all-b')).status).toBe(412);
    const before = JSON.stringify(table.items().filter(({ pk }) => pk.endsWith('/a')));
    await flagger('post-rollout', flaggerPayload(undefined, { phase: 'Failed' }), 'all-b');
    await flagger('rollout', flaggerPayload(LOOK), 'all-b');
    expect(asked.map(({ tenant, look }) => [tenant, look])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(JSON.stringify(table.items().filter(({ pk }) => pk.endsWith('/a')))).toBe(before);
  });
});
