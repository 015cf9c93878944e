import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { createMemoryRollouts } from '#ports/memory/memory-rollouts.ts';
import type { RolloutState } from '#ports/rollouts.ts';
import { normalizeTraffic, type TrafficTarget } from '#ports/traffic.ts';
import { createFlagTraffic } from '#releases/traffic/flag-traffic.ts';
import { trafficContract } from '#test/ports/traffic.contract.ts';

const target: TrafficTarget = { tenant: 't', application: 'shop', environment: 'production', settings: { flag: 'checkout' } };
const plain: RolloutState = { variant: 'on', percentage: 0, steps: [], version: 3, boundTo: undefined, isKilled: false };

function openFlag(state: Partial<RolloutState> = {}) {
  const rollouts = createMemoryRollouts([]);
  const put = (more: Partial<RolloutState>) =>
    rollouts.states.set('t/checkout', { ...plain, ...rollouts.states.get('t/checkout'), ...more });
  put(state);
  return { rollouts, put, port: createFlagTraffic(rollouts), held: () => rollouts.states.get('t/checkout') as RolloutState };
}

trafficContract('flag', async () => {
  const { rollouts, put, held } = openFlag();
  let losing = false;
  const set: typeof rollouts.set = async (...args) => {
    const after = await rollouts.set(...args);
    if (!losing) return after;
    losing = false;
    throw new OpsError('unavailable', 'no answer');
  };
  return {
    ...{ port: createFlagTraffic({ ...rollouts, set }), target, stable: 'off', canary: '1.1.0', onceStable: 'on' },
    interfere(state) {
      const { stable, canary, weight } = normalizeTraffic(state);
      put({ percentage: canary === undefined ? (stable === 'off' ? 0 : 100) : weight, boundTo: canary });
    },
    world: () => JSON.stringify({ ...held(), version: 0 }),
    loseAnswer() {
      losing = true;
    },
    close: async () => {},
  };
});

const none = { stable: 'off', weight: 0 };
const tenth = { stable: 'off', canary: '1.1.0', weight: 10 };

describe('a flag as traffic', () => {
  it('is bound to the version while it is rolled out, and to nobody at the end', async () => {
    const { port, held } = openFlag();
    await port.shift(target, none, tenth);
    expect(held()).toMatchObject({ percentage: 10, boundTo: '1.1.0' });
    await port.shift(target, tenth, { stable: '1.1.0', weight: 0 });
    expect(held()).toMatchObject({ percentage: 100, boundTo: undefined });
  });

  it.each([
    ['that was turned off for everybody', { isKilled: true }, /turned off/],
    ['that another release drives', { percentage: 0, boundTo: '1.0.9' }, /driven by 1.0.9/],
    ['that everybody has already', { percentage: 100 }, /100 % already/],
  ])('is not shifted: one %s', async (_, state, message) => {
    const { port, held } = openFlag(state);
    const from = (state as Partial<RolloutState>).percentage === 100 ? { stable: 'on', weight: 0 } : none;
    const before = held();
    await expect(port.shift(target, from, { ...tenth, stable: from.stable })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(message),
    });
    expect(held()).toEqual(before);
  });

  it('has no traffic once it is killed, whatever its percentage', async () => {
    const { port } = openFlag({ percentage: 50, boundTo: '1.1.0', isKilled: true });
    expect(await port.read(target)).toEqual(none);
  });

  it('with planned shares of its own is not driven: put back, they would give the failed version traffic', async () => {
    const { port, held } = openFlag({ steps: [{ from: '2026-12-01T00:00:00Z', percentage: 20 }] });
    const before = held();
    await expect(port.capture(target)).rejects.toMatchObject({ kind: 'conflict', message: expect.stringMatching('planned shares') });
    expect(held()).toEqual(before);
  });

  it('that is not there is missing', async () => {
    const { port } = openFlag();
    await expect(port.read({ ...target, settings: { flag: 'other' } })).rejects.toMatchObject({ kind: 'missing' });
  });
});
