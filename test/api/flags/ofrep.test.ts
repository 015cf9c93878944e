import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OpsError } from '#core/errors.ts';
import { corpus } from '#test/corpora.ts';
import { createFlagApp, NOW, onOff, type Told } from './flag-app.ts';

const folder = corpus('ofrep');
const PATH = '/ofrep/v1/evaluate/flags';

/** The component schemas of OFREP, as a check of answers. */
function createSchemas() {
  const document = parse(readFileSync(join(folder ?? '', 'openapi.yaml'), 'utf8')) as ReturnType<typeof JSON.parse>;
  // A value of any type is also one of no type (codeDefaultFlag), and an integer also a float: as oneOf the schema would take no success at all.
  const success = document.components.schemas.evaluationSuccess.allOf;
  success[1] = { anyOf: success[1].oneOf };
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'ofrep');
  return (name: string, value: unknown) => {
    const validate = ajv.getSchema(`ofrep#/components/schemas/${name}`);
    return validate?.(value) ? [] : (validate?.errors ?? ['no such schema']);
  };
}

const schemaOf = (status: number): string => ({ 200: 'serverEvaluationSuccess', 404: 'flagNotFound' })[status] ?? 'evaluationFailure';

const flags = {
  plain: { ...onOff, metadata: { team: 'shop', size: 3, isOld: false } },
  text: { state: 'ENABLED', variants: { a: 'A' }, defaultVariant: 'a' },
  whole: { state: 'ENABLED', variants: { a: 7 }, defaultVariant: 'a' },
  part: { state: 'ENABLED', variants: { a: 1.5 }, defaultVariant: 'a' },
  thing: { state: 'ENABLED', variants: { a: { x: [1, null] } }, defaultVariant: 'a' },
  code: { ...onOff, defaultVariant: null },
  staff: { ...onOff, targeting: { if: [{ '==': [{ var: 'team' }, 'staff'] }, 'on', null] } },
  split: {
    ...onOff,
    targeting: {
      fractional: [
        ['on', 1],
        ['off', 1],
      ],
    },
  },
  rolled: { ...onOff, rollout: { variant: 'on', percentage: 50 } },
  off: { ...onOff, state: 'DISABLED' },
  wrong: { ...onOff, targeting: { var: 'variant' } },
  'a/b c': onOff,
};

