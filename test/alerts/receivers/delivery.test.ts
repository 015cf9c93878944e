import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Composed, composeNotification } from '#alerts/receivers/compose.ts';
import { defaultDeliveryLimits, planDelivery } from '#alerts/receivers/plan-delivery.ts';
import { sendComposed } from '#alerts/receivers/send.ts';
import { judgeError, judgeResponse, readRetryAfter } from '#alerts/receivers/verdict.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import { OpsError } from '#core/errors.ts';
import {
  createMemoryEventTargets,
  createMemoryMail,
  createMemoryOutgoing,
  createMemoryTopics,
  type ScriptedAnswer,
} from '#ports/memory/memory-outgoing.ts';
import { createRenderer, notificationOf } from './notifications.ts';

const nowMs = Date.UTC(2026, 2, 1, 12);
const response = (status: number, given = {}) => ({ status, headers: {}, body: '', truncated: false, ...given });
const json = { 'content-type': 'application/json; charset=utf-8' };

describe('what an answer means', () => {
  it.each([
    ['webhook', 200, 'sent'],
    ['webhook', 204, 'sent'],
    ['webhook', 500, 'retry'],
    ['webhook', 503, 'retry'],
    ['webhook', 429, 'retry'],
    ['webhook', 408, 'retry'],
    ['webhook', 302, 'refused'],
    ['webhook', 400, 'refused'],
    ['webhook', 404, 'refused'],
    ['pagerduty', 202, 'sent'],
    ['pagerduty', 429, 'retry'],
    ['pagerduty', 403, 'refused'],
    ['pagerduty', 400, 'refused'],
    ['opsgenie', 202, 'sent'],
    ['opsgenie', 429, 'retry'],
    ['opsgenie', 422, 'refused'],
    ['slack', 429, 'retry'],
    ['slack', 404, 'refused'],
    ['msteams', 413, 'refused'],
    ['msteamsv2', 502, 'retry'],
  ] as const)('%s %i is %s', (kind, status, verdict) => {
    expect(judgeResponse({ kind, secrets: [], nowMs }, response(status)).kind).toBe(verdict);
  });

  it('403 is "too many" from PagerDuty\'s older API', () => {
    expect(judgeResponse({ kind: 'pagerduty', oldApi: true, secrets: [], nowMs }, response(403)).kind).toBe('retry');
  });

  it.each([
    [{ body: 'ok' }, 'sent'],
    [{ body: 'invalid_payload' }, 'refused'],
    [{ body: '' }, 'refused'],
    [{ body: 'ok', truncated: true }, 'retry'],
    [{ body: '{"ok":true,"ts":"1"}', headers: json }, 'sent'],
    [{ body: '{"ok":false,"error":"channel_not_found"}', headers: json }, 'refused'],
    [{ body: '{"ok":false,"error":"ratelimited"}', headers: json }, 'retry'],
    [{ body: '{"ok":tr', headers: json }, 'retry'],
  ])('Slack, with status 200: %j is %s', (given, verdict) => {
    expect(judgeResponse({ kind: 'slack', secrets: [], nowMs }, response(200, given)).kind).toBe(verdict);
  });

  it.each([
    [new OpsError('unavailable', 'no answer', { retryAfterMs: 5 }), { kind: 'retry', reason: 'no answer', retryAfterMs: 5 }],
    [new OpsError('denied', 'no', { hint: 'Allow it.' }), { kind: 'refused', reason: 'no. Allow it.' }],
    [new OpsError('input', 'no'), { kind: 'refused', reason: 'no' }],
  ])('an error that is %o', (error, verdict) => expect(judgeError(error, [])).toEqual(verdict));

  it('a defect is thrown on', () => expect(() => judgeError(new TypeError('x is undefined'), [])).toThrow(TypeError));

  it('what it says is told on one line, and not without end', () => {
    const verdict = judgeResponse({ kind: 'webhook', secrets: [], nowMs }, response(400, { body: `a\r\n\tb${'x'.repeat(9_999)}` }));
    expect(verdict).toMatchObject({ reason: expect.stringMatching(/^answered 400: a bx+$/) as string });
    expect((verdict as { reason: string }).reason.length).toBeLessThanOrEqual(300);
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['1.5', 1_500],
    [' 7 ', 7_000],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Sunday, 01-Mar-26 12:00:30 GMT', 30_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (value, ms) => expect(readRetryAfter(value, nowMs)).toBe(ms));
});

describe('the plan of a delivery', () => {
  const retry = { kind: 'retry', reason: 'answered 500' } as const;
  const tried = (attempts: number, ageMs = 0) => ({ attempts, createdAtMs: nowMs - ageMs });

  it.each([
    ['is done when it is sent', tried(1), { kind: 'sent' }, 0.5, { kind: 'sent' }],
    ['is given up when it is refused', tried(1), { kind: 'refused', reason: 'x' }, 0.5, { kind: 'give-up', reason: 'x' }],
    ['waits at least half', tried(1), retry, 0, { kind: 'retry', atMs: nowMs + 2_500, reason: 'answered 500' }],
    ['doubles', tried(3), retry, 0, { kind: 'retry', atMs: nowMs + 10_000, reason: 'answered 500' }],
    ['stops doubling', tried(99), retry, 0, { kind: 'retry', atMs: nowMs + 150_000, reason: 'answered 500' }],
    [
      'waits as long as it is asked to',
      tried(1),
      { ...retry, retryAfterMs: 90_000 },
      0,
      { kind: 'retry', atMs: nowMs + 90_000, reason: 'answered 500' },
    ],
    [
      'but no more than an hour',
      tried(1),
      { ...retry, retryAfterMs: 1e12 },
      0,
      { kind: 'retry', atMs: nowMs + 3_600_000, reason: 'answered 500' },
    ],
    [
      'is given up when it is too old',
      tried(60, 4 * 3_600_000 - 1),
      retry,
      0,
      { kind: 'give-up', reason: 'not delivered in 60 tries; the last: answered 500' },
    ],
  ] as const)('%s', (_, delivery, verdict, random, plan) => {
    expect(planDelivery(delivery, verdict, nowMs, random)).toEqual(plan);
  });

  it('is never for now or the past, never beyond its age, and never before what was asked', () => {
    const inputs = [
      fc.integer({ min: 1, max: 2_000 }),
      fc.nat(5 * 3_600_000),
      fc.option(fc.nat(7_200_000)),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
    ] as const;
    fc.assert(
      fc.property(...inputs, (attempts, ageMs, retryAfterMs, random) => {
        const delivery = tried(attempts, ageMs);
        const plan = planDelivery(delivery, { ...retry, retryAfterMs: retryAfterMs ?? undefined }, nowMs, random);
        if (plan.kind !== 'retry') return;
        const { maxAgeMs, maxRetryAfterMs, maxDelayMs } = defaultDeliveryLimits;
        const askedMs = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
        expect(plan.atMs).toBeGreaterThan(nowMs);
        expect(plan.atMs).toBeGreaterThanOrEqual(nowMs + askedMs);
        expect(plan.atMs).toBeLessThanOrEqual(Math.min(delivery.createdAtMs + maxAgeMs, nowMs + Math.max(askedMs, maxDelayMs)));
      }),
    );
  });
});

describe('sending', () => {
  const depsOf = () => {
    const ports = {
      outgoing: createMemoryOutgoing(),
      mail: createMemoryMail(),
      topics: createMemoryTopics(),
      events: createMemoryEventTargets(),
    };
    return { ...ports, clock: () => nowMs };
  };
  const compose = (receiver: Parameters<typeof composeNotification>[0]): Promise<Composed> =>
    composeNotification(receiver, notificationOf(), createRenderer);
  const opsgenie = { kind: 'opsgenie', settings: { api_key: createSecret('k'), update_alerts: true, message: 'm' } } as const;

  it('goes on until one is not taken, and then begins again', async () => {
    const deps = depsOf();
    const composed = await compose(opsgenie);
    deps.outgoing.script({ status: 202 }, { status: 500, headers: { 'retry-after': '3' } });
    expect(await sendComposed(deps, composed)).toEqual({ kind: 'retry', reason: 'answered 500', retryAfterMs: 3_000 });
    expect(deps.outgoing.sent).toHaveLength(2);
    expect(await sendComposed(deps, composed)).toEqual({ kind: 'sent' });
    expect(deps.outgoing.sent).toHaveLength(5);
  });

  it('takes each port that there is', async () => {
    const deps = depsOf();
    const mail = { kind: 'email', settings: { to: 'a@x.org', from: 'b@x.org' } } as const;
    const sns = { kind: 'sns', settings: { topic_arn: 'arn:aws:sns:eu-west-1:1:ops', message: 'm' } } as const;
    for (const receiver of [mail, sns, { kind: 'eventbridge', settings: { event_bus_name: 'ops' } } as const]) {
      expect(await sendComposed(deps, await compose(receiver))).toEqual({ kind: 'sent' });
    }
    expect([deps.mail.sent.length, deps.topics.sent.length, deps.events.sent.length]).toEqual([1, 1, 1]);
    const { mail: _mail, topics: _topics, events: _events, ...without } = deps;
    for (const receiver of [mail, sns]) expect(await sendComposed(without, await compose(receiver))).toMatchObject({ kind: 'refused' });
    deps.mail.script(new OpsError('unavailable', 'busy'));
    expect(await sendComposed(deps, await compose(mail))).toMatchObject({ kind: 'retry', reason: 'busy' });
  });

  it("asks PagerDuty's older API again after a 403", async () => {
    const deps = depsOf();
    deps.outgoing.script({ status: 403 });
    const settings = { service_key: createSecret('k') };
    expect(await sendComposed(deps, await compose({ kind: 'pagerduty', settings }))).toMatchObject({ kind: 'retry' });
  });
});

describe('secrets', () => {
  const secret = fc
    .string({ unit: 'binary', minLength: 8, maxLength: 40 })
    .filter((text) => text.trim().length >= 8 && text.isWellFormed());
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789_-+/=%&?#"\\ü';
  const token = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 10, maxLength: 40 });

  it('are in no verdict, however a server writes them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(secret, token), fc.integer({ min: 0, max: 3 }), fc.nat(400), async (text, form, padding) => {
        const { outgoing, ...rest } = { outgoing: createMemoryOutgoing(), clock: () => nowMs };
        const inUrl = encodeURIComponent(text);
        const forms = [text, inUrl, JSON.stringify(text).slice(1, -1), Buffer.from(text).toString('base64')];
        const body = `${'x '.repeat(padding)}bad key ${forms[form]} given`;
        const receivers = [
          { kind: 'pagerduty', settings: { routing_key: createSecret(text) } },
          { kind: 'opsgenie', settings: { api_key: createSecret(text) } },
          { kind: 'slack', settings: { api_url: createSecret(`https://hooks.test/services/T0/${inUrl}`) } },
          { kind: 'webhook', settings: { url: createSecret(`https://hooks.test/?token=${inUrl}`) } },
          {
            kind: 'webhook',
            settings: { url: createSecret('https://hooks.test/'), http_config: { authorization: { credentials: createSecret(text) } } },
          },
        ] as const;
        for (const receiver of receivers) {
          const composed = await composeNotification(receiver, notificationOf(), createRenderer);
          const answers: ScriptedAnswer[] = [
            { status: 400, body },
            { status: 500, body },
            new OpsError('unavailable', body),
            new OpsError('input', 'x', { hint: body }),
          ];
          outgoing.script(...answers);
          for (const _ of answers) {
            const told = JSON.stringify(await sendComposed({ outgoing, ...rest }, composed));
            for (const shown of new Set([text.trim(), ...forms])) expect(told).not.toContain(shown);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are in no error of a template that shows them', async () => {
    const failing = () => ({
      text: async (text: string) => {
        throw new OpsError('input', `template ${text} is wrong`);
      },
      html: async (text: string) => text,
    });
    const settings = { url: createSecret('https://hooks.test/path-secret/{{ x') };
    const error = await composeNotification({ kind: 'webhook', settings }, notificationOf(), failing).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'input', message: 'webhook: template <secret> is wrong' });
  });

  it('of a few characters hide the whole text that has them', async () => {
    const outgoing = createMemoryOutgoing();
    outgoing.script({ status: 400, body: 'no abc here' });
    const composed = await composeNotification(
      { kind: 'pagerduty', settings: { routing_key: createSecret('abc') } },
      notificationOf(),
      createRenderer,
    );
    expect(await sendComposed({ outgoing, clock: () => nowMs }, composed)).toEqual({
      kind: 'refused',
      reason: '<secret>',
    });
  });
});
