import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { createKubernetesApp } from './kubernetes-app.ts';

const QUERY = '?application=shop&analysis=golden';
const BODY = { application: 'shop', analysis: 'golden' };

describe('the measurement of Argo Rollouts', () => {
  it('is the same by GET and POST, with what conditions need', async () => {
    const { argo, measured, clock } = createKubernetesApp({ script: ['fail'] });
    const byGet = await argo(`${QUERY}&window=10m&environment=prod&var.canary=shop-canary`);
    const byPost = await argo('', { ...BODY, window: '10m', environment: 'prod', variables: { canary: 'shop-canary' } });
    expect([byGet.status, byPost.status, byPost.text]).toEqual([200, 200, byGet.text]);
    expect(JSON.parse(byGet.text)).toEqual({
      ...{ verdict: 'fail', ok: false, value: 0.25, sentence: 'latency is fail at look 1', metric: 'latency' },
      ...{ numbers: { estimate: 0.25, lower: 0.1, upper: 0.4 }, look: 1 },
    });
    const variables = { canary: 'shop-canary', application: 'shop', environment: 'prod' };
    const span = { fromMs: clock.nowMs - 600_000, toMs: clock.nowMs };
    expect(measured).toEqual([1, 2].map(() => ({ tenant: 'a', analysis: { named: 'golden' }, variables, ...span })));
  });

  it('takes a body whatever its content type: `body` of the web metric has none', async () => {
    const { send } = createKubernetesApp();
    const headers = { authorization: 'Bearer query-a' };
    expect((await send('/webhooks/argo/measure', { method: 'POST', headers, body: JSON.stringify(BODY) })).status).toBe(200);
  });

  it.each([
    ['pass', {}, 200, true],
    ['fail', {}, 200, false],
    ['inconclusive', {}, 412, false],
    ['continue', {}, 412, false],
    ['inconclusive', { inconclusive: 'answer' }, 200, false],
    ['continue', { inconclusive: 'answer' }, 200, false],
    ['inconclusive', { run: 'r1' }, 412, false],
    ['continue', { run: 'r1' }, 200, false],
    ['pass', { run: 'r1' }, 200, true],
  ] as const)('of a %s asked with %o is answered with %i', async (verdict, more, status, ok) => {
    const told = await createKubernetesApp({ script: [verdict] }).argo('', { ...BODY, ...more });
    expect([told.status, JSON.parse(told.text)]).toEqual([status, expect.objectContaining({ verdict, ok })]);
  });

  it('has no value, and is no success, where nothing was measured', async () => {
    const { argo, measured } = createKubernetesApp({ script: [new OpsError('unavailable', 'no answer')] });
    expect((await argo(QUERY)).status).toBe(503);
    expect(measured).toHaveLength(1);
  });

  it('is a look of one sequential analysis where the run is named', async () => {
    const { argo, asked, clock, measured } = createKubernetesApp({ script: ['continue', 'continue', 'fail'] });
    const look = async (run: string) => JSON.parse((await argo('', { ...BODY, run, window: '2m', interval: '1m' })).text);
    const told: unknown[] = [];
    for (let minute = 0; minute < 4; minute++) {
      const { verdict, look: number } = await look('6c9f');
      told.push([verdict, number]);
      clock.nowMs += 60_000;
    }
    expect(told).toEqual([
      ['continue', 1],
      ['continue', 2],
      ['fail', 3],
      ['fail', 3],
    ]);
    expect((await look('77aa')).look).toBe(1);
    expect(asked[0].toMs - asked[0].fromMs).toBe(120_000);
    expect(measured).toEqual([]);
  });

  it.each([
    ['no application', '?analysis=golden', 'application: '],
    ['no analysis', '?application=shop', 'analysis: '],
    ['a parameter that is none', `${QUERY}&windw=5m`, 'accepted: application, analysis'],
    ['a parameter twice', `${QUERY}&application=b`, 'application: is there more than once'],
    ['a window that is none', `${QUERY}&window=soon`, 'window: must be a duration'],
    ['a window that is too long', `${QUERY}&window=2d`, 'window: must be a duration'],
    ['a variable that cannot be one', `${QUERY}&var.a-b=1`, 'a variable is called by'],
    ['a run that is none', `${QUERY}&run=a/b`, 'run: takes 1 to 128'],
    ['a namespace that is none', `${QUERY}&run=a&namespace=a%23b`, 'namespace: takes a name'],
    ['an interval that is none', `${QUERY}&run=a&interval=0`, 'interval: takes a duration'],
    ['a word for inconclusive that is none', `${QUERY}&inconclusive=pass`, 'inconclusive: '],
  ])('refuses %s', async (_, query, message) => {
    const { argo, measured, asked, defects } = createKubernetesApp();
    const told = await argo(query);
    expect([told.status, told.text]).toEqual([400, expect.stringContaining(message)]);
    expect([measured, asked, defects]).toEqual([[], [], []]);
  });

  it.each([
    ['nothing', '', 400],
    ['no JSON', '{', 400],
    ['a list', [], 400],
    ['numbers for text', { ...BODY, window: 5 }, 400],
    ['too many variables', { ...BODY, variables: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`v${i}`, 'x'])) }, 400],
    ['a variable that is no text', { ...BODY, variables: { canary: {} } }, 400],
    ['a huge body', { ...BODY, variables: { canary: 'x'.repeat(70_000) } }, 413],
    ['an analysis that is not there', { ...BODY, analysis: 'none' }, 404],
  ])('refuses a body with %s', async (_, body, status) => {
    const { argo, defects } = createKubernetesApp();
    expect([(await argo('', body)).status, defects]).toEqual([status, []]);
  });

  it.each([
    ['ingest-a', 403],
    ['admin-a', 403],
    ['nobody', 401],
    ['query-b', 200],
  ])('with the token %s is answered with %i', async (token, status) => {
    const { argo, measured } = createKubernetesApp();
    expect((await argo(QUERY, undefined, token)).status).toBe(status);
    expect((await argo('', BODY, token)).status).toBe(status);
    expect(measured.every(({ tenant }) => tenant === 'b')).toBe(true);
  });
});