describe.skipIf(!folder)('OFREP', () => {
  const check = folder ? createSchemas() : () => [];
  const app = createFlagApp({ files: flags });
  const checked = (told: Told) => {
    expect(check(schemaOf(told.status), told.body)).toEqual([]);
    return told;
  };

  it.each<[string, object, number, object]>([
    ['plain', {}, 200, { value: false, variant: 'off', reason: 'STATIC', metadata: { team: 'shop', size: 3, isOld: false } }],
    ['text', {}, 200, { value: 'A' }],
    ['whole', {}, 200, { value: 7 }],
    ['part', {}, 200, { value: 1.5 }],
    ['thing', {}, 200, { value: { x: [1, null] } }],
    ['code', {}, 200, { key: 'code', reason: 'UNKNOWN' }],
    ['staff', { team: 'staff' }, 200, { value: true, reason: 'TARGETING_MATCH' }],
    ['staff', {}, 200, { value: false, reason: 'UNKNOWN' }],
    ['split', { targetingKey: 'ann' }, 200, { reason: 'TARGETING_MATCH' }],
    ['split', {}, 400, { errorCode: 'TARGETING_KEY_MISSING' }],
    ['rolled', { targetingKey: 'ann' }, 200, { reason: 'SPLIT' }],
    ['rolled', {}, 400, { errorCode: 'TARGETING_KEY_MISSING' }],
    ['off', {}, 200, { reason: 'DISABLED' }],
    ['wrong', { variant: 'moon' }, 400, { errorCode: 'GENERAL' }],
    ['nobody', {}, 404, { errorCode: 'FLAG_NOT_FOUND' }],
    ['a/b c', {}, 200, { key: 'a/b c', value: false }],
    ['a%2Fb%20c', {}, 200, { key: 'a/b c', value: false }],
    ['__proto__', {}, 404, { errorCode: 'FLAG_NOT_FOUND' }],
  ])('answers for %s with %j', async (key, context, status, body) => {
    const told = checked(await app.evaluate(key, context));
    expect(told).toMatchObject({ status, body });
    if (!('value' in body) && status === 200 && key !== 'split' && key !== 'rolled') expect(told.body).not.toHaveProperty('value');
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{"context":', 'PARSE_ERROR'],
    ['JSON of too many levels', `{"context":${'['.repeat(50_000)}`, 'PARSE_ERROR'],
    ['a list', [], 'INVALID_CONTEXT'],
    ['a context that is a list', { context: [] }, 'INVALID_CONTEXT'],
    ['a context that is text', { context: 'ann' }, 'INVALID_CONTEXT'],
    ['a context of null', { context: null }, 'INVALID_CONTEXT'],
    ['a targeting key that is a number', { context: { targetingKey: 5 } }, 'INVALID_CONTEXT'],
    ['a megabyte', { context: { targetingKey: 'x'.repeat(1_000_000) } }, 'INVALID_CONTEXT'],
    ['a number that JSON does not have', '{"context":{"a":NaN}}', 'PARSE_ERROR'],
  ])('refuses %s', async (_, body, errorCode) => {
    expect(checked(await app.ask('POST', `${PATH}/plain`, body))).toMatchObject({ status: 400, body: { key: 'plain', errorCode } });
    const all = await app.ask('POST', PATH, body);
    expect([all.status, check('bulkEvaluationFailure', all.body), all.body.errorCode]).toEqual([400, [], errorCode]);
  });

  it.each<[string, string]>([
    ['a prototype', '{"context":{"__proto__":{"team":"staff"},"constructor":1,"targetingKey":"x"}}'],
    ['nothing at all', ''],
    ['an empty object', '{}'],
  ])('takes a context with %s', async (_, body) => {
    expect(checked(await app.ask('POST', `${PATH}/staff`, body))).toMatchObject({ status: 200, body: { value: false } });
  });

  it('answers for all flags, those that fail among them', async () => {
    const told = await app.evaluateAll({ team: 'staff', variant: 'moon' });
    expect([told.status, check('bulkEvaluationSuccess', told.body)]).toEqual([200, []]);
    const byKey = Object.fromEntries(told.body.flags.map((flag: { key: string }) => [flag.key, flag]));
    expect(Object.keys(byKey)).toEqual(Object.keys(flags).sort());
    expect(byKey).toMatchObject({
      staff: { value: true },
      split: { errorCode: 'TARGETING_KEY_MISSING' },
      wrong: { errorCode: 'GENERAL' },
      off: { reason: 'DISABLED' },
    });
  });

  it('tells by the ETag whether anything changed, for this context', async () => {
    const { headers } = await app.evaluateAll({ targetingKey: 'ann' });
    const etag = headers.get('etag') as string;
    const again = (context: object, tag: string) => app.evaluateAll(context, { 'if-none-match': tag });
    expect(await again({ targetingKey: 'ann' }, etag)).toMatchObject({ status: 304, body: undefined });
    expect((await again({ targetingKey: 'ann' }, `W/${etag}, "x"`)).status).toBe(304);
    expect((await again({ targetingKey: 'ann' }, etag.slice(1, -1))).status).toBe(304);
    expect((await again({ targetingKey: 'bob' }, etag)).status).toBe(200);
    await app.put('fresh', onOff);
    expect((await again({ targetingKey: 'ann' }, etag)).status).toBe(200);
  });

  it('has another ETag once a schedule has begun, though nobody changed anything', async () => {
    const later = new Date(NOW + 60_000).toISOString();
    const own = createFlagApp({
      files: { soon: { ...onOff, rollout: { variant: 'on', percentage: 0, steps: [{ from: later, percentage: 100 }] } } },
    });
    const etag = (await own.evaluateAll()).headers.get('etag') as string;
    expect((await own.evaluateAll({}, { 'if-none-match': etag })).status).toBe(304);
    own.clock.nowMs += 60_000;
    expect(await own.evaluateAll({}, { 'if-none-match': etag })).toMatchObject({ status: 200, body: { flags: [{ value: true }] } });
  });

  it('answers 429 with Retry-After when it is asked too often, and again once that is over', async () => {
    const own = createFlagApp({ files: flags, perSecond: 1, burst: 2 });
    const statuses = [await own.evaluate('plain'), await own.evaluateAll(), await own.evaluate('plain')];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(statuses[2]?.headers.get('retry-after')).toBe('1');
    expect((await own.evaluate('plain', {}, 'all-b')).status).toBe(404);
    own.clock.nowMs += 1_000;
    expect((await own.evaluate('plain')).status).toBe(200);
  });

  it.each<[string, OpsError, number]>([
    ['429 where the table throttles', new OpsError('unavailable', 'slow down', { retryAfterMs: 1 }), 429],
    ['503 where it is not there', new OpsError('unavailable', 'gone'), 503],
  ])('answers %s', async (_, error, status) => {
    const own = createFlagApp({
      files: flags,
      wrapTable: (table) => ({
        ...table,
        get: async () => {
          throw error;
        },
      }),
    });
    const told = checked(await own.evaluate('plain'));
    expect([told.status, told.headers.get('retry-after'), told.body.errorCode]).toEqual([status, '1', 'GENERAL']);
  });

  it('takes the scope query', async () => {
    expect((await app.evaluate('plain', {}, 'ingest-a')).status).toBe(403);
    expect((await app.evaluate('plain', {}, 'nobody')).status).toBe(401);
  });
});
