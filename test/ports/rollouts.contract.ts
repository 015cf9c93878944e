import { describe, expect, it } from 'vitest';
import type { Rollouts } from '#ports/rollouts.ts';

/** What every implementation of Rollouts does; `create` gives one with the flag `banner` of tenant a, whose variant `on` nobody gets. */
export function rolloutsContract(name: string, create: () => Promise<Rollouts>): void {
  describe(`rollouts of flags: ${name}`, () => {
    const by = { by: 'ann', reason: 'because' };
    const release = { by: 'release r1', reason: 'step', boundTo: 'r1' };
    const step = { from: '2026-11-27T12:00:00Z', percentage: 50 };

    it('are read as they were set', async () => {
      const rollouts = await create();
      const before = await rollouts.read('a', 'banner');
      expect(before).toMatchObject({ variant: 'on', percentage: 0, steps: [], boundTo: undefined, isKilled: false });
      const after = await rollouts.set('a', 'banner', 12.3456, { ...by, expectedVersion: before.version, steps: [step] });
      expect(after).toEqual({ ...before, percentage: 12.346, steps: [step], version: before.version + 1 });
      expect(await rollouts.read('a', 'banner')).toEqual(after);
      expect(await rollouts.set('a', 'banner', 100, by)).toMatchObject({ percentage: 100, steps: [] });
    });

    it('are not changed by setting what is set, whatever version was expected', async () => {
      const rollouts = await create();
      const { version } = await rollouts.read('a', 'banner');
      const set = await rollouts.set('a', 'banner', 10, { ...release, expectedVersion: version });
      expect(await rollouts.set('a', 'banner', 10, { ...release, expectedVersion: version })).toEqual(set);
    });

    it('are refused at another version', async () => {
      const rollouts = await create();
      const { version } = await rollouts.set('a', 'banner', 10, by);
      await expect(rollouts.set('a', 'banner', 20, { ...by, expectedVersion: version - 1 })).rejects.toMatchObject({ kind: 'conflict' });
      expect(await rollouts.read('a', 'banner')).toMatchObject({ percentage: 10, version });
    });

    it('that a release drives are refused to others, unless forced, and given up by it', async () => {
      const rollouts = await create();
      await rollouts.set('a', 'banner', 10, release);
      for (const change of [by, { ...release, boundTo: 'r2' }])
        await expect(rollouts.set('a', 'banner', 20, change)).rejects.toMatchObject({
          kind: 'conflict',
          message: expect.stringMatching(/release r1/),
        });
      expect(await rollouts.set('a', 'banner', 20, release)).toMatchObject({ percentage: 20, boundTo: 'r1' });
      expect(await rollouts.set('a', 'banner', 30, { ...by, isForced: true })).toMatchObject({ percentage: 30, boundTo: 'r1' });
      expect(await rollouts.set('a', 'banner', 30, { ...by, boundTo: null })).toMatchObject({ percentage: 30, boundTo: undefined });
      expect(await rollouts.set('a', 'banner', 40, by)).toMatchObject({ percentage: 40 });
    });

    it.each([Number.NaN, -1, 100.5, Number.POSITIVE_INFINITY])('are refused at %d percent', async (percentage) => {
      await expect((await create()).set('a', 'banner', percentage, by)).rejects.toMatchObject({ kind: 'input' });
    });

    it.each([
      ['a', 'nobody'],
      ['b', 'banner'],
      ['a', '__proto__'],
    ])('of %s have no %s', async (tenant, flag) => {
      const rollouts = await create();
      await expect(rollouts.read(tenant, flag)).rejects.toMatchObject({ kind: 'missing' });
      await expect(rollouts.set(tenant, flag, 1, by)).rejects.toMatchObject({ kind: 'missing' });
    });
  });
}
