import { describe, expect, it } from 'vitest';
import { createFlagApp, NOW, onOff } from './flag-app.ts';

const rolled = (percentage: number) => ({ ...onOff, rollout: { variant: 'on', percentage } });
const value = async (app: ReturnType<typeof createFlagApp>, key: string, context: object = { targetingKey: 'ann' }) =>
  (await app.evaluate(key, context)).body.value;

describe('a rollout', () => {
  it('is set by a call, of a flag of a file too', async () => {
    const app = createFlagApp({ files: { filed: rolled(0) } });
    await app.put('banner', onOff);
    for (const key of ['filed', 'banner']) {
      expect(await app.ask('POST', `/api/flags/${key}/rollout`, { percentage: 100, by: 'ann' })).toMatchObject({
        status: 200,
        body: { flag: rolled(100) },
      });
      expect([await value(app, key), (await app.ask('GET', `/api/flags/${key}`)).body.percentage]).toEqual([true, 100]);
    }
    expect((await app.ask('GET', '/api/flags/filed')).body).toMatchObject({ source: 'file', file: 'flags/shop.json', version: 1 });
  });

  it('drops the shares that were planned, which would overrule it, and takes new ones', async () => {
    const app = createFlagApp();
    const steps = [{ from: new Date(NOW - 1).toISOString(), percentage: 100 }];
    await app.put('banner', { ...onOff, rollout: { variant: 'on', percentage: 0, steps } });
    expect(await value(app, 'banner')).toBe(true);
    await app.ask('POST', '/api/flags/banner/rollout', { percentage: 0 });
    expect(await value(app, 'banner')).toBe(false);
    await app.ask('POST', '/api/flags/banner/rollout', { percentage: 0, steps });
    expect(await value(app, 'banner')).toBe(true);
  });

  it.each<[string, object, object, number, RegExp]>([
    ['more than all', onOff, { percentage: 101 }, 400, /percentage/],
    ['no percentage', onOff, {}, 400, /percentage/],
    ['an unknown field', onOff, { percentage: 1, moon: 1 }, 400, /moon/],
    ['a variant that is none', onOff, { percentage: 1, variant: 'moon' }, 400, /"moon" is no variant/],
    [
      'three variants, and no word of which',
      { ...onOff, variants: { a: 1, b: 2, c: 3 }, defaultVariant: 'a' },
      { percentage: 1 },
      400,
      /name a variant/,
    ],
    ['a version that it has no more', onOff, { percentage: 1, expectedVersion: 7 }, 409, /at version 1, and version 7/],
  ])('is refused for %s', async (_, flag, body, status, message) => {
    const app = createFlagApp();
    await app.put('banner', flag);
    const told = await app.ask('POST', '/api/flags/banner/rollout', body);
    expect([told.status, told.body.error.message]).toEqual([status, expect.stringMatching(message)]);
  });

  it('that a release drives is not changed by hand, unless that is forced', async () => {
    const app = createFlagApp();
    await app.put('banner', rolled(0));
    const before = await app.rollouts.read('a', 'banner');
    expect(before).toEqual({ variant: 'on', percentage: 0, steps: [], version: 1, boundTo: undefined, isKilled: false });
    const release = { by: 'release r1', reason: 'step 1', boundTo: 'r1' };
    expect(await app.rollouts.set('a', 'banner', 10, { ...release, expectedVersion: 1 })).toMatchObject({
      percentage: 10,
      version: 2,
      boundTo: 'r1',
    });
    // The same again, though the answer may have been lost.
    expect(await app.rollouts.set('a', 'banner', 10, { ...release, expectedVersion: 1 })).toMatchObject({ percentage: 10, version: 2 });
    const byHand = (path: string, method: string, body: unknown) => app.ask(method, `/api/flags/banner${path}`, body, { 'if-match': '*' });
    for (const told of [
      await byHand('/rollout', 'POST', { percentage: 50 }),
      await byHand('', 'PUT', rolled(50)),
      await byHand('', 'DELETE', undefined),
    ])
      expect([told.status, told.body.error.message]).toEqual([
        409,
        expect.stringMatching(/is driven by release r1: .* its judge does not know of/),
      ]);
    await expect(app.rollouts.set('a', 'banner', 20, { by: 'release r2', reason: '', boundTo: 'r2' })).rejects.toThrow(
      /driven by release r1/,
    );
    expect((await byHand('/rollout', 'POST', { percentage: 50, force: true })).body).toMatchObject({ version: 3, boundTo: 'r1' });
    await expect(app.rollouts.set('a', 'banner', 20, { ...release, expectedVersion: 2 })).rejects.toThrow(/is at version 3, and version 2/);
    // Turning off needs no leave, and the release sees it.
    expect((await byHand('/kill', 'POST', {})).status).toBe(200);
    expect(await app.rollouts.read('a', 'banner')).toMatchObject({ isKilled: true, boundTo: 'r1' });
    expect(await app.rollouts.set('a', 'banner', 0, { by: 'release r1', reason: 'over', boundTo: null })).toMatchObject({
      percentage: 0,
      boundTo: undefined,
    });
    expect((await byHand('/rollout', 'POST', { percentage: 5 })).status).toBe(200);
  });
});

describe('the kill switch', () => {
  it.each<[string, object, unknown]>([
    ['true and false', { ...rolled(100), defaultVariant: 'on' }, false],
    ['texts', { state: 'ENABLED', variants: { a: 'A', b: 'B' }, defaultVariant: 'a', targeting: { if: [true, 'b'] } }, 'A'],
    ['texts without a default', { state: 'ENABLED', variants: { a: 'A' }, targeting: { if: [true, 'a'] } }, undefined],
  ])('turns a flag of %s off for everybody, and on again', async (_, flag, off) => {
    const app = createFlagApp({ files: { filed: flag } });
    await app.put('banner', flag);
    for (const key of ['banner', 'filed']) {
      const before = (await app.evaluate(key, { targetingKey: 'ann' })).body;
      expect((await app.ask('POST', `/api/flags/${key}/kill`, { by: 'ann', reason: 'errors' })).body.kill).toMatchObject({
        by: 'ann',
        reason: 'errors',
      });
      const { body } = await app.evaluate(key, { targetingKey: 'ann' });
      expect([body.reason, body.value]).toEqual(['DISABLED', off]);
      expect((await app.ask('POST', `/api/flags/${key}/kill`, {})).status).toBe(200);
      await app.ask('DELETE', `/api/flags/${key}/kill?by=ann`);
      expect((await app.evaluate(key, { targetingKey: 'ann' })).body).toEqual(before);
    }
    const { changes } = (await app.ask('GET', '/api/flags/filed/audit')).body;
    expect(changes.map(({ action }: { action: string }) => action)).toEqual(['revived', 'killed']);
  });

  it('has nothing to turn off where there is no flag', async () => {
    expect((await createFlagApp().ask('POST', '/api/flags/nobody/kill', {})).status).toBe(404);
  });
});
